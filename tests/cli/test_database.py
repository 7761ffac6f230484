"""`messenger-api db`: the tables, on both databases."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from messenger_api import configuration
from messenger_api.app import build_app, parts_of
from messenger_api.sandbox import SandboxStore
from messenger_api.storage import migrating
from messenger_api.storage.models import Base
from tests.cli.commands import NEWEST, Cli
from tests.product import Product


@pytest.fixture
def configured(cli: Cli, keys: dict[str, str]) -> Cli:
    cli.environment.update(keys)
    return cli


def execute(uri: str, statement: str) -> None:
    with create_engine(uri, poolclass=NullPool).begin() as connection:
        connection.execute(text(statement))


def tables(uri: str) -> set[str]:
    with create_engine(uri, poolclass=NullPool).connect() as connection:
        return set(connection.dialect.get_table_names(connection))


def test_an_empty_database_is_said_to_be_empty_and_left_so(configured: Cli, database_uri: str) -> None:
    assert configured.ok("db", "current") == f"no tables (this version needs {NEWEST})\n"
    assert tables(database_uri) == set()


def test_upgrade_makes_the_tables_and_says_so(configured: Cli, database_uri: str) -> None:
    assert configured.ok("db", "upgrade") == f"Upgraded from nothing to {NEWEST}.\n"
    assert tables(database_uri) == {*Base.metadata.tables, "alembic_version"}
    assert configured.ok("db", "current") == f"{NEWEST}\n"


@pytest.fixture
def usual_umask() -> Iterator[None]:
    """That of most machines: whoever has an account may read what is made."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("usual_umask")
def test_a_file_that_is_made_for_a_database_is_its_owners_alone(cli: Cli, tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/messenger.sqlite3"
    cli.ok("db", "upgrade", MESSENGER_SQLALCHEMY_DATABASE_URI=uri)
    with closing(Product(uri, tmp_path)) as product:
        product.log_in("14155550101")
        with SandboxStore(tmp_path / "sandbox.sqlite3"):
            made = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("*.sqlite3*")}
    assert {"messenger.sqlite3", "messenger.sqlite3-wal", "sandbox.sqlite3"} <= set(made)
    assert {name: mode for name, mode in made.items() if mode != 0o600} == {}


@pytest.mark.usefixtures("usual_umask")
def test_a_database_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    there = tmp_path / "messenger.sqlite3"
    there.touch()
    there.chmod(0o640)
    Product(f"sqlite:///{there}", tmp_path).close()
    assert there.stat().st_mode & 0o777 == 0o640


def test_a_second_upgrade_changes_nothing(configured: Cli) -> None:
    configured.ok("db", "upgrade")
    assert configured.ok("db", "upgrade") == f"Already at {NEWEST}.\n"


def test_tables_of_a_newer_version_are_refused_with_a_sentence(configured: Cli, database_uri: str) -> None:
    configured.ok("db", "upgrade")
    execute(database_uri, "UPDATE alembic_version SET version_num = '9999'")
    assert configured.ok("db", "current") == f"9999 (this version needs {NEWEST})\n"
    result = configured.run("db", "upgrade")
    assert result.exit_code == 1
    assert "9999" in result.stderr
    assert "newer version" in result.stderr


def test_tables_that_are_in_the_way_are_named(configured: Cli, database_uri: str) -> None:
    execute(database_uri, "CREATE TABLE users (mine INTEGER)")
    result = configured.run("db", "upgrade")
    assert result.exit_code == 1
    assert "users" in result.stderr
    assert "Use an empty one" in result.stderr


ODD = """a b|a%b|p%20q|p%3Fq|what?x|what?mode=ro|a#b|it's|so "called"|café|山 %s|a+b&c;d|a:b@c|\\"""


@pytest.mark.parametrize("name", ODD.split("|"))
def test_the_database_stands_in_its_folder_whatever_that_is_called(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    monkeypatch.chdir(folder)
    cli.environment["MESSENGER_SANDBOX"] = "local"
    cli.ok("db", "upgrade")
    with closing(parts_of(build_app(configuration.build(sandbox="local")))) as parts:
        assert parts.schema.is_current()
    with closing(sqlite3.connect(folder / "instance" / "messenger.sqlite3")) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchone() == (NEWEST,)
    cli.ok("backup", "kept")
    assert "Whole" in cli.ok("restore", "kept", "--check")
    (folder / "instance" / "messenger.sqlite3").unlink()
    cli.ok("restore", "kept")
    assert (folder / "instance" / "messenger.sqlite3").is_file()
    monkeypatch.setenv("MESSENGER_SQLALCHEMY_DATABASE_URI", "sqlite:///own.sqlite3")
    cli.ok("db", "upgrade")
    assert (folder / "own.sqlite3").is_file()
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_the_program_may_stand_in_a_folder_with_a_percent_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrating, "MIGRATIONS", Path("/opt/a%b"))
    config = migrating._config(create_engine("sqlite://"))
    assert config.get_main_option("script_location") == "/opt/a%b"

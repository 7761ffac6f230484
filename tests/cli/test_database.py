"""`messenger-api db`: the tables, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from messenger_api.storage.models import Base
from tests.cli.commands import NEWEST, Cli


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

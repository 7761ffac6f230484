"""`db upgrade`: killed, twice at once, in the way of others, and into a database that is not ours."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pymysql
import pytest
from sqlalchemy import create_engine, event, text

from messenger_api.domain.errors import UpgradeRefused
from messenger_api.storage import upgrading
from messenger_api.storage.db import Database
from messenger_api.storage.schema import Schema
from tests.matrix import some
from tests.servers import LOOPBACK, ROOT, MariaDB
from tests.test_schema import facts, load_by_hand, product_engine, upgrade_to

pytestmark = pytest.mark.server

PHP_DEMO = [
    "CREATE TABLE users (uid INT UNSIGNED PRIMARY KEY, name BLOB, phone BIGINT UNSIGNED UNIQUE, ts INT)",
    "CREATE TABLE tokens (uid INT UNIQUE, token CHAR(64) PRIMARY KEY)",
    "CREATE TABLE contacts (uid INT, phone BIGINT UNSIGNED, subscribed TINYINT)",
    "CREATE TABLE `groups` (gid INT PRIMARY KEY, name BLOB)",
    "CREATE TABLE members (gid INT, phone BIGINT, role TINYINT)",
    "CREATE TABLE notifytokens (uid INT PRIMARY KEY, token VARCHAR(256))",
    "CREATE TABLE names (name VARCHAR(128), status VARCHAR(128))",
]


def command(uri: str, folder: Path) -> subprocess.Popen[str]:
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "MESSENGER_SQLALCHEMY_DATABASE_URI": uri,
        "MESSENGER_SECRET_KEY": "k" * 32,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "messenger_api", "db", "upgrade"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def tables(server: MariaDB, name: str) -> set[object]:
    return {row[0] for row in server.query("SHOW TABLES", database=name)}


@pytest.fixture(scope="module")
def whole(mariadb: MariaDB) -> Iterator[dict[str, list[tuple[object, ...]]]]:
    """What an upgrade makes that nobody disturbs."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    mariadb.create_database(name)
    engine = product_engine(mariadb.uri(name))
    Schema(Database(engine)).upgrade()
    engine.dispose()
    yield facts(mariadb, name)
    mariadb.drop_database(name)


# Killed


@pytest.mark.long
@pytest.mark.parametrize("seed", some(range(20), 3))
def test_an_upgrade_that_is_killed_goes_on_where_it_stopped(
    seed: int,
    mariadb: MariaDB,
    new_database: Callable[[], str],
    whole: dict[str, list[tuple[object, ...]]],
    tmp_path: Path,
) -> None:
    """kill -9 between two of its statements, or in the middle of one."""
    name, chance = new_database(), random.Random(seed)
    # By how many tables there are, so that the moment lies within the work, however busy the machine.
    wanted, pause = chance.randrange(len(whole["tables"])), chance.random() / 10
    running = command(mariadb.uri(name), tmp_path)
    while running.poll() is None and len(tables(mariadb, name)) < wanted:
        time.sleep(0.001)
    time.sleep(pause)
    running.send_signal(signal.SIGKILL)
    running.communicate()

    again = command(mariadb.uri(name), tmp_path)
    said, _ = again.communicate(timeout=120)

    assert again.returncode == 0, said
    assert facts(mariadb, name) == whole


def statements_of_an_upgrade(uri: str, stop_after: int) -> int:
    """Run an upgrade that breaks off after so many statements; returns how many it made."""
    engine = product_engine(uri)
    made = 0

    class Killed(BaseException):
        pass

    @event.listens_for(engine, "after_cursor_execute")
    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        nonlocal made
        if statement.lstrip().split()[0].upper() in {"CREATE", "ALTER", "DROP", "UPDATE", "INSERT"}:
            made += 1
            if made > stop_after:
                raise Killed

    try:
        Schema(Database(engine)).upgrade()
    except Killed:
        pass
    finally:
        engine.dispose()
    return made


@pytest.mark.long
def test_an_upgrade_goes_on_after_each_of_its_statements(
    mariadb: MariaDB, new_database: Callable[[], str], whole: dict[str, list[tuple[object, ...]]]
) -> None:
    every = statements_of_an_upgrade(mariadb.uri(new_database()), 10_000)
    assert every > 40
    for stop_after in some(range(every), 6):
        name = new_database()
        statements_of_an_upgrade(mariadb.uri(name), stop_after)
        statements_of_an_upgrade(mariadb.uri(name), 10_000)
        assert facts(mariadb, name) == whole, stop_after


# Others


def test_of_two_upgrades_at_once_one_waits(
    mariadb: MariaDB,
    new_database: Callable[[], str],
    whole: dict[str, list[tuple[object, ...]]],
    tmp_path: Path,
) -> None:
    name = new_database()
    both = [command(mariadb.uri(name), tmp_path) for _ in range(2)]
    said = [one.communicate(timeout=120)[0] for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    assert facts(mariadb, name) == whole


def test_a_table_that_others_hold_is_waited_for_with_a_line_and_not_for_ever(
    mariadb: MariaDB, new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upgrading, "TRY_SECONDS", 1)
    monkeypatch.setattr(upgrading, "WAIT_SECONDS", 2)
    name = new_database()
    engine = product_engine(mariadb.uri(name))
    upgrade_to(engine, "0002")
    holder = pymysql.connect(host=LOOPBACK, port=mariadb.port, user="root", database=name)
    lines: list[str] = []
    with closing(holder), holder.cursor() as cursor:
        cursor.execute("SELECT * FROM chat_groups")  # in a transaction that nobody ends
        with pytest.raises(UpgradeRefused, match="again"):
            Schema(Database(engine)).upgrade(lines.append)
    assert any("in use" in line for line in lines)
    Schema(Database(engine)).upgrade(lines.append)
    assert Schema(Database(engine)).is_current()
    engine.dispose()


def test_a_sqlite_file_that_others_hold_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messenger_api.storage.schema.TRY_SECONDS", 0.2)
    monkeypatch.setattr(upgrading, "WAIT_SECONDS", 1)
    uri = f"sqlite:///{tmp_path / 'messenger.sqlite3'}"
    holder, engine = create_engine(uri), product_engine(uri)
    lines: list[str] = []
    with holder.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(UpgradeRefused):
            Schema(Database(engine)).upgrade(lines.append)
    assert lines
    Schema(Database(engine)).upgrade()
    for one in (holder, engine):
        one.dispose()


# Tables of somebody else's


@pytest.mark.parametrize("made", [PHP_DEMO, PHP_DEMO[:1], PHP_DEMO[2:3], ["CREATE TABLE sessions (id INT)"]])
def test_tables_of_somebody_else_stop_the_upgrade_before_it_makes_any(
    mariadb: MariaDB, new_database: Callable[[], str], made: list[str], tmp_path: Path
) -> None:
    name = new_database()
    for statement in made:
        mariadb.query(statement, database=name)
    before = facts(mariadb, name)
    running = command(mariadb.uri(name), tmp_path)
    said, _ = running.communicate(timeout=60)
    assert running.returncode == 1
    assert "Use an empty one" in said
    assert "Traceback" not in said
    assert ("PHP demo" in said) is (made is PHP_DEMO)
    assert facts(mariadb, name) == before


@pytest.mark.parametrize("made", [PHP_DEMO, ["CREATE TABLE mine (id INT)"], []])
def test_the_schema_file_makes_nothing_beside_other_tables(
    mariadb: MariaDB, new_database: Callable[[], str], made: list[str]
) -> None:
    name = new_database()
    for statement in made:
        mariadb.query(statement, database=name)
    before = facts(mariadb, name)
    loaded = load_by_hand(mariadb, name)
    if made:
        assert loaded.returncode != 0
        assert "Use an empty database" in loaded.stderr
        assert facts(mariadb, name) == before
    else:
        assert loaded.returncode == 0, loaded.stderr


def test_tables_of_others_with_other_names_are_left_alone(
    mariadb: MariaDB, new_database: Callable[[], str]
) -> None:
    name = new_database()
    mariadb.query("CREATE TABLE wp_posts (id INT)", database=name)
    engine = product_engine(mariadb.uri(name))
    Schema(Database(engine)).upgrade()
    assert "wp_posts" in tables(mariadb, name)
    engine.dispose()


def test_a_php_demo_in_sqlite_is_refused_too(tmp_path: Path) -> None:
    engine = product_engine(f"sqlite:///{tmp_path / 'messenger.sqlite3'}")
    with engine.connect() as connection:
        for statement in PHP_DEMO:
            connection.execute(text(statement))
    with pytest.raises(UpgradeRefused, match="PHP demo"):
        Schema(Database(engine)).upgrade()
    engine.dispose()

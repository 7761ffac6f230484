"""The host list: servers that come and go, refuse to write, or say nothing."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from sqlalchemy import Connection, create_engine

from messenger_api import configuration
from messenger_api.domain.errors import TryLater
from messenger_api.storage import db as databases
from messenger_api.storage import hosts
from messenger_api.storage.db import Database
from tests.servers import LOOPBACK, MariaDB, free_port
from tests.stopwatch import Stopwatch

pytestmark = pytest.mark.server

NAME = "messenger_hosts"
Connected = Callable[..., Database]


@pytest.fixture(scope="module")
def first() -> Iterator[MariaDB]:
    """The server that stands first in the list, which these tests may break."""
    with MariaDB() as own:
        yield prepared(own)


@pytest.fixture(scope="module")
def second() -> Iterator[MariaDB]:
    """The server that takes over."""
    with MariaDB() as own:
        yield prepared(own)


def prepared(server: MariaDB) -> MariaDB:
    server.create_database(NAME)
    server.query(f"CREATE TABLE {NAME}.notes (id INT PRIMARY KEY)")
    # Nobody who is above `read_only`, as root is.
    server.query("CREATE USER messenger@'127.0.0.1' IDENTIFIED BY 'secret'")
    server.query(f"GRANT ALL ON {NAME}.* TO messenger@'127.0.0.1'")
    return server


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> Iterator[Connected]:
    """The product's database on a list of ports."""
    made: list[Database] = []
    monkeypatch.setattr(hosts, "PAUSE_SECONDS", 0.5)

    def connect(*ports: int) -> Database:
        names = ",".join(f"{LOOPBACK}:{port}" for port in ports)
        keys = {"db_host": names, "db_name": NAME, "db_user": "messenger", "db_pass": "secret"}
        settings = configuration.build(secret_key="k" * 32, **keys)
        engine = create_engine(settings.database_uri, **databases.engine_options(settings))
        databases.prepare(engine, settings)
        made.append(Database(engine))
        return made[-1]

    yield connect
    for database in made:
        database.engine.dispose()


def port_of(database: Database) -> int:
    return database.run(lambda tx: int(tx.exec_driver_sql("SELECT @@port").scalar_one()))


def write(database: Database) -> int:
    """Write in a transaction; the port of the server that took it."""

    def work(tx: Connection, _now: int) -> int:
        tx.exec_driver_sql("REPLACE INTO notes VALUES (1)")
        return int(tx.exec_driver_sql("SELECT @@port").scalar_one())

    return database.write(work)


def test_a_server_that_turns_read_only_is_left_by_the_connections_that_are_open(
    first: MariaDB, second: MariaDB, connected: Connected
) -> None:
    database = connected(first.port, second.port)
    assert write(database) == first.port
    first.query("SET GLOBAL read_only = 1")
    try:
        assert write(database) == second.port
        assert port_of(connected(first.port, second.port)) == second.port
    finally:
        first.query("SET GLOBAL read_only = 0")


def test_the_first_server_is_taken_again_when_it_is_back(
    first: MariaDB, second: MariaDB, connected: Connected
) -> None:
    database = connected(first.port, second.port)
    assert port_of(database) == first.port
    first.kill()
    try:
        assert write(database) == second.port
    finally:
        first.start()
    time.sleep(0.6)
    assert write(database) == first.port


def test_a_silent_server_costs_its_time_once_and_is_then_passed_over(
    second: MariaDB, connected: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosts, "PAUSE_SECONDS", 60)
    with closing(socket.create_server((LOOPBACK, 0))) as silent:
        database = connected(silent.getsockname()[1], second.port)
        assert port_of(database) == second.port
        database.engine.dispose()
        watch = Stopwatch()
        assert port_of(database) == second.port
        assert watch.quiet_seconds < 1


def test_when_all_are_paused_they_are_tried_all_the_same(first: MariaDB, connected: Connected) -> None:
    database = connected(free_port(), first.port)
    first.kill()
    try:
        with pytest.raises(TryLater):
            port_of(database)
    finally:
        first.start()
    assert port_of(database) == first.port


@pytest.mark.parametrize("code", [1047, 1053, 1290, 1836])
def test_a_server_that_cannot_be_used_is_asked_again_on_a_new_connection(
    first: MariaDB, connected: Connected, code: int
) -> None:
    database = connected(first.port)
    seen: list[int] = []

    def work(tx: Connection) -> int:
        seen.append(int(tx.exec_driver_sql("SELECT connection_id()").scalar_one()))
        if len(seen) == 1:
            refusal = f"SIGNAL SQLSTATE '08S01' SET MYSQL_ERRNO = {code}, MESSAGE_TEXT = 'not now'"
            tx.exec_driver_sql(f"BEGIN NOT ATOMIC {refusal}; END")
        return len(seen)

    assert database.run(work) == 2
    assert seen[0] != seen[1]


@pytest.mark.parametrize("code", [1213, 1205, 1020])
def test_a_conflict_with_others_is_tried_again(first: MariaDB, connected: Connected, code: int) -> None:
    tries: list[int] = []

    def work(tx: Connection, _now: int) -> int:
        tries.append(1)
        if len(tries) == 1:
            refusal = f"SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = {code}, MESSAGE_TEXT = 'conflict'"
            tx.exec_driver_sql(f"BEGIN NOT ATOMIC {refusal}; END")
        return len(tries)

    assert connected(first.port).write(work) == 2


def test_a_connection_that_was_killed_is_not_noticed(first: MariaDB, connected: Connected) -> None:
    database = connected(first.port)
    number = database.run(lambda tx: tx.exec_driver_sql("SELECT connection_id()").scalar_one())
    first.query(f"KILL CONNECTION {number}")
    assert write(database) == first.port

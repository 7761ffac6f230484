"""Answers of the database come in any pieces, or break off: the same rows, or an error that tells so."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from messenger_api import configuration
from messenger_api.domain.errors import TryLater
from messenger_api.storage.binary import Outcome
from messenger_api.storage.db import Database, open_database
from messenger_api.storage.statements import command, send
from tests.processes import LOOPBACK
from tests.servers import MariaDB

pytestmark = pytest.mark.server

SELECT = "SELECT %s, repeat('ab', %s), x'00FF', NULL, seq FROM seq_1_to_40 ORDER BY seq"
LENGTH = 300
ROWS = [(7, "ab" * LENGTH, b"\x00\xff", None, number) for number in range(1, 41)]
SERVER_LOST = 2013


class Relay:
    """Stands before a server on a port of its own. Hands on what clients send as it comes, and what the
    server answers in pieces of `sizes`, in turn; after `most` bytes it ends both connections."""

    def __init__(self, port: int) -> None:
        self._behind = port
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        self.sizes: list[int] = []
        self.most: int | None = None
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        with client, socket.create_connection((LOOPBACK, self._behind)) as server:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sending = threading.Thread(target=self._hand_on, args=(self._as_it_is, client, server))
            sending.start()
            self._hand_on(self._cut, server, client)
            sending.join()

    def _hand_on(
        self, give: Callable[[bytes, socket.socket], None], source: socket.socket, target: socket.socket
    ) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                give(data, target)
        for side in (source, target):
            with suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)

    def _as_it_is(self, data: bytes, target: socket.socket) -> None:
        target.sendall(data)

    def _cut(self, data: bytes, target: socket.socket) -> None:
        place = turn = 0
        while place < len(data):
            size = self.sizes[turn % len(self.sizes)] if self.sizes else len(data)
            piece = data[place : place + size]
            if self.most is not None:
                piece, self.most = piece[: self.most], self.most - len(piece)
            target.sendall(piece)
            if self.most is not None and self.most <= 0:
                raise OSError("cut")
            place, turn = place + size, turn + 1


@pytest.fixture(scope="module")
def relay(mariadb: MariaDB) -> Iterator[Relay]:
    made = Relay(mariadb.port)
    yield made
    made.close()


@pytest.fixture(scope="module")
def database(mariadb: MariaDB, relay: Relay) -> Iterator[Database]:
    uri = mariadb.uri("mysql", "pymysql").replace(f":{mariadb.port}/", f":{relay.port}/")
    made = open_database(configuration.build(secret_key="k" * 32, sqlalchemy_database_uri=uri))
    yield made
    made.engine.dispose()


@pytest.fixture
def prepared(database: Database, relay: Relay) -> Database:
    """With a statement that its one connection has prepared."""
    relay.sizes, relay.most = [], None
    database.engine.dispose()
    for _ in range(3):
        assert list(map(tuple, database.run(ask).rows)) == ROWS
    return database


def ask(tx: Connection) -> Outcome:
    return send(tx, SELECT, (7, LENGTH))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.integers(1, 700), min_size=1, max_size=8))
def test_an_answer_is_the_same_in_whatever_pieces_it_comes(
    prepared: Database, relay: Relay, sizes: list[int]
) -> None:
    relay.sizes = sizes
    assert list(map(tuple, prepared.run(ask).rows)) == ROWS
    relay.sizes = []


@pytest.mark.parametrize("most", [1, 3, 4, 5, 9, 60, 200, 400, 5_000, 20_000])
def test_an_answer_that_breaks_off_is_a_lost_connection(prepared: Database, relay: Relay, most: int) -> None:
    def broken(tx: Connection) -> None:
        relay.most = most
        with pytest.raises(OperationalError) as raised:
            ask(tx)
        relay.most = None
        assert raised.value.orig
        assert raised.value.orig.args[0] == SERVER_LOST
        assert raised.value.connection_invalidated

    prepared.run(broken)
    assert list(map(tuple, prepared.run(ask).rows)) == ROWS


@pytest.mark.parametrize("most", [1, 4, 400, 20_000])
def test_a_call_whose_answer_breaks_off_has_it_from_another_connection(
    prepared: Database, relay: Relay, most: int
) -> None:
    def first_broken(tx: Connection) -> Outcome:
        found = ask(tx)
        relay.most = None
        return found

    relay.most = most
    with suppress(TryLater):  # where the new connection is cut as well
        prepared.run(first_broken)
    relay.most = None
    assert list(map(tuple, prepared.run(ask).rows)) == ROWS


def test_a_connection_that_the_server_ended_meanwhile_is_left(prepared: Database, mariadb: MariaDB) -> None:
    number = prepared.run(lambda tx: send(tx, "SELECT connection_id()").rows[0][0])
    mariadb.query(f"KILL CONNECTION {number}")
    assert list(map(tuple, prepared.run(ask).rows)) == ROWS


def sleep_prepared(tx: Connection) -> None:
    send(tx, "SELECT sleep(%s)", (2,))


def sleep_plainly(tx: Connection) -> None:
    command(tx, "DO sleep(2)")


@pytest.mark.parametrize("sleep", [sleep_prepared, sleep_plainly])
def test_a_server_that_is_silent_is_given_up(prepared: Database, sleep: Callable[[Connection], None]) -> None:
    def silent(tx: Connection) -> None:
        for _ in range(3):
            send(tx, "SELECT sleep(%s)", (0,))
        inner = tx.connection.driver_connection
        assert inner
        inner._read_timeout = 0.3
        with pytest.raises(OperationalError) as raised:
            sleep(tx)
        assert raised.value.orig
        assert raised.value.orig.args[0] == SERVER_LOST

    prepared.run(silent)
    assert list(map(tuple, prepared.run(ask).rows)) == ROWS


def test_a_command_that_brings_rows_is_an_error_and_leaves_no_rest(prepared: Database) -> None:
    def work(tx: Connection) -> None:
        with pytest.raises(OperationalError):
            command(tx, "SELECT 1")

    prepared.run(work)
    assert list(map(tuple, prepared.run(ask).rows)) == ROWS


def test_an_interrupted_call_leaves_no_rest_of_its_answer(prepared: Database) -> None:
    """What ends a thread from outside may come while an answer is read."""

    class Ended(BaseException):
        pass

    def interrupted(tx: Connection) -> None:
        inner = tx.connection.driver_connection
        assert inner
        sock = inner._sock

        class Interrupting:
            def recv(self, _size: int) -> bytes:
                raise Ended

            def __getattr__(self, name: str) -> object:
                return getattr(sock, name)

        inner._sock = Interrupting()
        ask(tx)

    with pytest.raises(Ended):
        prepared.run(interrupted)
    assert list(map(tuple, prepared.run(ask).rows)) == ROWS

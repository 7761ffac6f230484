"""Statements that MariaDB keeps prepared find the same as those sent whole, and their end costs no call."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from unittest import mock

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from messenger_api import configuration
from messenger_api.storage import prepared
from messenger_api.storage.db import Database, open_database
from messenger_api.storage.prepared import PREPARED, Prepared, keeps_statements
from messenger_api.storage.statements import Outcome, send
from tests.conftest import DRIVERS
from tests.servers import MariaDB

pytestmark = pytest.mark.server

KINDS = ("big BIGINT", "small INT UNSIGNED", "words TEXT", "bytes VARBINARY(300)", "marks VARCHAR(80)")
NAMES = ", ".join(kind.split()[0] for kind in KINDS)
# Once whole, once when it is prepared, and once by its name alone.
TIMES = 3
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=70)
ROWS = st.tuples(
    st.integers(-(2**63), 2**63 - 1) | st.none(),
    st.integers(0, 2**32 - 1) | st.none(),
    WORDS | st.none(),
    st.binary(max_size=300) | st.none(),
    WORDS | st.none(),
)
ODD = "%s %% ? ?? ' \" \\ \\' \x00 \n \r \x1a ; -- /* :a @b 😀 ß ﬃ"


@pytest.fixture(scope="module", params=DRIVERS.values())
def database(request: pytest.FixtureRequest, mariadb: MariaDB) -> Iterator[Database]:
    name = f"prepared_{uuid.uuid4().hex[:8]}"
    mariadb.create_database(name)
    mariadb.run([f"CREATE TABLE notes (id INT PRIMARY KEY AUTO_INCREMENT, {', '.join(KINDS)})"], name)
    uri = mariadb.uri(name, request.param)
    made = open_database(configuration.build(secret_key="k" * 32, sqlalchemy_database_uri=uri))
    yield made
    made.engine.dispose()
    mariadb.drop_database(name)


def prepared_here(tx: Connection) -> int:
    """How many statements have been prepared on this connection."""
    [(_name, count)] = send(tx, "SHOW SESSION STATUS LIKE 'Com_prepare_sql'").rows
    return int(count)


def alike(tx: Connection, sql: str, values: tuple[object, ...]) -> Outcome:
    """The outcome of a statement, which is the same each time."""
    first, *others = (send(tx, sql, values) for _ in range(TIMES))
    assert all(list(map(tuple, other.rows)) == list(map(tuple, first.rows)) for other in others)
    assert {other.changed for other in others} == {first.changed}
    return first


@settings(deadline=None)
@given(row=ROWS)
@example(row=(None, None, None, None, None))
@example(row=(-(2**63), 2**32 - 1, "", b"", ""))
@example(row=(0, 0, ODD, bytes(range(256)), ODD[:70]))
def test_what_is_written_and_found_is_the_same_by_text_and_by_name(
    database: Database, row: tuple[object, ...]
) -> None:
    def work(tx: Connection) -> None:
        send(tx, "DELETE FROM notes", ())
        for _ in range(TIMES):
            added = send(tx, f"INSERT INTO notes ({NAMES}) VALUES (%s, %s, %s, %s, %s)", row)
            assert added.changed == 1
            assert added.new_id
        assert list(map(tuple, send(tx, f"SELECT {NAMES} FROM notes", ()).rows)) == [row] * TIMES
        for name, value in zip(NAMES.split(", "), row, strict=True):
            found = alike(
                tx, f"SELECT {NAMES} FROM notes WHERE {name} <=> %s ORDER BY id LIMIT %s", (value, 2)
            )
            assert tuple(found.rows[0]) == row
            assert len(found.rows) == 2
        alike(
            tx, "SELECT concat_ws(char(0), %s, hex(%s)), words LIKE %s FROM notes", (row[2], row[3], row[4])
        )

    database.run(work)


@pytest.mark.parametrize("length", [250, 251, 65_535, 65_536, 2_000_000])
def test_long_values_come_back_whole(database: Database, length: int) -> None:
    text = ("ä%s?" * length)[:length]
    assert (
        database.run(lambda tx: alike(tx, "SELECT %s, length(%s)", (text, text.encode()))).rows[0][0] == text
    )


def test_a_statement_is_prepared_once_a_connection(database: Database) -> None:
    def work(tx: Connection) -> int:
        before = prepared_here(tx)
        for number in range(20):
            assert send(tx, "SELECT %s + 1", (number,)).rows[0][0] == number + 1
        return prepared_here(tx) - before

    database.engine.dispose()
    assert database.run(work) == 1
    database.engine.dispose()
    assert database.run(work) == 1


def test_texts_that_are_long_or_too_many_are_sent_whole(database: Database) -> None:
    def work(tx: Connection) -> int:
        for number in range(prepared.MOST + 5):
            alike(tx, f"SELECT {number}, %s", (1,))
        alike(tx, "SELECT " + "1, " * prepared.LONGEST + "%s", (1,))
        return prepared_here(tx)

    database.engine.dispose()
    assert database.run(work) == prepared.MOST


def test_a_server_that_keeps_no_more_statements_is_sent_them_whole(
    database: Database, mariadb: MariaDB
) -> None:
    database.engine.dispose()
    mariadb.query("SET GLOBAL max_prepared_stmt_count = 0")
    try:
        assert database.run(lambda tx: alike(tx, "SELECT %s", (7,))).rows[0][0] == 7
        assert database.write(lambda tx, _now: alike(tx, "SELECT %s", ("x",))).rows[0][0] == "x"
    finally:
        mariadb.query("SET GLOBAL max_prepared_stmt_count = DEFAULT")


def test_a_connection_behind_which_another_server_stands_is_left(database: Database) -> None:
    """As a proxy does that has lost the one before."""

    def forgotten(tx: Connection) -> None:
        alike(tx, "SELECT %s", (7,))
        for number in range(1, prepared.MOST + 1):
            with mock.patch.object(Prepared, "text", lambda _self, sql, *_: sql):
                send(tx, f"PREPARE p{number} FROM 'SELECT 1'")
                send(tx, f"DEALLOCATE PREPARE p{number}")

    database.engine.dispose()
    database.run(forgotten)
    assert database.run(lambda tx: send(tx, "SELECT %s", (8,))).rows[0][0] == 8
    assert database.run(prepared_here) == 0


def test_an_error_is_the_same_by_name_and_the_connection_stays(database: Database) -> None:
    def work(tx: Connection) -> None:
        send(tx, "DELETE FROM notes", ())
        insert = "INSERT INTO notes (id, words) VALUES (%s, %s)"
        send(tx, insert, (1, "a"))
        for _ in range(TIMES):
            with pytest.raises(IntegrityError) as raised:
                send(tx, insert, (1, "secret"))
            assert raised.value.orig
            assert raised.value.orig.args[0] == 1062
            assert "secret" not in str(raised.value)
        assert send(tx, "SELECT count(*) FROM notes", ()).rows[0][0] == 1

    database.run(work)


def test_a_table_that_is_altered_meanwhile_is_read_as_it_is_now(database: Database) -> None:
    def work(tx: Connection) -> None:
        send(tx, "DELETE FROM notes", ())
        send(tx, "INSERT INTO notes (words) VALUES (%s)", ("a",))
        alike(tx, "SELECT * FROM notes WHERE words = %s", ("a",))
        send(tx, "ALTER TABLE notes ADD COLUMN added INT NOT NULL DEFAULT 5")
        assert send(tx, "SELECT * FROM notes WHERE words = %s", ("a",)).rows[0][-1] == 5
        send(tx, "ALTER TABLE notes DROP COLUMN added")

    database.run(work)


def test_mysql_is_sent_whole_texts() -> None:
    def server(version: str) -> mock.Mock:
        return mock.Mock(get_server_info=lambda: version)

    assert [keeps_statements(server(name)) for name in ("10.11.19-MariaDB-log", "8.4.3", "26.7.0")] == [
        True,
        False,
        False,
    ]


def test_every_connection_to_mariadb_is_known_to_keep_statements(database: Database) -> None:
    assert database.run(lambda tx: isinstance(tx.info[PREPARED], Prepared))

"""Statements that a server keeps prepared find the same as those sent whole, and their end costs no call."""

from __future__ import annotations

import datetime
import threading
import uuid
from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError

from messenger_api import configuration
from messenger_api.storage import prepared
from messenger_api.storage.binary import Outcome
from messenger_api.storage.db import Database, open_database
from messenger_api.storage.prepared import PREPARED, Prepared
from messenger_api.storage.statements import command, send
from messenger_api.storage.wire import LONGEST
from tests.conftest import DRIVERS
from tests.servers import MariaDB, wait_for

pytestmark = pytest.mark.server

KINDS = ("big BIGINT", "small INT UNSIGNED", "words TEXT", "bytes VARBINARY(300)", "marks VARCHAR(80)")
NAMES = ", ".join(kind.split()[0] for kind in KINDS)
# Once whole, once when it is prepared, and once more.
TIMES = 3
WAITING = (
    "SELECT 1 FROM information_schema.processlist WHERE info LIKE %s AND state LIKE 'Waiting for table%%'"
)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=70)
ROWS = st.tuples(
    st.integers(-(2**63), 2**63 - 1) | st.none(),
    st.integers(0, 2**32 - 1) | st.none(),
    WORDS | st.none(),
    st.binary(max_size=300) | st.none(),
    WORDS | st.none(),
)
ODD = "%s %% ? ?? ' \" \\ \\' \x00 \n \r \x1a ; -- /* :a @b 😀 ß ﬃ"


@pytest.fixture(scope="module")
def database(mariadb: MariaDB) -> Iterator[Database]:
    name = f"prepared_{uuid.uuid4().hex[:8]}"
    mariadb.create_database(name)
    mariadb.run([f"CREATE TABLE notes (id INT PRIMARY KEY AUTO_INCREMENT, {', '.join(KINDS)})"], name)
    made = opened(mariadb.uri(name, "pymysql"))
    yield made
    made.engine.dispose()
    mariadb.drop_database(name)


def opened(uri: str) -> Database:
    return open_database(configuration.build(secret_key="k" * 32, sqlalchemy_database_uri=uri))


def prepared_here(tx: Connection) -> int:
    """How many statements have been prepared on this connection."""
    [(_name, count)] = send(tx, "SHOW SESSION STATUS LIKE 'Com_stmt_prepare'").rows
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
def test_what_is_written_and_found_is_the_same_whole_and_prepared(
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
        assert (
            len(alike(tx, "SELECT id FROM notes WHERE 'as said' LIKE '%%said' AND 1 = %s", (1,)).rows)
            == TIMES
        )
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
        for statement in tx.info[PREPARED]._found.values():
            statement.close()

    database.engine.dispose()
    database.run(forgotten)
    assert database.run(lambda tx: send(tx, "SELECT %s", (8,))).rows[0][0] == 8
    assert database.run(prepared_here) == 0


def test_an_error_is_the_same_when_prepared_and_the_connection_stays(database: Database) -> None:
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


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("TINYINT", -128),
        ("TINYINT UNSIGNED", 255),
        ("SMALLINT", -32768),
        ("SMALLINT UNSIGNED", 65535),
        ("MEDIUMINT", -(2**23)),
        ("MEDIUMINT UNSIGNED", 2**24 - 1),
        ("INT", -(2**31)),
        ("INT UNSIGNED", 2**32 - 1),
        ("BIGINT", -(2**63)),
        ("BIGINT UNSIGNED", 2**64 - 1),
        ("YEAR", 2026),
        ("DECIMAL(30, 5)", Decimal("-1234567890123456789012345.12345")),
        ("CHAR(5) CHARACTER SET latin1", "äöü"),
        ("BINARY(4)", b"a\x00b\x00"),
        ("LONGTEXT", "ß" * 300),
        ("MEDIUMBLOB", b"\xff" * 70_000),
        ("ENUM('one', 'two')", "two"),
        ("DOUBLE", 0.1),
        ("FLOAT", 0.5),
        ("DATE", datetime.date(2026, 12, 1)),
        ("DATETIME(3)", datetime.datetime.fromisoformat("2026-12-01T03:04:05.678")),
        ("TIME", datetime.timedelta(hours=-30)),
        ("JSON", '{"a": 1}'),
        ("BIT(9)", b"\x01\x02"),
    ],
)
def test_columns_of_every_type_are_read(database: Database, column: str, value: object) -> None:
    """Whole where the binary form is not read; what PyMySQL alone can write is written by it."""

    def work(tx: Connection) -> None:
        send(tx, "DROP TABLE IF EXISTS kinds")
        send(tx, f"CREATE TABLE kinds (held {column}, beside INT)")
        for _ in range(TIMES):
            send(tx, "INSERT INTO kinds VALUES (%s, %s)", (value, 5))
        send(tx, "INSERT INTO kinds VALUES (NULL, NULL)")
        rows = [*[(5, value, value, "x")] * TIMES, (None, None, None, "x")]
        found = alike(tx, "SELECT beside, held, held, 'x' FROM kinds WHERE 1 = %s", (1,))
        assert list(map(tuple, found.rows)) == rows

    database.engine.dispose()
    database.run(work)


def test_a_statement_that_cannot_be_prepared_anew_is_sent_whole(database: Database) -> None:
    """As MySQL answers where its cache of tables is too small."""

    def work(tx: Connection) -> None:
        send(tx, "DROP FUNCTION IF EXISTS fails_once")
        send(
            tx,
            "CREATE FUNCTION fails_once(value INT) RETURNS INT BEGIN"
            " IF @armed THEN SET @armed = 0; SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1615; END IF;"
            " RETURN value; END",
        )
        for armed in (0, 0, 1, 0):
            send(tx, f"SET @armed = {armed}")
            assert send(tx, "SELECT fails_once(%s)", (7,)).rows[0][0] == 7
        send(tx, "DROP FUNCTION fails_once")

    database.run(work)


def test_columns_whose_type_becomes_one_that_is_not_read_cost_a_connection(database: Database) -> None:
    def ask(tx: Connection) -> object:
        return send(tx, "SELECT held FROM kinds WHERE 1 = %s", (1,)).rows[0][0]

    def work(tx: Connection) -> None:
        send(tx, "CREATE OR REPLACE TABLE kinds AS SELECT 5 AS held")
        for _ in range(TIMES):
            assert ask(tx) == 5
        send(tx, "CREATE OR REPLACE TABLE kinds AS SELECT CAST(0.5 AS DOUBLE) AS held")

    database.run(work)
    for _ in range(TIMES):
        assert database.run(ask) == 0.5


@pytest.mark.parametrize(
    "value",
    [
        *(2**63, -(2**63) - 1, 0.5, Decimal("0.5"), datetime.date(2026, 12, 1)),
        *("x" * (2**24 - 100), "x" * 2**24, b"x" * (2**24 + 5)),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_values_that_are_not_sent_in_binary_are_sent_whole(
    database: Database, mariadb: MariaDB, value: object
) -> None:
    mariadb.query("SET GLOBAL max_allowed_packet = 67108864")
    database.engine.dispose()

    def work(tx: Connection) -> None:
        alike(tx, "SELECT length(%s)", (7,))
        [(whole,)] = tx.exec_driver_sql("SELECT length(%s)", (value,)).all()
        assert alike(tx, "SELECT length(%s)", (value,)).rows[0][0] == whole

    try:
        database.run(work)
    finally:
        mariadb.query("SET GLOBAL max_allowed_packet = DEFAULT")
        database.engine.dispose()


def test_rows_of_many_columns_have_their_nulls_where_they_are(database: Database) -> None:
    def work(tx: Connection) -> None:
        for count in range(1, 40):
            values = tuple(number if number % 3 else None for number in range(count))
            assert tuple(alike(tx, f"SELECT {', '.join(['%s'] * count)}", values).rows[0]) == values

    database.run(work)


def test_a_row_longer_than_a_packet_comes_whole(database: Database, mariadb: MariaDB) -> None:
    mariadb.query("SET GLOBAL max_allowed_packet = 67108864")
    try:
        database.engine.dispose()

        def work(tx: Connection) -> None:
            for size in (LONGEST - 6, LONGEST - 5, LONGEST, LONGEST * 2 - 5):
                [(text, behind)] = alike(tx, "SELECT repeat(x'FF', %s), %s", (size, "end")).rows
                assert (text, behind) == (b"\xff" * size, "end")

        database.run(work)
    finally:
        mariadb.query("SET GLOBAL max_allowed_packet = DEFAULT")
        database.engine.dispose()


def test_other_values_may_come_with_every_call(database: Database) -> None:
    """Their types and the answer's may be others than the time before."""

    def work(tx: Connection) -> None:
        for value in (1, "one", None, b"\xff", True, 2**62, "", "two"):
            assert send(tx, "SELECT %s, coalesce(%s, 5)", (value, value)).rows[0][0] == value

    database.run(work)


def test_transactions_begin_and_end(database: Database) -> None:
    def work(tx: Connection) -> None:
        send(tx, "DELETE FROM notes")
        for end, left in (("ROLLBACK", 0), ("COMMIT", 1)):
            command(tx, "BEGIN")
            send(tx, "INSERT INTO notes (words) VALUES (%s)", ("a",))
            command(tx, end)
            assert send(tx, "SELECT count(*) FROM notes", ()).rows[0][0] == left

    database.run(work)


@pytest.mark.parametrize("when", ["whole", "prepared now"])
def test_a_transaction_that_ends_where_a_statement_is_prepared_is_done_again(
    database: Database, mariadb: MariaDB, when: str
) -> None:
    """Another one renames both tables, and has the second when this one, which has the first, comes to it."""
    name = str(database.run(lambda tx: send(tx, "SELECT database()").rows[0][0]))
    for table in ("early", "late"):
        mariadb.query(f"CREATE OR REPLACE TABLE {table} (n INT)", database=name)
        mariadb.query(f"INSERT INTO {table} VALUES (0)", database=name)
    renaming = "RENAME TABLE early TO third, late TO early, third TO late"
    other = threading.Thread(target=lambda: mariadb.query(renaming, database=name))
    tries: list[int] = []

    def seen_once(tx: Connection) -> None:
        if when == "whole":
            tx.info.pop(PREPARED)
        send(tx, "UPDATE early SET n = n + %s", (0,))

    def work(tx: Connection, _now: int) -> None:
        tries.append(1)
        send(tx, "UPDATE late SET n = n + %s", (1,))
        if len(tries) == 1:
            other.start()
            wait_for(lambda: mariadb.query(WAITING, "RENAME%"), 5, "the other to wait")
        send(tx, "UPDATE early SET n = n + %s", (1,))

    database.engine.dispose()
    database.run(seen_once)
    database.write(work)
    other.join()
    found = [mariadb.query(f"SELECT n FROM {table}", database=name)[0][0] for table in ("late", "early")]
    database.engine.dispose()
    assert found == [1, 1], f"all or nothing, in {len(tries)} tries"


def test_texts_that_do_not_come_again_leave_room_for_those_that_do(database: Database) -> None:
    """Phone books are inserted by texts of their own, for so many rows each."""

    def work(tx: Connection) -> int:
        for rows in range(1, 260):
            marks = ", ".join(["(%s)"] * rows)
            send(tx, f"INSERT INTO notes (words) VALUES {marks}", ("a",) * rows)
        before = prepared_here(tx)
        alike(tx, "SELECT words FROM notes WHERE id = %s", (1,))
        return prepared_here(tx) - before

    database.engine.dispose()
    assert database.run(work) == 1


@pytest.mark.parametrize("first", [1, 252, 508])
def test_what_follows_a_first_answer_is_never_another_statements(database: Database, first: int) -> None:
    """A procedure's second answer; numbers of packets go to 255 and begin again."""
    body = f"SELECT seq FROM seq_1_to_{first}; SELECT repeat('z', 20000), 5 FROM seq_1_to_20"

    def work(tx: Connection) -> None:
        send(tx, f"CREATE OR REPLACE PROCEDURE two(n INT) BEGIN {body}; END")
        assert len(send(tx, "CALL two(%s)", (7,)).rows) == first
        with pytest.raises(OperationalError) as raised:
            send(tx, "CALL two(%s)", (7,))
        assert raised.value.connection_invalidated

    database.run(work)
    for _ in range(TIMES):
        assert database.run(lambda tx: send(tx, "SELECT %s, 5", ("asked",))).rows[0] == ("asked", 5)


@pytest.mark.parametrize("value", ["a\udc80b", "\ud800"])
def test_half_a_character_is_refused_and_costs_no_connection(database: Database, value: str) -> None:
    def work(tx: Connection) -> None:
        for _ in range(TIMES):
            with pytest.raises((StatementError, UnicodeEncodeError), match="surrogates"):
                send(tx, "INSERT INTO notes (words) VALUES (%s)", (value,))
            assert send(tx, "SELECT %s", (1,)).rows[0][0] == 1

    database.run(work)


def test_mysqlclient_is_sent_whole_texts(mariadb: MariaDB) -> None:
    database = opened(mariadb.uri("mysql", DRIVERS["mariadb-mysqlclient"]))
    assert database.run(lambda tx: alike(tx, "SELECT %s", (7,))).rows[0][0] == 7
    assert database.run(prepared_here) == 0
    assert not database.run(lambda tx: PREPARED in tx.info)
    database.engine.dispose()


def test_every_connection_of_pymysqls_has_statements_prepared(database: Database) -> None:
    """The version that is installed offers what `storage.wire` needs of it."""
    assert database.run(lambda tx: isinstance(tx.info[PREPARED], Prepared))

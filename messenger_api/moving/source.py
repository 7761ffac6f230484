"""The PHP demo's database, read in one session that cannot write and sees one moment of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from typing import Any

import pymysql
from pymysql.cursors import Cursor, SSCursor
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from messenger_api.moving.mended import Mended
from messenger_api.moving.rows import Book, GroupRow, MemberRow, PushRow, TokenRow, UserRow

CONNECT_SECONDS = 10
# Rows that are asked for at a time from those that the server sends.
AT_ONCE = 2_000
# Bytes of a phone book that the server joins into one text: 16 MB, a million numbers.
LONGEST_BOOK = 16 * 1024 * 1024
TABLES = ("users", "tokens", "contacts", "groups", "members", "notifytokens")

# What each table is asked for, by columns. One that an installation has not got is read as empty. Types are
# cast, for they were changed in some; a zero date is 0.
_BYTES = "COALESCE(CAST(`{0}` AS BINARY), '')"
_TEXT = "COALESCE(CAST(`{0}` AS CHAR), '')"
_NUMBER = "COALESCE(CAST(`{0}` AS SIGNED), 0)"
_SECOND = "COALESCE(UNIX_TIMESTAMP(`{0}`), 0)"
_WANTED: Mapping[str, Mapping[str, str]] = {
    "users": {
        "uid": _NUMBER,
        "phone": _TEXT,
        "name": _BYTES,
        "status": _BYTES,
        "photo": _TEXT,
        "ts": _NUMBER,
    },
    "tokens": {"uid": _NUMBER, "token": _TEXT, "updatetime": _SECOND, "device": _NUMBER},
    "notifytokens": {"uid": _NUMBER, "token": _TEXT, "device": _NUMBER, "production": _NUMBER},
    "groups": {"gid": _NUMBER, "name": _BYTES, "photo": _TEXT, "ts": _NUMBER},
    "members": {"gid": _NUMBER, "phone": _TEXT, "role": _NUMBER},
}
_NEEDED = {"users": ("uid", "phone"), "contacts": ("uid", "phone")}


class SourceError(Exception):
    """The source cannot be read; the text says why, without a password."""


def address_of(uri: str) -> URL:
    """The parts of `mysql://user:password@host/database`. Raises SourceError: it is no such address."""
    try:
        url = make_url(uri)
    except (ArgumentError, ValueError):
        url = None
    if url is None or not url.drivername.startswith(("mysql", "mariadb")) or not url.database:
        raise SourceError("--from is to be mysql://user:password@host/database")
    return url


class Source:
    """The demo's tables. Everything is read as it was when `open` came back.

    Rows that an operator has mended stand in the place of those that were read.
    """

    def __init__(self, uri: str, mended: Mended) -> None:
        self._url = address_of(uri)
        self._mended = mended
        self._columns: dict[str, set[str]] = {}
        self._connection: pymysql.Connection[Cursor]

    @property
    def name(self) -> str:
        """Host and database, without user and password."""
        return f"{self._url.host or 'localhost'}/{self._url.database}"

    def open(self) -> None:
        """Connect, and begin to see one moment. Raises SourceError."""
        url = self._url
        try:
            self._connection = pymysql.connect(
                host=url.host or "localhost",
                port=url.port or 3306,
                user=url.username,
                password=url.password or "",
                database=url.database,
                unix_socket=url.query.get("unix_socket"),
                charset="utf8mb4",
                connect_timeout=CONNECT_SECONDS,
                cursorclass=Cursor,
            )
            self._begin()
        except pymysql.MySQLError as error:
            raise SourceError(f"{self.name}: {_said(error)}") from error
        missing = [f"{t}.{c}" for t, need in _NEEDED.items() for c in need if c not in self._columns[t]]
        if missing:
            raise SourceError(f"{self.name} is no database of the PHP demo: there is no {missing[0]}")

    def close(self) -> None:
        """End the session."""
        self._connection.close()

    def counts(self) -> dict[str, int]:
        """How many rows each table has; 0 for one that is not there."""
        return {t: self._one(f"SELECT COUNT(*) FROM `{t}`") if self._columns[t] else 0 for t in TABLES}  # noqa: S608

    def absent(self) -> list[str]:
        """Tables, and columns in those that are there, which this installation has not got."""
        tables = [table for table in TABLES if not self._columns[table]]
        columns = [
            f"{table}.{column}"
            for table, wanted in _WANTED.items()
            for column in wanted
            if self._columns[table] and column not in self._columns[table]
        ]
        return tables + columns

    def users(self) -> Iterator[UserRow]:
        """Accounts in the order of their uids."""
        for uid, phone, name, status, photo, ts in self._rows("users", " ORDER BY uid"):
            row = UserRow(uid, phone, name, status, photo, ts)
            yield self._mended.applied("users", str(uid), row)

    def tokens(self) -> Iterator[TokenRow]:
        """Sessions in the order of their uids."""
        for row in self._rows("tokens", " ORDER BY uid"):
            yield self._mended.applied("tokens", str(row[0]), TokenRow(*row))

    def push_tokens(self) -> Iterator[PushRow]:
        """Push tokens in the order of their uids."""
        for row in self._rows("notifytokens", " ORDER BY uid"):
            yield self._mended.applied("notifytokens", str(row[0]), PushRow(*row))

    def books(self) -> Iterator[Book]:
        """Phone books in the order of their owners' uids."""
        joined = "CAST(GROUP_CONCAT(COALESCE(phone, '')) AS CHAR)"
        query = f"SELECT COALESCE(uid, 0), {joined} FROM contacts GROUP BY uid ORDER BY uid"  # noqa: S608
        moved: dict[int, list[str]] = {}
        for uid, text in self._streamed(query):
            yield self._mended.without(Book(int(uid), text.split(",")), moved)
        yield from (Book(uid, phones) for uid, phones in sorted(moved.items()))

    def groups(self) -> Iterator[GroupRow]:
        """Groups in the order of their gids."""
        for row in self._rows("groups", " ORDER BY gid"):
            yield self._mended.applied("groups", str(row[0]), GroupRow(*row))

    def members(self) -> Iterator[MemberRow]:
        """Members in the order in which the table holds them, as the demo tells them to apps."""
        for row in self._rows("members", ""):
            member = MemberRow(*row)
            yield self._mended.applied("members", f"{member.gid}/{member.phone}", member)

    def _begin(self) -> None:
        with closing(self._connection.cursor()) as cursor:
            # Whatever this program asks for, the server refuses it if it would change anything.
            cursor.execute("SET SESSION TRANSACTION READ ONLY")
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute(f"SET SESSION sql_mode = '', group_concat_max_len = {LONGEST_BOOK}")
            cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
            for table in TABLES:
                cursor.execute(
                    "SELECT column_name FROM information_schema.columns"
                    " WHERE table_schema = DATABASE() AND table_name = %s",
                    (table,),
                )
                self._columns[table] = {str(name).lower() for (name,) in cursor.fetchall()}

    def _rows(self, table: str, order: str) -> Iterator[tuple[Any, ...]]:
        known = self._columns[table]
        if not known:
            return iter(())
        wanted = _WANTED[table]
        columns = [how.format(name) if name in known else _empty(how) for name, how in wanted.items()]
        return self._streamed(f"SELECT {', '.join(columns)} FROM `{table}`{order}")  # noqa: S608

    def _streamed(self, query: str) -> Iterator[tuple[Any, ...]]:
        with self._cursor(SSCursor) as cursor:
            cursor.execute(query)
            while rows := cursor.fetchmany(AT_ONCE):
                yield from rows

    def _one(self, query: str) -> int:
        with self._cursor(Cursor) as cursor:
            cursor.execute(query)
            return int((cursor.fetchone() or (0,))[0])

    @contextmanager
    def _cursor(self, kind: type[Cursor]) -> Iterator[Cursor]:
        """A cursor. Raises SourceError for whatever goes wrong: what was read so far is of no use alone."""
        cursor = self._connection.cursor(kind)
        try:
            yield cursor
        except pymysql.MySQLError as error:
            raise SourceError(f"{self.name}: {_said(error)}") from error
        finally:
            # Where the connection is lost there is nothing to close.
            with suppress(pymysql.MySQLError):
                cursor.close()


def _empty(how: str) -> str:
    return "0" if how in (_NUMBER, _SECOND) else "CAST('' AS BINARY)" if how == _BYTES else "''"


def _said(error: pymysql.MySQLError) -> str:
    """What the server, or the library, says in a line."""
    return str(error.args[-1] if error.args else error).partition("\n")[0]

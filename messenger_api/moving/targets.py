"""Where moved rows go: nowhere, into side tables, or into the product's own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, Table

from messenger_api.storage import moved
from messenger_api.storage.moved import COLUMNS, Row

# Rows of a statement, each of which is a transaction: 20,000 contacts are 900 KB, under MySQL's
# `max_allowed_packet`. The rows of other tables hold texts.
CONTACTS_AT_ONCE = 20_000
AT_ONCE = 1_000
# A thumbnail has up to 3,000 characters.
THUMBNAILS_AT_ONCE = 300
# What the rows of a table refer to, where both come at the same time.
PARENTS = {"group_members": "chat_groups"}


class Target(ABC):
    """Takes rows, with the values of `storage.moved.COLUMNS`."""

    @abstractmethod
    def add(self, table: str, row: Row) -> None:
        """Take a row, to be written with others."""

    def flush(self, table: str) -> None:  # noqa: B027 - where nothing is written nothing waits
        """Write the rows of a table that wait."""


class Nowhere(Target):
    """Writes nothing: for a check."""

    def add(self, table: str, row: Row) -> None:
        """Let go of the row."""


class Written(Target):
    """Writes into tables of the database."""

    def __init__(self, connection: Connection, tables: dict[str, Table]) -> None:
        self._connection = connection
        self._tables = tables
        self._waiting: defaultdict[str, list[Row]] = defaultdict(list)

    def add(self, table: str, row: Row) -> None:
        """Take a row, to be written with others."""
        waiting = self._waiting[table]
        waiting.append(row)
        if len(waiting) >= _at_once(table):
            self._write(table, waiting)

    def flush(self, table: str) -> None:
        """Write the rows of a table that wait."""
        if waiting := self._waiting[table]:
            self._write(table, waiting)

    def _write(self, table: str, rows: Sequence[Row]) -> None:
        if table in PARENTS:
            self.flush(PARENTS[table])
        moved.add(self._connection, self._tables[table], COLUMNS[table], rows)
        self._waiting[table] = []


def _at_once(table: str) -> int:
    return {"contacts": CONTACTS_AT_ONCE, "thumbnails": THUMBNAILS_AT_ONCE}.get(table, AT_ONCE)


@contextmanager
def prepared(connection: Connection) -> Iterator[None]:
    """Meanwhile a connection writes quickly."""
    moved.prepare(connection)
    try:
        yield
    finally:
        if not connection.invalidated:
            moved.restore(connection)

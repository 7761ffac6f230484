"""Where moved rows go: nowhere, into side tables, or into the product's own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

from sqlalchemy import Connection, Table

from messenger_api.storage import moved
from messenger_api.storage.moved import COLUMNS, Row

# Rows of a statement, each of which is a transaction: 20,000 contacts are 900 KB, under MySQL's
# `max_allowed_packet`. The rows of other tables hold texts.
CONTACTS_AT_ONCE = 20_000
AT_ONCE = 1_000
# A thumbnail has up to 3,000 characters.
ROWS_AT_ONCE = {"contacts": CONTACTS_AT_ONCE, "thumbnails": 300}
# What the rows of a table refer to, where both come at the same time.
PARENTS = {"group_members": "chat_groups"}


class Target(ABC):
    """Takes rows, with the values of `storage.moved.COLUMNS`."""

    @abstractmethod
    def add(self, table: str, *rows: Row) -> None:
        """Take rows, to be written with others."""

    def flush(self, table: str) -> None:  # noqa: B027 - where nothing is written nothing waits
        """Write the rows of a table that wait."""

    def filling(self, _table: str) -> AbstractContextManager[None]:
        """While very many rows come into a table."""
        return nullcontext()


class Nowhere(Target):
    """Writes nothing: for a check."""

    def add(self, table: str, *rows: Row) -> None:
        """Let go of the rows."""


class Written(Target):
    """Writes into tables of the database."""

    def __init__(self, connection: Connection, tables: dict[str, Table]) -> None:
        self._connection = connection
        self._tables = tables
        self._waiting: defaultdict[str, list[Row]] = defaultdict(list)

    def add(self, table: str, *rows: Row) -> None:
        """Take rows, to be written with others."""
        waiting, most = self._waiting[table], ROWS_AT_ONCE.get(table, AT_ONCE)
        waiting += rows
        while len(waiting) >= most:
            self._write(table, waiting[:most])
            del waiting[:most]

    def flush(self, table: str) -> None:
        """Write the rows of a table that wait."""
        if waiting := self._waiting.pop(table, None):
            self._write(table, waiting)

    @contextmanager
    def filling(self, table: str) -> Iterator[None]:
        """Without its indexes, which are made at the end: of sorted keys, in half the time."""
        moved.drop_indexes(self._connection, self._tables[table])
        yield
        self.flush(table)
        moved.make_indexes(self._connection, self._tables[table])

    def _write(self, table: str, rows: Sequence[Row]) -> None:
        if table in PARENTS:
            self.flush(PARENTS[table])
        moved.add(self._connection, self._tables[table], COLUMNS[table], rows)


@contextmanager
def prepared(connection: Connection) -> Iterator[None]:
    """Meanwhile a connection writes quickly."""
    moved.prepare(connection)
    try:
        yield
    finally:
        if not connection.invalidated:
            moved.restore(connection)

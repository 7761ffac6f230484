"""The SQLite file of the sandbox, its transactions and its time."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from messenger_api import private_files
from messenger_api.sandbox.clock import MOST_AHEAD, SharedClock
from messenger_api.sandbox.schema import create_tables

KEEP = 1_000
# Seconds, and the latest second. SQLite's integers end at 2**63 - 1.
NEVER = 2**62


class UnknownAddressError(Exception):
    """Addresses that should belong to mesibo users and do not."""

    def __init__(self, addresses: Sequence[str]) -> None:
        super().__init__(f"{len(addresses)} of the addresses are not mesibo users")
        self.addresses = tuple(addresses)


class Memory:
    """One SQLite file that any number of threads and processes share.

    With no path the file is private and removed by `close`. Of messages, text messages and their like the
    last `keep` stay. Power loss may cost data (no fsync); the death of a process does not.

    Args:
        path: the file.
        keep: how many rows of a kind stay.
        clock: Unix seconds; None for a clock in a file beside it, which `advance` moves.
    """

    def __init__(
        self, path: Path | None = None, *, keep: int = KEEP, clock: Callable[[], int] | None = None
    ) -> None:
        self._folder = None if path else tempfile.TemporaryDirectory(prefix="messenger-sandbox-")
        self._keep = keep
        self._lock = threading.RLock()
        self.path = path or Path(self._folder.name if self._folder else "") / "sandbox.sqlite3"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        private_files.make(self.path)
        self._db = sqlite3.connect(self.path, timeout=20, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._own = SharedClock(self.path.with_name(f"{self.path.name}-clock"))
        self._clock = clock or self._own.now
        if create_tables(self._db):
            self._own.ahead = 0

    def close(self) -> None:
        """Close the file; a private one is removed. A second call does nothing."""
        with self._lock:
            self._db.close()
            self._own.close()
            if self._folder:
                self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: committed at its end, undone by an exception."""
        # The lock is the connection's: SQLite has one transaction per connection.
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """What a statement finds."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def now(self) -> int:
        """The sandbox's time: the machine's, and as far ahead as `advance` put it."""
        return self._clock()

    @property
    def ahead(self) -> int:
        """Seconds that `advance` put it ahead of the machine's time."""
        return self._own.ahead

    def advance(self, seconds: int) -> int:
        """Put the clock so far ahead, for every process on the file; the time afterwards.

        Raises:
            ValueError: the clock does not go back.
        """
        if seconds < 0:
            raise ValueError("the sandbox's clock goes forward")
        with self.writing():  # one process at a time
            self._own.ahead += min(seconds, MOST_AHEAD)
        return self.now()

    def after(self, seconds: int) -> int:
        """When so many seconds are over."""
        return min(self.now() + seconds, NEVER)

    def append(self, table: str, key: str, columns: str, values: tuple[object, ...]) -> sqlite3.Row:
        """Insert a row into a table of fixed name and forget the oldest beyond `keep`."""
        marks = ", ".join("?" * len(values))
        with self.writing() as db:
            sql = f"INSERT INTO {table} ({columns}) VALUES ({marks}) RETURNING *"  # noqa: S608
            row: sqlite3.Row = db.execute(sql, values).fetchall()[0]
            db.execute(f"DELETE FROM {table} WHERE {key} <= ?", (row[key] - self._keep,))  # noqa: S608
        return row


def refuse_strangers(db: sqlite3.Connection, addresses: Sequence[str]) -> None:
    """Raises UnknownAddressError where an address is no user's."""
    find = "SELECT 1 FROM users WHERE address = ?"
    strangers = [address for address in addresses if not db.execute(find, (address,)).fetchone()]
    if strangers:
        raise UnknownAddressError(strangers)


def like(match: str) -> str:
    """A pattern of SQL's LIKE, escaped by a backslash, for one in which `*` stands for any text."""
    for special in "\\%_":
        match = match.replace(special, "\\" + special)
    return match.replace("*", "%")

"""What a move did with the rows of each table: read = moved + merged + skipped."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

PICTURES = "pictures"
ORDER = ("users", "tokens", "notifytokens", "contacts", "groups", "members", PICTURES)

Progress = Callable[[str, int, int], None]
"""Told of every few rows: the table, how many were read, and how many there are (0: nobody knows)."""


@dataclass
class Count:
    """A table's rows by what became of them; `skipped` and `notes` by their reasons, which people read.

    `merged`: fell together with another row. `notes`: moved, and changed on the way.
    """

    read: int = 0
    moved: int = 0
    merged: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def balances(self) -> bool:
        """Whether every row that was read is accounted for."""
        return self.read == self.moved + self.merged + self.skipped.total()


class Report:
    """The counts of a move, by table."""

    def __init__(self, progress: Progress) -> None:
        self.tables = {name: Count() for name in ORDER}
        self.expected: dict[str, int] = {}
        self._progress = progress

    def __getitem__(self, table: str) -> Count:
        """The counts of a table."""
        return self.tables[table]

    @property
    def seconds(self) -> float:
        """What all tables took together."""
        return sum(count.seconds for count in self.tables.values())

    @property
    def balances(self) -> bool:
        """Whether as many rows were read as there are, and every one is accounted for."""
        return all(
            count.balances and count.read == self.expected.get(name, count.read)
            for name, count in self.tables.items()
        )

    @contextmanager
    def timed(self, table: str) -> Iterator[Count]:
        """Count a table, and the seconds that it takes."""
        count, began = self.tables[table], time.monotonic()
        yield count
        count.seconds += time.monotonic() - began
        self._progress(table, count.read, count.read)

    def tell(self, table: str) -> None:
        """Say how far a table is."""
        self._progress(table, self.tables[table].read, self.expected.get(table, 0))

    def as_json(self) -> dict[str, Any]:
        """The counts for programs."""
        return {
            name: {
                "read": count.read,
                "moved": count.moved,
                "merged": count.merged,
                "skipped": count.skipped.total(),
                "reasons": dict(count.skipped),
                "notes": dict(count.notes),
                "seconds": round(count.seconds, 2),
            }
            for name, count in self.tables.items()
        }

"""Counts of what differed, by op and member, kept in a file that can be read while the shadow runs."""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import msgspec

from messenger_api.shadow.comparison import Difference

WRITE_SECONDS = 1.0


class Line(msgspec.Struct):
    """A difference, and how often it was seen. `known`: the improvement that it is, "" for a surprise."""

    op: str
    field: str
    known: str
    php: str
    ours: str
    count: int


class Report(msgspec.Struct):
    """What the shadow has seen.

    `compared`: answers that were compared, `alike`: of these, those without a difference that nobody meant.
    `missed`: requests of which ours was not asked, for too many waited. `handed_back`: how often the demo's
    answer went out although ours was to. `failed`: how often the demo did not answer with JSON, or at all.
    """

    answering: str
    compared: int = 0
    alike: int = 0
    missed: int = 0
    handed_back: int = 0
    failed: int = 0
    differences: list[Line] = []

    @property
    def surprises(self) -> list[Line]:
        """The differences that nobody meant."""
        return [line for line in self.differences if not line.known]


class Tally:
    """Counts for any number of threads. A thread writes the file once a second while something changes."""

    def __init__(self, path: Path, answering: str) -> None:
        self._path = path
        self._report = Report(answering)
        self._seen: Counter[tuple[str, Difference]] = Counter()
        self._lock = threading.Lock()
        self._changed = threading.Event()
        self._changed.set()
        threading.Thread(target=self._keep_writing, name="tally", daemon=True).start()

    def compared(self, op: str, found: list[Difference]) -> None:
        """Note the differences of one request."""
        with self._lock:
            self._report.compared += 1
            self._report.alike += all(difference.known for difference in found)
            self._seen.update((op, difference) for difference in found)
        self._changed.set()

    def count(self, **more: int) -> None:
        """Add to single counts, by their names in `Report`."""
        with self._lock:
            for name, number in more.items():
                setattr(self._report, name, getattr(self._report, name) + number)
        self._changed.set()

    def report(self) -> Report:
        """The counts, the surprises first."""
        with self._lock:
            lines = [Line(op, *difference, count) for (op, difference), count in self._seen.items()]
            lines.sort(key=lambda line: (line.known, line.op, line.field, -line.count))
            return msgspec.structs.replace(self._report, differences=lines)

    def write(self) -> None:
        """Write the file, whole or not at all."""
        part = self._path.with_name(f".{self._path.name}.part")
        part.write_bytes(msgspec.json.format(msgspec.json.encode(self.report())))
        part.replace(self._path)

    def _keep_writing(self) -> None:
        while self._changed.wait():
            self._changed.clear()
            with suppress(OSError):
                self.write()
            time.sleep(WRITE_SECONDS)


def read(path: Path) -> Report | None:
    """The report that a shadow has written; None when there is none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Report)
    except (OSError, msgspec.DecodeError):
        return None

"""The sandbox's clock, which tests put ahead: one for every process on the same file."""

from __future__ import annotations

import mmap
import os
import time
from pathlib import Path

# Dates, which the stand-in for Twilio writes, end with the year 9999: this is a thousand years before.
MOST_AHEAD = 7_000 * 366 * 86_400
_BYTES = 8


class SharedClock:
    """The machine's time, and as many seconds ahead as the file `path` says, a whole number of 8 bytes.

    The file is mapped into memory, so that each call of the sandbox can ask: that costs no system call.
    """

    def __init__(self, path: Path) -> None:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.ftruncate(file, _BYTES)  # what is there stays, a new file is all zeros
            self._mapped = mmap.mmap(file, _BYTES)
        finally:
            os.close(file)
        self._cell = memoryview(self._mapped).cast("q")  # read and written in one piece

    @property
    def ahead(self) -> int:
        """Seconds that it is ahead of the machine's."""
        return self._cell[0]

    @ahead.setter
    def ahead(self, seconds: int) -> None:
        self._cell[0] = min(seconds, MOST_AHEAD)

    def now(self) -> int:
        """Unix seconds."""
        return int(time.time()) + self._cell[0]

    def close(self) -> None:
        """Let the file go. A second call does nothing."""
        self._cell.release()
        self._mapped.close()

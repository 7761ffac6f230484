"""Time limits that hold on a busy machine, too."""

from __future__ import annotations

import os
import statistics
import threading
import time
from pathlib import Path

_RUNNING = Path("/proc/stat")
_CORES = os.cpu_count() or 1
_PACE_SECONDS = 0.05
_LONGEST_SECONDS = 120


class Stopwatch:
    """Measures from when it is made.

    `quiet_seconds` is what the work would have taken with the processors for itself: Linux says how many
    threads run or wait to, and with twice as many as processors, all take twice as long. On a quiet
    machine, and where the system does not say, these are the seconds that passed.
    """

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._slowness = [slowness()]
        self._is_read = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    @property
    def seconds(self) -> float:
        """What the clock says."""
        return time.monotonic() - self._began

    @property
    def quiet_seconds(self) -> float:
        """For a limit: what the clock would say on a quiet machine."""
        self._is_read.set()
        passed = self.seconds
        self._slowness.append(slowness())
        return passed / statistics.mean(self._slowness)

    def _watch(self) -> None:
        while not self._is_read.wait(_PACE_SECONDS) and self.seconds < _LONGEST_SECONDS:
            self._slowness.append(slowness())


def slowness() -> float:
    """How many times as long as on a quiet machine work takes now: threads a processor, and at least 1."""
    if not _RUNNING.exists():
        return 1.0
    line = next(line for line in _RUNNING.read_text().splitlines() if line.startswith("procs_running"))
    return max(1.0, int(line.split()[1]) / _CORES)

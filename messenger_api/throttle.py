"""What is to be done now and then, and not whenever somebody comes by."""

from __future__ import annotations

import threading
import time

USUAL_SECONDS = 60


class Throttle:
    """Says whether something is due again, in this process: a line of the log, a look at the database."""

    def __init__(self, seconds: float = USUAL_SECONDS) -> None:
        self._seconds = seconds
        self._next: dict[str, float] = {}
        self._lock = threading.Lock()

    def is_due(self, what: str = "") -> bool:
        """Whether `what` was not done for so many seconds, or never; the caller then does it now."""
        now = time.monotonic()
        with self._lock:
            if now < self._next.get(what, 0.0):
                return False
            self._next[what] = now + self._seconds
            return True

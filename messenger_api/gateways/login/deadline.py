"""One time limit for the several steps of a login."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from messenger_api.gateways.login.base import Unavailable

TIMED_OUT = "timed out"

# What libraries still take for a time limit; zero means "none" or "forever" to some of them.
LEAST_SECONDS = 0.01


class Deadline:
    """Begins when it is made."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def is_over(self) -> bool:
        """Whether the time has run out."""
        return time.monotonic() >= self._end

    def left(self) -> float:
        """The seconds that are left for the next step.

        Raises:
            Unavailable: none are.
        """
        seconds = self._end - time.monotonic()
        if seconds < LEAST_SECONDS:
            raise Unavailable(TIMED_OUT)
        return seconds

    @contextmanager
    def cutting(self, cut: Callable[[], None]) -> Iterator[None]:
        """Call `cut` when the time runs out within the block.

        For libraries that limit the wait for each piece of an answer and never the whole: a server that
        sends a byte now and then would hold them for as long as it likes.
        """
        timer = threading.Timer(self.left(), cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

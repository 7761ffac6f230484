"""Work that takes much memory, a little at a time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from messenger_api.domain.errors import TryLater

# Seconds after which it makes sense to ask again.
RETRY_AFTER = 5


class Turns:
    """At most `at_once` pieces of work and `memory` bytes in this process; the others wait, in order.

    Work that takes more than that by itself is done alone. Nobody waits longer than `longest_wait` seconds.
    """

    def __init__(self, at_once: int, memory: int, longest_wait: float) -> None:
        self._at_once = at_once
        self._memory = memory
        self._longest_wait = longest_wait
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()
        self._taken: list[int] = []

    @contextmanager
    def turn(self, memory: int) -> Iterator[None]:
        """Wait for a turn, and hold it.

        Raises:
            TryLater: it did not come in time.
        """
        self._wait(memory)
        try:
            yield
        finally:
            with self._changed:
                self._taken.remove(memory)
                self._changed.notify_all()

    def _wait(self, memory: int) -> None:
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
            try:
                if not self._changed.wait_for(lambda: self._may_start(ticket, memory), self._longest_wait):
                    raise TryLater(retry_after=RETRY_AFTER)
                self._taken.append(memory)
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()

    def _may_start(self, ticket: object, memory: int) -> bool:
        if self._waiting[0] is not ticket or len(self._taken) >= self._at_once:
            return False
        return not self._taken or sum(self._taken) + memory <= self._memory

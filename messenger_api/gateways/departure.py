"""Whether a request has left, which tells "not sent" from "may have been sent".

Nothing was sent while our own connections hold the request: while a name is looked up, a connection is
made, TLS agreed on. Once it has left nobody knows before an answer is read. A request that nobody waits for
any more may be given up: what has not left by then never does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import Context, ContextVar


class GivenUp(Exception):
    """The request does not leave: nobody waits for it any more, or its time is over."""


class Departure:
    """The requests of one attempt. Used by the thread that makes them and the one that waits.

    Args:
        with_body: a request leaves with the first byte of its body, not of its head: for servers that can do
            nothing with a head alone.
        seconds_left: asked before a request leaves; nothing leaves when none are.
    """

    def __init__(self, *, with_body: bool = False, seconds_left: Callable[[], float] | None = None) -> None:
        self.with_body = with_body
        self._seconds_left = seconds_left
        self._lock = threading.Lock()
        self._held = self._left = self._closed = False

    @property
    def nothing_left(self) -> bool:
        """Whether that is certain; it is not where somebody else's library carries the request."""
        return self._held and not self._left

    def hold(self) -> None:
        """Our own connections carry the request from here on."""
        self._held = True

    def leave(self) -> None:
        """The request is about to be written.

        Raises:
            GivenUp: it was given up before.
        """
        with self._lock:
            late = self._seconds_left is not None and not self._left and self._seconds_left() <= 0
            if self._closed or late:
                raise GivenUp
            self._left = True

    def close(self) -> bool:
        """Let nothing leave any more; returns whether nothing has."""
        with self._lock:
            self._closed = True
            return self.nothing_left


CURRENT: ContextVar[Departure | None] = ContextVar("departure", default=None)
"""That of the attempt which this thread makes, if any."""


def enter(context: Context) -> Departure:
    """Give a context, in which an attempt will be made, its own."""
    departure = Departure()
    context.run(CURRENT.set, departure)
    return departure

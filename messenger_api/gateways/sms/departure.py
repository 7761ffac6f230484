"""Whether the request of an attempt has left, which tells "not sent" from "may have been sent".

Nothing was sent while our own connections hold the request: while a name is looked up, a connection is
made, TLS agreed on. From the first byte on nobody knows before an answer is read. An attempt that nobody
waits for any more may be closed: what has not left by then never does.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar


class Departure:
    """The requests of one attempt. Used by the thread that makes them and the one that waits."""

    def __init__(self) -> None:
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
        """The first byte is about to be written. Raises TimeoutError when the attempt was given up."""
        with self._lock:
            if self._closed:
                raise TimeoutError
            self._left = True

    def close(self) -> bool:
        """Let nothing leave any more; returns whether nothing has."""
        with self._lock:
            self._closed = True
            return self.nothing_left


_CURRENT: ContextVar[Departure | None] = ContextVar("departure", default=None)


def current() -> Departure | None:
    """That of the attempt which this thread makes, if any."""
    return _CURRENT.get()


def enter(context: Context) -> Departure:
    """Give a context, in which an attempt will be made, its own."""
    departure = Departure()
    context.run(_CURRENT.set, departure)
    return departure


@contextmanager
def departing() -> Iterator[Departure]:
    """That of the attempt which this thread makes; else one for as long as the block."""
    departure = _CURRENT.get()
    if departure is not None:
        yield departure
        return
    token = _CURRENT.set(Departure())
    try:
        yield _CURRENT.get() or Departure()
    finally:
        _CURRENT.reset(token)

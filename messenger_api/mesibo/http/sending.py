"""Whether a request was sent, which tells "not sent" from "may have been sent".

Nothing was sent while our own connections hold the request: while a name is looked up, a connection is made,
TLS agreed on. Once its first byte is written nobody knows before an answer is read. A request that nobody
waits for any more can be cancelled: what was not sent by then never is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import Context, ContextVar


class Cancelled(Exception):
    """The request is not sent: nobody waits for it any more, or its time is over."""


class SendGuard:
    """Guards the requests of one attempt. Used by the thread that makes them and the one that waits.

    Args:
        with_body: a request counts as sent with the first byte of its body, not of its head: for servers that
            can do nothing with a head alone.
        seconds_left: asked before a request is sent; it is not when none are.
    """

    def __init__(self, *, with_body: bool = False, seconds_left: Callable[[], float] | None = None) -> None:
        self.with_body = with_body
        self._seconds_left = seconds_left
        self._lock = threading.Lock()
        self._carried = self._sent = self._cancelled = False

    @property
    def nothing_sent(self) -> bool:
        """Whether that is certain; it is not where somebody else's library carries the request."""
        return self._carried and not self._sent

    def carry(self) -> None:
        """Our own connections carry the request from here on."""
        self._carried = True

    def before_sending(self) -> None:
        """The request is about to be written.

        Raises:
            Cancelled: it must not be.
        """
        with self._lock:
            late = self._seconds_left is not None and not self._sent and self._seconds_left() <= 0
            if self._cancelled or late:
                raise Cancelled
            self._sent = True

    def cancel(self) -> bool:
        """Let nothing be sent any more; returns whether it is certain that nothing was."""
        with self._lock:
            self._cancelled = True
            return self.nothing_sent


CURRENT: ContextVar[SendGuard | None] = ContextVar("send guard", default=None)
"""That of the attempt which this thread makes, if any."""


def guarded(context: Context) -> SendGuard:
    """Give a context, in which an attempt will be made, a guard of its own."""
    guard = SendGuard()
    context.run(CURRENT.set, guard)
    return guard

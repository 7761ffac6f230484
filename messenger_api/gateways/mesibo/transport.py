"""Requests to mesibo: a bounded number at once, and once more where that helps.

A call runs in a thread (`gateways.threads`) while its caller waits at most `Timeouts.read`. That also lets a
group that mesibo makes too late still be noticed (`on_late`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial

from messenger_api.gateways.http import HttpClient, NoResponse, Response, Timeouts
from messenger_api.gateways.threads import Busy, Calls, TooSlow
from messenger_api.mesibo.core import HEADERS, MAX_ANSWER_BYTES
from messenger_api.mesibo.http.sending import SendGuard
from messenger_api.mesibo.retry import may_retry
from messenger_api.mesibo.wire import Request

# How long a call waits for its turn when `max_calls` are under way: a moment's crowd passes, and a person
# behind a mesibo that hangs is told at once.
QUEUE_SECONDS = 0.5

# Seconds that are left for the calls of this thread; None: as many as they want. Whoever acts under a claim
# that runs out must not act after it, however long it was frozen meanwhile.
seconds_left: ContextVar[Callable[[], float] | None] = ContextVar("seconds_left", default=None)


@dataclass(frozen=True)
class _Call:
    request: Request
    headers: Mapping[str, str]
    patience: float
    left: Callable[[], float] | None  # see `seconds_left`


class Transport:
    """Posts bodies to one URL, at most `max_calls` at once, from any number of threads."""

    def __init__(
        self, url: str, timeouts: Timeouts, max_calls: int, headers: Callable[[], Mapping[str, str]]
    ) -> None:
        """`headers`: those of each call, asked for in its caller's thread."""
        self._url = url
        self._headers = headers
        self._timeouts = timeouts
        # User and password in the URL itself (an on-premise server behind basic authentication) are sent.
        self._client = HttpClient(
            timeouts, url=url, connections=max_calls, most_bytes=MAX_ANSWER_BYTES, headers=HEADERS
        )
        self._calls = Calls("mesibo", max_calls)

    def send(self, request: Request) -> Response:
        """As `post`, without patience."""
        return self.post(request)

    def post(
        self,
        request: Request,
        *,
        patience: float = 0.0,
        on_late: Callable[[Response], None] | None = None,
    ) -> Response:
        """Send the body and return the answer, within `Timeouts.read` seconds and the wait for a turn.

        With `patience` (seconds) the exchange goes on that long without its caller; an answer that
        still comes is handed to `on_late` in the exchange's thread. Until then it counts as one of
        `max_calls`.

        Raises:
            NoResponse: no answer in time; its reason may also be `busy`.
        """
        left = seconds_left.get()
        seconds = min(self._timeouts.read, left()) if left else self._timeouts.read
        if seconds <= 0:
            raise NoResponse("too late", sent=False)
        outcome = self._outcome(_Call(request, self._headers(), patience, left), seconds, on_late)
        if isinstance(outcome, NoResponse):
            raise outcome
        return outcome

    def close(self) -> None:
        """Close idle connections. Calls under way end by themselves; nothing waits for them."""
        self._client.close()

    def _outcome(
        self, call: _Call, seconds: float, on_late: Callable[[Response], None] | None
    ) -> Response | NoResponse:
        def late(outcome: Response | NoResponse) -> None:
            if on_late and isinstance(outcome, Response):
                on_late(outcome)

        try:
            return self._calls.run(
                partial(self._attempts, call), seconds, patience=QUEUE_SECONDS, on_late=late
            )
        except Busy:
            return NoResponse("busy", sent=False)
        except TooSlow:
            return NoResponse("timeout", sent=True, detail="no answer")

    def _attempts(self, call: _Call) -> Response | NoResponse:
        """The answer, or the failure as a value: without the thread's traceback."""
        now = time.monotonic()
        caller_leaves = now + self._timeouts.read
        gives_up = max(caller_leaves, now + call.patience)
        outcome = self._attempt(call, gives_up)
        again = isinstance(outcome, NoResponse) and may_retry(call.request.op, outcome)
        return self._attempt(call, gives_up) if again and time.monotonic() < caller_leaves else outcome

    def _attempt(self, call: _Call, gives_up: float) -> Response | NoResponse:
        # mesibo can do nothing with a head alone, so a body that never left proves that nothing was done.
        guard = SendGuard(with_body=True, seconds_left=call.left)
        try:
            return self._client.request(
                "POST",
                self._url,
                data=call.request.body,
                headers={"Content-Type": call.request.content_type, **call.headers},
                seconds=gives_up - time.monotonic(),
                guard=guard,
            )
        except NoResponse as failure:
            return failure.with_traceback(None)

"""Calls of the library over the product's transport: counted, logged, and followed when they end too late."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import structlog

from messenger_api.gateways.http import Response
from messenger_api.gateways.mesibo.transport import Transport
from messenger_api.mesibo.answers import Answer
from messenger_api.mesibo.core import NO_RETRIES, Core, Done, Options
from messenger_api.mesibo.errors import MesiboError, MesiboRefused, MesiboUnreachable
from messenger_api.mesibo.http.exchange import NoResponse
from messenger_api.mesibo.operation import Operation
from messenger_api.mesibo.wire import Request

log = structlog.get_logger(__name__)

# How long a group may take to be made before nobody notices it any more: the longest that a proxy between
# us and mesibo usually waits.
LATE_SECONDS = 60.0

A = TypeVar("A")
T = TypeVar("T")


class Calls:
    """Makes calls for any number of threads.

    Args:
        transport: carries them.
        url: of the backend API.
        app_token: the app's token; without one nobody is asked.
        style: `json`, `form`, or `auto`: by the URL's path.
        on_app_token_refused: told of each refusal that is about the app token, before it is raised.
        on_call: told of each call that has ended: its op, outcome (`outcome_of`) and seconds.
    """

    def __init__(
        self,
        transport: Transport,
        url: str,
        app_token: str,
        style: str,
        on_app_token_refused: Callable[[MesiboRefused], None],
        on_call: Callable[[str, str, float], None],
    ) -> None:
        self._transport = transport
        self._on_call = on_call
        self._is_nobody = not app_token
        self._on_app_token_refused = on_app_token_refused
        # The bulkhead of the services is the breaker, and the transport tries again in its thread.
        options = Options(url, style, retries=NO_RETRIES, breaker=None, ids=False, on_call=self._note)
        self._core = Core(app_token, options)
        self.wire = self._core.wire

    def make(
        self, op: Operation[A], read: Callable[[A], T], *, on_late: Callable[[T], None] | None = None
    ) -> T:
        """What `read` makes of the answer to a call. `on_late` gets it when the answer comes only after this
        method raised, up to `LATE_SECONDS` after the call began, in another thread.

        Raises:
            MesiboUnreachable, MesiboRefused, ValueError: as `mesibo.Client.call`.
        """
        request = self._core.request(op)

        def made(answer: Answer) -> T:
            return read(self.wire.decode(op, answer))

        def late(response: Response) -> None:
            if on_late:
                self._tell(request, response, made, on_late)

        with self._core.noted(op.OP):
            return made(self._answer(request, late if on_late else None))

    def raw(self, op: str, fields: Mapping[str, Any], *, called: str = "") -> None:
        """Make a call of any name, of which only success counts; `called` in the log."""
        request = self._core.raw_request(op, fields)
        with self._core.noted(called or op):
            self._answer(request)

    def _answer(self, request: Request, late: Callable[[Response], None] | None = None) -> Answer:
        if self._is_nobody:  # nobody is asked on nobody's behalf; what waits for mesibo goes on waiting
            raise MesiboUnreachable("MESIBO_APP_TOKEN is not set")
        got: Response | NoResponse
        try:
            got = self._transport.post(request, patience=LATE_SECONDS if late else 0.0, on_late=late)
        except NoResponse as failure:
            got = failure.with_traceback(None)
        outcome = self._core.outcome(request, got)
        if isinstance(outcome, MesiboError):
            raise outcome
        return outcome

    def _tell(
        self, request: Request, response: Response, made: Callable[[Answer], T], on_late: Callable[[T], None]
    ) -> None:
        try:
            outcome = self._core.outcome(request, response)
            if isinstance(outcome, MesiboError):
                return  # nothing was made
            late = made(outcome)
        except MesiboError:
            return
        log.warning("mesibo_late_group", gid=late)
        try:  # whatever it raises: there is nobody above this thread
            on_late(late)
        except Exception:
            log.exception("mesibo_late_group_kept", gid=late)

    def _note(self, done: Done) -> None:
        """One line for a call: op, seconds, outcome. Never what was in it."""
        line: dict[str, Any] = {"op": done.op, "seconds": round(done.seconds, 3)}
        error = done.error
        self._on_call(done.op, outcome_of(error), done.seconds)
        if isinstance(error, MesiboUnreachable):
            reason = f"{error.reason} ({error.detail})" if error.detail else error.reason
            told = {"outcome": "unreachable", "reason": reason, "maybe_done": error.maybe_done}
            log.warning("mesibo_call", **line, **told)
        elif isinstance(error, MesiboRefused):
            log.warning("mesibo_call", **line, outcome="refused", error=error.label, code=error.code)
            if error.about_app_token:
                self._on_app_token_refused(error)
        else:
            log.debug("mesibo_call", **line, outcome="ok")


def outcome_of(error: Exception | None) -> str:
    """What came of a call: `ok`, `unreachable`, `refused`, `token_refused` or `breached`."""
    if not isinstance(error, MesiboRefused):
        return "unreachable" if error else "ok"
    if error.is_breach:
        return "breached"
    return "token_refused" if error.about_app_token else "refused"

"""The API endpoint: one URL, one JSON object with HTTP 200, whatever happens."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy.exc import IntegrityError, NoResultFound

from messenger_api.domain.errors import (
    CODES,
    ApiError,
    AuthFail,
    BadOp,
    BadValue,
    TryLater,
)
from messenger_api.domain.figures import NO_OP, REQUEST_SECONDS, UNKNOWN_OP
from messenger_api.ops.answers import invitations
from messenger_api.ops.binding import bind
from messenger_api.ops.call import ApiRequest, Call, Operation
from messenger_api.services.record import Services
from messenger_api.transport.addresses import METHODS
from messenger_api.transport.envelope import NOOP, PREFLIGHT, Reply, failure
from messenger_api.transport.hints import Hints
from messenger_api.transport.reading import op_in_address, read

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

log = structlog.get_logger(__name__)


class Api:
    """Answers requests of the API. Made when the log is configured: what it leaves out then costs nothing."""

    def __init__(self, services: Services, operations: Mapping[str, Operation]) -> None:
        """`operations`: all that may be asked for, by their names on the wire."""
        self._services = services
        self._operations = operations
        self._log = log.bind()
        self._observe = services.figures.observe
        self._hints = Hints(services, operations) if services.settings.uses_sandbox else None

    def respond(self, environ: WSGIEnvironment, raised: Exception | None = None) -> Reply:
        """The answer to one request, whatever happens.

        Args:
            environ: the request, its body not read yet, or in a file that can be read again.
            raised: what ended the request before an op could answer it; it is answered like the op's own.
        """
        if raised is None and environ["REQUEST_METHOD"] not in METHODS:
            return self._without_op(environ)
        started = time.perf_counter()
        dispatch = Dispatch(self._services, self._operations)
        reply = dispatch.reply(environ, raised)
        seconds = time.perf_counter() - started
        op, error = dispatch.op, dispatch.error
        counted_op = op if op in self._operations else UNKNOWN_OP if op else NO_OP
        counted_error = "none" if not error else error if error in CODES else "refused"
        self._observe(REQUEST_SECONDS, seconds, counted_op, counted_error)
        if reply is None:
            return self._hinted(NOOP, environ, dispatch)
        self._log.log(
            dispatch.level,
            "api.answer",
            op=dispatch.known_op,
            error=error,
            ms=round(seconds * 1000, 1),
        )
        return self._hinted(reply, environ, dispatch) if self._hints else reply

    def _without_op(self, environ: WSGIEnvironment) -> Reply:
        """The answer to a method that runs none."""
        return PREFLIGHT if environ["REQUEST_METHOD"] == "OPTIONS" else self._hinted(NOOP, environ)

    def _hinted(self, reply: Reply, environ: WSGIEnvironment, dispatch: Dispatch | None = None) -> Reply:
        """The same answer, with hints where the sandbox is in use."""
        if self._hints is None:
            return reply
        request, call = (dispatch.request, dispatch.call) if dispatch else (None, None)
        return self._hints.added(reply, environ, request, call)


def _bind(operation: Operation, call: Call) -> Any:
    """The op's parameters. Who has no session is told that first."""
    try:
        return bind(operation.parameters, call.request.fields)
    except BadValue:
        call.authenticate()
        raise


class Dispatch:
    """One request on its way through the op table to its answer."""

    def __init__(self, services: Services, operations: Mapping[str, Operation]) -> None:
        self._services = services
        self._operations = operations
        self.request: ApiRequest | None = None
        self.call: Call | None = None
        self.op = ""
        self.error = ""
        self.level = logging.DEBUG

    @property
    def known_op(self) -> str:
        """The op for the log; what a stranger wrote there stays out of it."""
        return self.op if self.op in self._operations else "?"

    def reply(self, environ: WSGIEnvironment, raised: Exception | None = None) -> Reply | None:
        """The answer; None when no op was asked for."""
        try:
            return self._answered(environ, raised)
        except (Exception, SystemExit) as error:  # an op of an extension may call sys.exit
            # A fault of ours must never look like the user's: apps log out on AUTHFAIL.
            log.exception("api.fault", op=self.known_op)
            self.level = logging.ERROR
            return self._failure(TryLater(), error)

    def _answered(self, environ: WSGIEnvironment, raised: Exception | None) -> Reply | None:
        try:
            self.request = self._read(environ)
            self.op = self.request.op
            if raised:
                raise raised
            return self._success(self._run(self.request)) if self.op else None
        except ApiError as error:
            self.level = logging.INFO
            return self._failure(error)

    def _read(self, environ: WSGIEnvironment) -> ApiRequest:
        try:
            return read(environ, self._services.settings)
        except Exception:
            self.op = op_in_address(environ)
            raise

    def _run(self, asked: ApiRequest) -> Mapping[str, object]:
        operation, call = self._operations.get(asked.op), Call(self._services, asked)
        self.call = call
        if operation is None:
            if asked.token:
                call.authenticate()
            raise BadOp
        if not operation.needs_session:
            return operation.run(call, bind(operation.parameters, asked.fields))
        try:
            if not operation.finds_session:
                call.authenticate()
            answer = operation.run(call, _bind(operation, call))
        except AuthFail:
            if operation.forgives_dead_token:
                return {}
            raise
        except (IntegrityError, NoResultFound):
            # The account may have gone while the op ran, and with it all that refers to it: AuthFail then.
            self._services.callers.find(asked.token)
            raise
        return {**answer, **invitations(call)}

    def _success(self, answer: Mapping[str, object]) -> Reply:
        now = self._services.database.now()
        result = True if self._wants_boolean else "OK"
        return Reply.of({"op": self.op, "ts": now, **answer, "result": result})

    def _failure(self, error: ApiError, fault: BaseException | None = None) -> Reply:
        # AUTHFAIL, the commonest refusal, has no text: its language need not be read.
        asked = self.request if error.message else None
        answer = failure(
            error,
            op=self.op,
            ts=self._services.database.now(),
            language=asked.language if asked else "en",
            result=False if self._wants_boolean else "FAIL",
        )
        reply = Reply.of(answer, fault=fault)
        self.error = error.code
        return reply

    @property
    def _wants_boolean(self) -> bool:
        return self.request is not None and self.request.wants_boolean

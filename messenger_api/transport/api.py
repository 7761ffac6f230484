"""The API endpoint: one URL, one JSON object with HTTP 200, whatever happens."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from sqlalchemy.exc import IntegrityError, NoResultFound
from werkzeug import Request

from messenger_api.domain.errors import (
    ApiError,
    AuthFail,
    BadOp,
    BadValue,
    TryLater,
)
from messenger_api.domain.texts import say
from messenger_api.ops import OPERATIONS
from messenger_api.ops.answers import invitations
from messenger_api.ops.binding import bind
from messenger_api.ops.call import Answer, ApiRequest, Call, Operation
from messenger_api.services import Services
from messenger_api.transport.reading import op_in_address, read

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = structlog.get_logger(__name__)

# Of the paths, the front page's is the API's too.
FRONT = "/"
PATHS = frozenset({FRONT, "/api", "/api.php"})
# Of the methods, those that run ops; any other but OPTIONS is answered like a call with no op.
METHODS = frozenset({"GET", "POST"})

# The documented smoke test compares this text, member by member.
NOOP = b'{"code": "NOOP", "result": "FAIL"}'

HEADERS = [
    ("Content-Type", "application/json; charset=utf-8"),
    ("Cache-Control", "no-store, no-cache, must-revalidate, max-age=0"),
    ("Pragma", "no-cache"),
    ("X-Content-Type-Options", "nosniff"),
    ("Access-Control-Allow-Origin", "*"),
]
PREFLIGHT = [
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
    ("Access-Control-Allow-Headers", "Content-Type"),
    ("Access-Control-Max-Age", "86400"),
]


class ApiEndpoint:
    """The API, as a WSGI application in front of another that serves everything else.

    One address needs no routing, and no context of Flask's: both together cost as much as all the rest of an
    empty call.
    """

    def __init__(
        self, services: Services, others: WSGIApplication, takes_posts: Callable[[str], bool]
    ) -> None:
        """`takes_posts` tells of a path whether a page of the others takes what is posted there."""
        self._services = services
        self._others = others
        self._takes_posts = takes_posts

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, or have it answered."""
        method = environ["REQUEST_METHOD"]
        if not self._is_ours(method, environ):
            return self._others(environ, start_response)
        if method == "OPTIONS":
            start_response("204 No Content", PREFLIGHT)
            return []
        body, headers = respond(self._services, environ) if method in METHODS else (NOOP, ())
        start_response("200 OK", [*HEADERS, ("Content-Length", str(len(body))), *headers])
        return [] if method == "HEAD" else [body]

    def _is_ours(self, method: str, environ: WSGIEnvironment) -> bool:
        path = environ.get("PATH_INFO") or FRONT
        if path not in PATHS:
            # An app whose address has a slash too many could not read a page.
            return method in ("POST", "OPTIONS") and not self._takes_posts(path)
        return path != FRONT or method not in ("GET", "HEAD") or not _is_browser(Request(environ))


def _is_browser(http: Request) -> bool:
    """Somebody looks at the front page's address: a GET that wants HTML and names no op."""
    return "op" not in http.args and "text/html" in http.accept_mimetypes.values()


def respond(services: Services, environ: WSGIEnvironment) -> tuple[bytes, Sequence[tuple[str, str]]]:
    """The answer to one request, and the headers that it has beyond those of every answer."""
    started = time.perf_counter()
    exchange = Exchange(services)
    answer = exchange.answer(environ)
    if answer is None:
        return NOOP, ()
    log.log(
        exchange.level,
        "api.answer",
        op=exchange.known_op,
        error=answer.get("error", ""),
        ms=round((time.perf_counter() - started) * 1000, 1),
    )
    wait = answer.get("retry_after")
    return msgspec.json.encode(answer), [("Retry-After", str(wait))] if wait else ()


def _bind(operation: Operation, call: Call) -> Any:
    """The op's parameters. Who has no session is told that first."""
    try:
        return bind(operation.parameters, call.request.fields)
    except BadValue:
        call.authenticate()
        raise


class Exchange:
    """One request on its way through the op table to its answer."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._request: ApiRequest | None = None
        self._op = ""
        self.level = logging.DEBUG

    @property
    def known_op(self) -> str:
        """The op for the log; what a stranger wrote there stays out of it."""
        return self._op if self._op in OPERATIONS else "?"

    def answer(self, environ: WSGIEnvironment) -> Answer | None:
        """The answer's members; None when no op was asked for."""
        try:
            self._request = self._read(environ)
            self._op = self._request.op
            if not self._op:
                return None
            return self._success(self._run(self._request))
        except ApiError as error:
            self.level = logging.INFO
            return self._failure(error)
        except Exception:
            # A fault of ours must never look like the user's: apps log out on AUTHFAIL.
            log.exception("api.fault", op=self.known_op)
            self.level = logging.ERROR
            return self._failure(TryLater())

    def _read(self, environ: WSGIEnvironment) -> ApiRequest:
        try:
            return read(environ, self._services.settings)
        except Exception:
            self._op = op_in_address(environ)
            raise

    def _run(self, asked: ApiRequest) -> Answer:
        operation, call = OPERATIONS.get(asked.op), Call(self._services, asked)
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
            self._services.sessions.caller(asked.token)
            raise
        return {**answer, **invitations(call)}

    def _success(self, answer: Answer) -> Answer:
        asked = self._request
        result: object = True if asked and asked.wants_boolean else "OK"
        return {**self._head(), **answer, "result": result}

    def _failure(self, error: ApiError) -> Answer:
        answer = {**self._head(), "error": error.code}
        if error.message:
            language = self._request.language if self._request else "en"
            answer["errtitle"] = say(error.title, language) if error.title else ""
            answer["errmsg"] = say(error.message, language, **error.values)
        if error.properties:
            answer["properties"] = list(error.properties)
        if error.retry_after:
            answer["retry_after"] = error.retry_after
        asked = self._request
        answer["result"] = False if asked and asked.wants_boolean else "FAIL"
        return answer

    def _head(self) -> Answer:
        return {"op": self._op, "ts": self._services.database.now()}

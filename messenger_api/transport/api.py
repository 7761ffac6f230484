"""The API endpoint: one URL, one JSON object with HTTP 200, whatever happens."""

from __future__ import annotations

import logging
import time
from typing import Any

import msgspec
import structlog
from flask import Blueprint, Request, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from messenger_api.domain.errors import (
    ApiError,
    AuthFail,
    BadOp,
    BadValue,
    TooLarge,
    TryLater,
)
from messenger_api.domain.texts import say
from messenger_api.ops import OPERATIONS
from messenger_api.ops.answers import invitations
from messenger_api.ops.binding import bind
from messenger_api.ops.call import Answer, ApiRequest, Call, Operation
from messenger_api.services import Services
from messenger_api.storage.sessions import Caller
from messenger_api.transport.reading import op_in_address, read

log = structlog.get_logger(__name__)

PATHS = ("/", "/api", "/api.php")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

# The documented smoke test compares this text, member by member.
NOOP = b'{"code": "NOOP", "result": "FAIL"}'

HEADERS = {
    "Content-Type": "application/json; charset=utf-8",
    "Cache-Control": "no-store, no-cache, must-revalidate, max-age=0",
    "Pragma": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Access-Control-Allow-Origin": "*",
}
PREFLIGHT = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": "86400",
}

# For ops that need no session.
NOBODY = Caller(sid=0, uid=0, address="", name="", country="", appid="", mesibo_uid=0, synced_to=0)


def api_blueprint(services: Services) -> Blueprint:
    """The endpoint at all of its paths but the front page's."""
    blueprint = Blueprint("api", __name__)

    def endpoint() -> Response:
        return respond(services, request)

    for path in PATHS[1:]:
        blueprint.add_url_rule(path, view_func=endpoint, methods=METHODS, provide_automatic_options=False)

    @blueprint.app_errorhandler(HTTPException)
    def not_routed(error: HTTPException) -> Response | HTTPException:
        # Another method, or a Host that is no name: Flask's own answer is a page, which crashes an app.
        ours = request.routing_exception is error and request.path in PATHS
        return respond(services, request) if ours else error

    return blueprint


def respond(services: Services, http: Request) -> Response:
    """Answer one request."""
    if http.method == "OPTIONS":
        return Response(status=204, headers=PREFLIGHT)
    started = time.perf_counter()
    exchange = Exchange(services)
    answer = exchange.answer(http)
    if answer is None:
        return Response(NOOP, headers=HEADERS)
    log.log(
        exchange.level,
        "api.answer",
        op=exchange.known_op,
        error=answer.get("error", ""),
        ms=round((time.perf_counter() - started) * 1000, 1),
    )
    response = Response(msgspec.json.encode(answer), headers=HEADERS)
    if "retry_after" in answer:
        response.headers["Retry-After"] = str(answer["retry_after"])
    return response


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

    def answer(self, http: Request) -> Answer | None:
        """The answer's members; None when no op was asked for."""
        try:
            self._op = op_in_address(http)
            self._request = read(http, self._services.settings)
            self._op = self._request.op
            if not self._op:
                return None
            return self._success(self._run(self._request))
        except ApiError as error:
            self.level = logging.INFO
            return self._failure(error)
        except RequestEntityTooLarge:
            return self._failure(TooLarge(limit="1 MiB"))
        except HTTPException:
            return self._failure(BadValue("body_bad", properties=("body",), wanted="it is not a form"))
        except Exception:
            # A fault of ours must never look like the user's: apps log out on AUTHFAIL.
            log.exception("api.fault", op=self.known_op)
            self.level = logging.ERROR
            return self._failure(TryLater())

    def _run(self, asked: ApiRequest) -> Answer:
        operation = OPERATIONS.get(asked.op)
        caller = NOBODY
        if operation is None or operation.needs_session:
            try:
                caller = self._services.sessions.caller(asked.token)
            except AuthFail:
                if operation is not None and operation.forgives_dead_token:
                    return {}
                raise
        if operation is None:
            raise BadOp
        return self._call(operation, Call(self._services, asked, caller))

    def _call(self, operation: Operation, call: Call) -> Answer:
        parameters: Any = bind(operation.parameters, call.request.fields)
        answer = operation.run(call, parameters)
        return {**answer, **invitations(call)} if operation.needs_session else answer

    def _success(self, answer: Answer) -> Answer:
        asked = self._request
        result: object = True if asked and asked.from_uploader else "OK"
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
        answer["result"] = False if asked and asked.from_uploader else "FAIL"
        return answer

    def _head(self) -> Answer:
        return {"op": self._op, "ts": self._services.database.now()}

"""Each request has an id, and, where ACCESS_LOG asks for it, a line in the log when it is answered."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import structlog

from messenger_api import request_id
from messenger_api.domain.network import shortened
from messenger_api.transport.addresses import BY_STATUS, FILES, PATHS, WEBHOOKS
from messenger_api.transport.proxies import PEER

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = structlog.get_logger(__name__)

_GIVEN = "HTTP_X_REQUEST_ID"
_FOLDERS = (FILES, WEBHOOKS, "/admin")
_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})


def identified(app: WSGIApplication, *, access_log: bool) -> WSGIApplication:
    """The same application; each of its answers carries `X-Request-ID`.

    The id that a trusted proxy gives is taken, any other made here. Stands behind what finds out whose
    request it is (`proxies`).
    """
    id_of, enter, leave = _id_of, request_id.enter, request_id.leave

    def answering(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = id_of(environ)

        def start(
            status: str, headers: list[tuple[str, str]], exc_info: OptExcInfo | None = None
        ) -> Callable[[bytes], object]:
            named = [*headers, (request_id.HEADER, request)]
            return start_response(status, named, exc_info) if exc_info else start_response(status, named)

        before = enter(request)
        try:
            return app(environ, start)
        finally:
            leave(before)

    return _logged(answering) if access_log else answering


def _id_of(environ: WSGIEnvironment) -> str:
    given = environ.get(_GIVEN)
    return (request_id.taken(given) if given and PEER in environ else "") or request_id.new_id()


def _logged(app: WSGIApplication) -> WSGIApplication:
    """The same, with a line for each request. A file that is sent slowly is told when it begins."""

    def answering(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        started, status, request = time.perf_counter(), "", ""

        def start(
            line: str, headers: list[tuple[str, str]], exc_info: OptExcInfo | None = None
        ) -> Callable[[bytes], object]:
            nonlocal status, request
            status, request = line[:3], headers[-1][1]
            return start_response(line, headers, exc_info) if exc_info else start_response(line, headers)

        try:
            return app(environ, start)
        finally:
            method = environ["REQUEST_METHOD"]
            log.info(
                "http.request",
                method=method if method in _METHODS else "?",
                path=_shown(environ.get("PATH_INFO") or "/"),
                status=status,
                ms=round((time.perf_counter() - started) * 1000, 1),
                client=shortened(environ.get("REMOTE_ADDR", "")),
                request=request,
            )

    return answering


def _shown(path: str) -> str:
    """A path without what only its sender should know: the name of a file opens it."""
    if path in PATHS or path in BY_STATUS:
        return path
    return next((known for known in _FOLDERS if path.startswith(known)), "?")

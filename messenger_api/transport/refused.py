"""The refusal of requests that may not see the sandbox: JSON to apps, 403 with a sentence to browsers."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from messenger_api.domain.errors import BadValue, TryLater
from messenger_api.guard import TO_DO, refuse_plainly
from messenger_api.ops.call import JsonObject
from messenger_api.transport.addresses import PATHS
from messenger_api.transport.envelope import PREFLIGHT, Reply
from messenger_api.transport.reading import op_in_address

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_PAGES = ("GET", "HEAD")


def refuse(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """TRYLATER with the reason, for nothing is wrong with the user or the call."""
    method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO") or "/"
    if method in _PAGES and (path not in PATHS or "text/html" in environ.get("HTTP_ACCEPT", "")):
        return refuse_plainly(environ, start_response)
    if method == "OPTIONS":
        return PREFLIGHT.send(environ, start_response)
    answer: JsonObject = {
        "op": _op(environ),
        "ts": int(time.time()),
        "error": TryLater.code,
        "errtitle": "Sandbox",
        "errmsg": TO_DO,
        "result": "FAIL",
    }
    return Reply.of(answer).send(environ, start_response)


def _op(environ: WSGIEnvironment) -> str:
    try:
        return op_in_address(environ)
    except BadValue:
        return ""

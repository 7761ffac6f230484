"""What every answer of the API has: its status, its headers, and the members of a FAIL."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from messenger_api.domain.errors import ApiError
from messenger_api.domain.texts import say
from messenger_api.ops.call import JsonObject

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

HEADERS = [
    ("Content-Type", "application/json; charset=utf-8"),
    ("Cache-Control", "no-store, no-cache, must-revalidate, max-age=0"),
    ("Pragma", "no-cache"),
    ("X-Content-Type-Options", "nosniff"),
    ("Access-Control-Allow-Origin", "*"),
]


class Reply(msgspec.Struct, frozen=True):
    """An answer as it leaves: HTTP status line, headers, body."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes
    fault: BaseException | None = None
    """What was nobody's refusal but a fault of ours."""

    @classmethod
    def of(cls, answer: JsonObject, *, status: str = "200 OK", fault: BaseException | None = None) -> Reply:
        """An answer's members as JSON; a `retry_after` among them goes into a header, too."""
        body = msgspec.json.encode(answer)
        headers = _headers(body)
        if wait := answer.get("retry_after"):
            headers.append(("Retry-After", str(wait)))
        return cls(status, headers, body, fault)

    def send(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request of WSGI; HEAD gets the headers alone."""
        start_response(self.status, self.headers)
        return [self.body] if self.body and environ["REQUEST_METHOD"] != "HEAD" else []


def _headers(body: bytes) -> list[tuple[str, str]]:
    return [*HEADERS, ("Content-Length", str(len(body)))]


# The documented smoke test compares this text, member by member.
_NOOP_BODY = b'{"code": "NOOP", "result": "FAIL"}'
# To who names no op.
NOOP = Reply("200 OK", _headers(_NOOP_BODY), _NOOP_BODY)
# To OPTIONS, by which browsers ask whether a page of another origin may call.
PREFLIGHT = Reply(
    "204 No Content",
    [
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
        ("Access-Control-Allow-Headers", "Content-Type"),
        ("Access-Control-Max-Age", "86400"),
    ],
    b"",
)


def failure(error: ApiError, *, op: str, ts: int, language: str, result: object = "FAIL") -> JsonObject:
    """The members of a FAIL.

    Args:
        error: the refusal.
        op: as asked, in lower case; "" where it could not be read.
        ts: unix seconds.
        language: of the texts that a person reads (BCP 47).
        result: False for the uploaders that read a boolean.
    """
    answer: JsonObject = {"op": op, "ts": ts, "error": error.code}
    if error.message:
        answer["errtitle"] = say(error.title, language) if error.title else ""
        answer["errmsg"] = say(error.message, language, **error.values)
    if error.properties:
        answer["properties"] = list(error.properties)
    if error.retry_after:
        answer["retry_after"] = error.retry_after
    answer["result"] = result
    return answer

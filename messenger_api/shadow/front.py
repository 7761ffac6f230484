"""What the apps call while the demo and this product are compared."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from queue import Full, Queue
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

import msgspec
import structlog
from werkzeug.exceptions import HTTPException
from werkzeug.wsgi import get_input_stream

from messenger_api.gateways.http import HttpClient, NoResponse, Response, Timeouts
from messenger_api.shadow.comparison import Answer, differences
from messenger_api.shadow.ours import Ours
from messenger_api.shadow.tally import Tally
from messenger_api.transport.envelope import Reply

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log = structlog.get_logger(__name__)

PHP, OURS = "php", "ours"
# The demo waits for mesibo within a request.
TIMEOUTS = Timeouts(3.0, 60.0)
LARGEST_ANSWER = 64 * 1024 * 1024
# Requests that wait to be asked of ours while the demo's answers go out.
MOST_WAITING = 1_000
PATHS = frozenset({"/", "/api", "/api.php"})
# What stands in a path as it is (RFC 3986, 3.3).
SAFE = "/!$&'()*+,;=:@"
# Of one connection, and so not handed on (RFC 9110, 7.6.1); a body's length and packing are made anew.
OF_A_HOP = frozenset(
    {
        *("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"),
        *("host", "content-length", "content-encoding", "accept-encoding"),
    }
)
# What must not reach a phone because ours is the one that answers: it would log out, or call in vain.
WORSE = frozenset({"AUTHFAIL", "TRYLATER"})


class Exchange(NamedTuple):
    """A request and what the demo answered."""

    environ: WSGIEnvironment
    body: bytes
    php: Response
    answer: Answer


class Shadow:
    """A WSGI application. The demo is asked everything, and first: it stays complete whoever answers.

    Args:
        url: of the demo, without a path.
        ours: this product, on a moved copy.
        tally: what is told of the differences.
        answering: `PHP` or `OURS`, whose answers go out. Where ours has none that is good for the phone, the
            demo's goes out.
        largest: bytes that a body may have.
    """

    def __init__(self, url: str, ours: Ours, tally: Tally, *, answering: str, largest: int) -> None:
        self._url = url.rstrip("/")
        self._ours = ours
        self._tally = tally
        self._answers_itself = answering == OURS
        self._largest = largest
        self._client = HttpClient(TIMEOUTS, url=url, most_bytes=LARGEST_ANSWER)
        self._one_at_a_time = threading.Lock()
        self._waiting: Queue[Exchange | None] = Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._ask_ours, name="shadow", daemon=True)
        self._thread.start()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        try:
            body = get_input_stream(environ, max_content_length=self._largest).read()
            php = self._asked(environ, body)
        except HTTPException as refusal:
            return refusal.get_response(environ)(environ, start_response)
        except NoResponse as failure:
            log.error("shadow.no_answer", reason=failure.told)
            self._tally.count(failed=1)
            start_response("502 Bad Gateway", [("Content-Type", "text/plain"), ("Content-Length", "0")])
            return []
        reply = self._compared(environ, body, php) if _is_api(environ) else None
        if reply:
            return reply.send(environ, start_response)
        start_response(_status(php.status), _kept(php.headers, len(php.body)))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [php.body]

    def close(self) -> None:
        """Ask ours what waits, and stop."""
        self._waiting.put(None)
        self._thread.join()
        self._client.close()

    def _asked(self, environ: WSGIEnvironment, body: bytes) -> Response:
        method, address = environ["REQUEST_METHOD"], self._url + _address(environ)
        return self._client.request(method, address, data=body or None, headers=_headers(environ))

    def _compared(self, environ: WSGIEnvironment, body: bytes, php: Response) -> Reply | None:
        """Compare, now or later; ours, if it is to go out."""
        answer = _object(php.body)
        if answer is None:
            self._tally.count(failed=1)
            return None
        exchange = Exchange(dict(environ), body, php, answer)
        if self._answers_itself:
            reply = self._answered(exchange)
            return reply if self._is_good(reply, answer) else None
        try:
            self._waiting.put_nowait(exchange)
        except Full:
            self._tally.count(missed=1)
        return None

    def _answered(self, exchange: Exchange) -> Reply:
        with self._one_at_a_time:
            op = self._ours.op(exchange.environ, exchange.body)
            reply = self._ours.answer(exchange.environ, exchange.body, exchange.answer)
        ours = _object(reply.body) or {"answer": "none"}
        self._tally.compared(op or "(none)", differences(op, exchange.answer, ours))
        return reply

    def _is_good(self, reply: Reply, php: Answer) -> bool:
        """Whether our answer may go out: not where the phone is better off with the demo's."""
        ours = _object(reply.body) or {}
        worse = reply.fault is not None or ours.get("error") in WORSE
        if worse and php.get("error") != ours.get("error"):
            self._tally.count(handed_back=1)
            return False
        return True

    def _ask_ours(self) -> None:
        while exchange := self._waiting.get():
            try:
                self._answered(exchange)
            except Exception:
                log.exception("shadow.fault")
                self._tally.count(missed=1)


def _address(environ: WSGIEnvironment) -> str:
    """Path and query, as they came."""
    path = (environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")).encode("latin-1", "replace")
    query = environ.get("QUERY_STRING", "")
    return quote(path, safe=SAFE) + (f"?{query}" if query else "")


def _headers(environ: WSGIEnvironment) -> dict[str, str]:
    """What a request says of itself, and whom it comes from."""
    names = {name: name[5:].replace("_", "-").title() for name in environ if name.startswith("HTTP_")}
    headers = {name: str(environ[key]) for key, name in names.items() if name.lower() not in OF_A_HOP}
    if kind := environ.get("CONTENT_TYPE"):
        headers["Content-Type"] = kind
    if peer := environ.get("REMOTE_ADDR"):
        headers["X-Forwarded-For"] = ", ".join(filter(None, (headers.get("X-Forwarded-For"), peer)))
    return headers


def _is_api(environ: WSGIEnvironment) -> bool:
    """Whether a request runs an op, or asks for none as the documented smoke test does."""
    method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO") or "/"
    if method == "POST":
        return True
    return method == "GET" and path in PATHS and (path != "/" or "op=" in environ.get("QUERY_STRING", ""))


def _object(body: bytes) -> Answer | None:
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
    return found if isinstance(found, dict) else None


def _status(status: int) -> str:
    return f"{status} {'OK' if status == 200 else 'Answered'}"


def _kept(headers: Mapping[str, str], length: int) -> list[tuple[str, str]]:
    kept = [(name, value) for name, value in headers.items() if name.lower() not in OF_A_HOP]
    return [*kept, ("Content-Length", str(length))]

"""An HTTP server on loopback that plays mesibo by a script, for the tests of its client."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

# Certificate and key for 127.0.0.1, signed by itself: no system trusts it.
SELF_SIGNED = Path(__file__).with_name("self_signed.pem")

# No test waits for so long; it only keeps a failing test from hanging.
FOREVER = 10.0


@dataclass(frozen=True)
class Seen:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        pairs = parse_qsl(self.body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
        fields = dict(pairs)
        assert len(fields) == len(pairs), "a field was sent twice"
        return fields


class Stub(ThreadingHTTPServer):
    """Answers requests with the queued `answers` in turn, then with `{"result": true}`."""

    daemon_threads = False  # so that closing the server waits for them, and every socket gets closed

    def __init__(self, tls: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.tls = _tls_context() if tls else None
        self.answers: deque[Answer] = deque()
        self.seen: list[Seen] = []
        self.connections = 0
        self.open: set[socket.socket] = set()
        self.closed = threading.Semaphore(0)
        self.arrived = threading.Semaphore(0)
        self.release = threading.Event()

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.server_address[1]}/backend"

    def get_request(self) -> tuple[Any, Any]:
        connection, address = super().get_request()
        self.connections += 1
        if self.tls:
            # The handshake belongs into the handler's thread, which a client may break off.
            connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        self.open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        super().shutdown_request(request)
        self.closed.release()

    def server_close(self) -> None:
        """Close all, connections too that a client keeps for its next request: none comes."""
        for connection in list(self.open):
            with contextlib.suppress(OSError):  # closed meanwhile
                socket.socket.shutdown(connection, socket.SHUT_RD)
        super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that leave in the middle are what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Stub
    timeout = FOREVER

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append(Seen(self.command, self.path, dict(self.headers), body))
        answer = self.server.answers.popleft() if self.server.answers else ok()
        self.server.arrived.release()
        answer(self)

    def log_message(self, *_: Any) -> None:
        pass


Answer = Callable[[_Handler], None]


def plain(status: int, body: bytes, **headers: str) -> Answer:
    def send(handler: _Handler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return send


def ok(status: int = 200, /, **members: object) -> Answer:
    return plain(status, json.dumps({"result": True, **members}).encode())


def refused(status: int = 200, /, **members: object) -> Answer:
    return plain(status, json.dumps({"result": False, **members}).encode())


def hang_up(handler: _Handler) -> None:
    """Close the connection without a byte of an answer."""
    handler.close_connection = True


def held(answer: Answer) -> Answer:
    """Answer only once the test has set `release`."""

    def send(handler: _Handler) -> None:
        handler.server.release.wait(FOREVER)
        answer(handler)

    return send


def trickle(start: bytes) -> Answer:
    """Send `start`, then a byte every 20 ms until `release`, and never come to an end."""

    def send(handler: _Handler) -> None:
        handler.wfile.write(start)
        while not handler.server.release.wait(0.02):
            handler.wfile.write(b" ")
        handler.close_connection = True

    return send


def cut_short(handler: _Handler) -> None:
    """Promise more than is sent."""
    handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"result":')
    handler.close_connection = True


def not_http(handler: _Handler) -> None:
    handler.wfile.write(b"SSH-2.0-x\r\n")
    handler.close_connection = True


SLOW_BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
SLOW_HEAD = b"HTTP/1.1 200 OK\r\nX-Slow: "

# What is no answer of mesibo's: the reason that a client gives, and whether the call may have been done.
UNUSABLE: dict[str, tuple[Answer, str, bool]] = {
    "html with 200": (plain(200, b"<html>hello"), "not json", True),
    "an empty body": (plain(200, b""), "not json", True),
    "a JSON list": (plain(200, b"[true]"), "not json", True),
    "nothing but brackets": (plain(200, b"[" * 100_000), "not json", True),
    "bytes that are not UTF-8": (plain(200, b'{"result":"\xff"}'), "not json", True),
    "JSON without result": (plain(200, b'{"hello":1}'), "bad answer", True),
    "nginx: too large": (plain(413, b"<html>"), "http 413", False),
    "nginx: bad gateway": (plain(502, b"<html>"), "http 502", True),
    "nginx: timeout behind it": (plain(504, b""), "http 504", True),
    "a redirect": (plain(307, b"", Location="/elsewhere"), "redirect", False),
    "more than a MiB": (plain(200, b" " * (1024 * 1024 + 1)), "too large", True),
    "an end before the end": (cut_short, "broken", True),
    "no answer at all": (hang_up, "broken", True),
    "silence": (held(ok()), "timeout", True),
    "a body in drops": (trickle(SLOW_BODY), "timeout", True),
    "a head in drops": (trickle(SLOW_HEAD), "timeout", True),
    "not HTTP": (not_http, "broken", True),
}


@contextlib.contextmanager
def serving(*, tls: bool = False) -> Iterator[Stub]:
    server = Stub(tls)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.release.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _tls_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(SELF_SIGNED)
    return context

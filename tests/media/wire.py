"""The wire between the product and its bucket: HTTP passes through it, is recorded, and fails on request."""

from __future__ import annotations

import http.client
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from tests.processes import LOOPBACK


class Asked(NamedTuple):
    """A request that passed."""

    method: str
    path: str
    headers: dict[str, str]


@dataclass
class Fault:
    """What happens to one request instead of an answer, or in the middle of it."""

    status: int = 0
    code: str = ""
    hang: float = 0.0
    cut_after: int | None = None
    # Whether the bucket carries the request out all the same, and only its answer is lost.
    arrives: bool = False


@dataclass
class Wire:
    """A proxy before an S3 server; each request takes the next of `faults`, and all of them `always`."""

    target: int
    port: int = 0
    faults: deque[Fault | None] = field(default_factory=deque)
    always: Fault | None = None
    asked: list[Asked] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def methods(self) -> list[str]:
        return [asked.method for asked in self.asked]

    def next_fault(self) -> Fault | None:
        return self.faults.popleft() if self.faults else self.always


@contextmanager
def wire_to(port: int) -> Iterator[Wire]:
    """A wire to the S3 server on a port."""
    wire = Wire(port)
    server = _Server(wire)
    wire.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield wire
    finally:
        wire.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    def __init__(self, wire: Wire) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.wire = wire

    def handle_error(self, *_: object) -> None:
        """Nothing: the product may hang up, as it may on any server."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        self._relay()

    def do_HEAD(self) -> None:
        self._relay()

    def do_PUT(self) -> None:
        self._relay()

    def do_DELETE(self) -> None:
        self._relay()

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def _relay(self) -> None:
        wire = self.server.wire
        wire.asked.append(Asked(self.command, self.path, dict(self.headers)))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = wire.next_fault()
        if fault is None:
            self._pass_on(*self._answer(body))
        else:
            self._fail(fault, body)

    def _fail(self, fault: Fault, body: bytes) -> None:
        if fault.arrives:
            self._answer(body)
        if fault.hang:
            self.server.wire.released.wait(fault.hang)
        if fault.status:
            self._refuse(fault)
            return
        self.close_connection = True
        if fault.cut_after is not None:
            self._pass_on(*self._answer(body), most=fault.cut_after)

    def _answer(self, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
        headers = {**self.headers, "Connection": "close"}
        target = self.server.wire.target
        with closing(http.client.HTTPConnection(LOOPBACK, target, timeout=30)) as connection:
            connection.request(self.command, self.path, body or None, headers)
            response = connection.getresponse()
            return response, response.read()

    def _pass_on(self, response: http.client.HTTPResponse, body: bytes, most: int | None = None) -> None:
        self.send_response_only(response.status)
        for name, value in response.getheaders():
            if name.lower() not in ("connection", "transfer-encoding"):
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[:most])

    def _refuse(self, fault: Fault) -> None:
        body = f"<?xml version='1.0'?><Error><Code>{fault.code}</Code><Message>No.</Message></Error>"
        self.send_response_only(fault.status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body.encode())

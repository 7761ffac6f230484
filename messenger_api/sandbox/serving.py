"""A small threaded HTTP/1.1 server for the sandbox's WSGI application.

Werkzeug's own server closes the connection after every answer. Real mesibo and Twilio keep it open,
and a client's pool of connections is only tested, and only quick, against a server that does so too.
"""

from __future__ import annotations

import contextlib
import io
import logging
import socket
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from werkzeug.test import run_wsgi_app

from messenger_api.sandbox.faults import DROP, STOPPING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

# The application answers 413 long before; this only bounds the memory of a request.
LARGEST_BODY = 4 * 1024 * 1024
IDLE_SECONDS = 60
STOP_SECONDS = 2.0
_NO_BODY = (204, 304)

_log = logging.getLogger(__name__)


class HttpServer(ThreadingHTTPServer):
    """Serves `app`, one thread a connection; `server_close` ends open connections too."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], app: WSGIApplication) -> None:
        # First, for the base class closes the server when the port is taken.
        self.app = app
        self.stopping = threading.Event()
        self._open: dict[socket.socket, threading.Thread | None] = {}
        self._guard = threading.Lock()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without asking the name service for the host's full name, as the base class would."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, then give it a thread."""
        with self._guard:
            self._open[request] = None
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection to its end."""
        with self._guard:
            self._open[request] = threading.current_thread()
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._guard:
                self._open.pop(request, None)

    def server_close(self) -> None:
        """Close the listening socket and every connection, and wait a moment for their threads."""
        super().server_close()
        self.stopping.set()
        with self._guard:
            left = dict(self._open)
        for connection in left:
            hang_up(connection)
        for thread in filter(None, left.values()):
            thread.join(STOP_SECONDS)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log faults of ours; a client that goes away is none."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            _log.exception("sandbox: request failed")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024  # headers and body leave in one packet
    timeout = IDLE_SECONDS
    server: HttpServer

    def _serve(self) -> None:
        body = self._body()
        if body is None:
            return
        chunks, status, headers = run_wsgi_app(self.server.app, self._environ(body), buffered=True)
        answer = b"".join(chunks)
        code, _, reason = status.partition(" ")
        self.send_response_only(int(code), reason)
        headers["Content-Length"] = str(len(answer))
        if int(code) in _NO_BODY:
            headers.remove("Content-Length")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    do_GET = do_HEAD = do_POST = do_DELETE = do_OPTIONS = do_PUT = do_PATCH = _serve  # noqa: N815 - names of the base class

    def _body(self) -> bytes | None:
        if self.headers.get("Transfer-Encoding"):
            self.send_error(411)
            return None
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > LARGEST_BODY:
            self.send_error(413)
            return None
        return self.rfile.read(int(length))

    def _environ(self, body: bytes) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        sent = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.headers.items()}
        return {
            **sent,
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "REMOTE_ADDR": str(self.client_address[0]),
            "SERVER_NAME": self.server.server_name,
            "SERVER_PORT": str(self.server.server_port),
            "SERVER_PROTOCOL": self.request_version,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            DROP: self._dropper(),
            STOPPING: self.server.stopping,
        }

    def _dropper(self) -> Callable[[], None]:
        return lambda: hang_up(self.connection)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - name of the base class
        """Say nothing: a query holds tokens."""


def hang_up(connection: socket.socket) -> None:
    """End a connection at once; the thread that reads from it sees the end and closes it."""
    with contextlib.suppress(OSError):  # it may be gone already
        connection.shutdown(socket.SHUT_RDWR)

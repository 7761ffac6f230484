"""What the sandbox's servers share: a thread a connection, and an end that waits for nothing.

A server of the standard library looks now and then whether it shall stop. This one is woken.
"""

from __future__ import annotations

import contextlib
import io
import logging
import selectors
import socket
import sys
import threading
from collections.abc import Iterable
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import Headers
from werkzeug.test import run_wsgi_app

from messenger_api.sandbox.faults import DROP, STOPPING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

# The application answers 413 long before; this only bounds the memory of a request.
LARGEST_BODY = 4 * 1024 * 1024
IDLE_SECONDS = 60
STOP_SECONDS = 2.0

_log = logging.getLogger(__name__)


class Listener(ThreadingTCPServer):
    """Serves `app`, one thread a connection; `server_close` ends open connections too.

    Raises:
        OSError: the port is taken.
    """

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128
    timeout = 0  # of `handle_request`, which is called when a connection is there

    def __init__(
        self, address: tuple[str, int], app: WSGIApplication, handler: type[BaseRequestHandler]
    ) -> None:
        # First, for the base class closes the server when the port is taken.
        self.app = app
        self.stopping = threading.Event()
        self._open: dict[socket.socket, threading.Thread | None] = {}
        self._guard = threading.Lock()
        self._ended = threading.Event()
        self._woken, self._wake = socket.socketpair()
        self._thread: threading.Thread | None = None
        super().__init__(address, handler)

    @property
    def server_name(self) -> str:
        """The address that it listens on."""
        return str(self.server_address[0])

    @property
    def server_port(self) -> int:
        """The port that it listens on."""
        return int(self.server_address[1])

    def start(self, name: str) -> None:
        """Serve in a daemon thread of this name."""
        self._thread = threading.Thread(target=self.serve_forever, name=name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End what `start` began, and every connection."""
        self.shutdown()
        self.server_close()
        if self._thread:
            self._thread.join()

    def serve_forever(self, poll_interval: float = 0) -> None:
        """Take connections until `shutdown`."""
        with selectors.DefaultSelector() as waiting:
            waiting.register(self, selectors.EVENT_READ)
            waiting.register(self._woken, selectors.EVENT_READ)
            while all(key.fileobj is self for key, _ in waiting.select()):
                self.handle_request()
        self._ended.set()

    def shutdown(self) -> None:
        """End `serve_forever`, which runs in another thread."""
        self._wake.send(b"\0")
        self._ended.wait()

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
        self._woken.close()
        self._wake.close()
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

    def ask(
        self, connection: socket.socket, request: dict[str, Any], body: bytes
    ) -> tuple[str, Headers, bytes]:
        """What the application answers to a request: status, headers with the length, body."""
        environ = {
            **request,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            DROP: lambda: hang_up(connection),
            STOPPING: self.stopping,
        }
        chunks: Iterable[bytes]
        chunks, status, headers = run_wsgi_app(self.app, environ, buffered=True)
        answer = b"".join(chunks)
        headers["Content-Length"] = str(len(answer))
        return status, headers, answer


def hang_up(connection: socket.socket) -> None:
    """End a connection at once; the thread that reads from it sees the end and closes it."""
    with contextlib.suppress(OSError):  # it may be gone already
        connection.shutdown(socket.SHUT_RDWR)

"""A small threaded HTTP/1.1 server for the sandbox's WSGI application.

Werkzeug's own server closes the connection after every answer. Real mesibo and Twilio keep it open,
and a client's pool of connections is only tested, and only quick, against a server that does so too.
"""

from __future__ import annotations

import re
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from messenger_api.sandbox.listening import IDLE_SECONDS, LARGEST_BODY, Listener

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_NO_BODY = (204, 304)


class HttpServer(Listener):
    """Serves `app` over HTTP/1.1."""

    def __init__(self, address: tuple[str, int], app: WSGIApplication) -> None:
        super().__init__(address, app, _Handler)


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
        status, headers, answer = self.server.ask(self.connection, self._request(), body)
        code, _, reason = status.partition(" ")
        self.send_response_only(int(code), reason)
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
        if not re.fullmatch("[0-9]{1,9}", length) or int(length) > LARGEST_BODY:
            self.send_error(413)
            return None
        return self.rfile.read(int(length))

    def _request(self) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        sent = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.headers.items()}
        return {
            **sent,
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "REMOTE_ADDR": str(self.client_address[0]),
            "SERVER_NAME": self.server.server_name,
            "SERVER_PORT": str(self.server.server_port),
            "SERVER_PROTOCOL": self.request_version,
        }

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - name of the base class
        """Say nothing: a query holds tokens."""

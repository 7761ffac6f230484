"""The sandbox behind a web server that speaks FastCGI, as mesibo's own backend on premise is."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from socketserver import StreamRequestHandler
from typing import TYPE_CHECKING

from messenger_api.domain.network import is_loopback
from messenger_api.sandbox.fastcgi import FastCgiError, Record, Request, Requests, answer
from messenger_api.sandbox.listening import IDLE_SECONDS, LARGEST_BODY, Listener

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

# For a web server that is told to leave them out; HTTP/1.0 is what the sandbox's guard takes for a proxy.
_UNSAID = {
    "REQUEST_METHOD": "GET",
    "QUERY_STRING": "",
    "SERVER_NAME": "",
    "SERVER_PORT": "",
    "SERVER_PROTOCOL": "HTTP/1.0",
}

_log = logging.getLogger(__name__)


class FastCgiServer(Listener):
    """Serves `app` to web servers, over FastCGI."""

    def __init__(self, address: tuple[str, int], app: WSGIApplication) -> None:
        super().__init__(address, app, _Handler)


class _Handler(StreamRequestHandler):
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024
    timeout = IDLE_SECONDS
    server: FastCgiServer

    def handle(self) -> None:
        """Serve the requests of one connection."""
        try:
            for request in Requests(self.rfile, self._reply, LARGEST_BODY):
                self._serve(request)
        except FastCgiError as error:
            _log.warning("sandbox: no FastCGI: %s", error)

    def _reply(self, record: Record) -> None:
        self.wfile.write(record.encode())
        self.wfile.flush()

    def _serve(self, request: Request) -> None:
        status, headers, body = self.server.ask(self.connection, self._environ(request.params), request.body)
        lines = [("Status", status), *headers.items()]
        head = "".join(f"{name}: {value}\r\n" for name, value in lines) + "\r\n"
        for record in answer(request.number, head.encode("latin-1") + body):
            self.wfile.write(record.encode())
        self.wfile.flush()

    def _environ(self, params: Mapping[str, str]) -> dict[str, object]:
        # A web server of this machine is believed whose request it is; of any other one it is that machine's.
        peer = str(self.client_address[0])
        client = params.get("REMOTE_ADDR", "") if is_loopback(peer) else peer
        # Names with a dot are WSGI's own.
        told = {name: value for name, value in params.items() if "." not in name}
        path = params.get("SCRIPT_NAME", "") + params.get("PATH_INFO", "")
        return {**_UNSAID, **told, "SCRIPT_NAME": "", "PATH_INFO": path, "REMOTE_ADDR": client}

"""A server that notes each call of the API as the product reads it, and serves the playground's scripts."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from messenger_api.configuration import build
from messenger_api.transport.reading import LISTS, read
from tests.servers import ROOT

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

SCRIPTS = ROOT / "messenger_api" / "static" / "playground"
API = "/api.php"


@dataclass
class Seen:
    """A call: its fields by their names, and its file's bytes."""

    method: str
    fields: dict[str, Any]
    file: bytes | None


@dataclass
class Echo:
    """The server's application."""

    calls: list[Seen] = field(default_factory=list)
    url: str = ""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == API:
            return self._note(environ, start_response)
        if path.endswith(".js"):
            start_response("200 OK", [("Content-Type", "text/javascript; charset=utf-8")])
            return [(SCRIPTS / path.rpartition("/")[2]).read_bytes()]
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [b"<!doctype html><title>Echo</title><link rel=icon href=data:,>"]

    def _note(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        asked = read(environ, build(mesibo_app_token="t"))
        self.calls.append(
            Seen(environ["REQUEST_METHOD"], _plain(asked.fields), asked.file.data if asked.file else None)
        )
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps({"result": "OK"}).encode()]


def _plain(fields: Any) -> dict[str, Any]:
    """The fields, a list of which a form has one text as that text."""
    return {
        name: value[0] if name in LISTS and isinstance(value, list) and len(value) == 1 else value
        for name, value in fields.items()
    }


class _Threads(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def serving() -> Iterator[Echo]:
    """The server, on a free port of the loopback address."""
    echo = Echo()
    with make_server("127.0.0.1", 0, echo, server_class=_Threads, handler_class=_Quiet) as server:
        echo.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield echo
        server.shutdown()
        thread.join()

"""A company's own service of people, over real HTTP, as docs/examples/own_login_method.py asks one."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PASSWORD = "correct horse battery"


class People(BaseHTTPRequestHandler):
    """Knows ana, and is broken for broken."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, answer = self.judge(asked)
        payload = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def judge(self, asked: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if self.path == "/ping":
            return 200, {}
        if self.path != "/login" or asked.get("user") == "broken":
            return 500, {}
        if asked == {"user": "ana", "password": PASSWORD}:
            return 200, {"user": "ana", "name": "Ana Lee"}
        return 401, {}

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        return


@contextmanager
def people_service() -> Iterator[str]:
    """Its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), People)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

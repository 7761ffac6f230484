"""In mesibo's place for the shadow: says yes to everything, with the token or gid that the demo was given."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import msgspec
from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# Beyond what mesibo has given.
FIRST_UNKNOWN = 10**12


class Silent(WSGIRequestHandler):
    """Logs nothing: what is asked names people."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - name of the base class
        """Say nothing."""


class StandIn:
    """Answers ops of mesibo's backend API in its `form` style. Nobody is told anything.

    `token` and `gid`: what the next useradd and groupadd answer, as the demo's own answer had them.
    """

    def __init__(self) -> None:
        self.token = ""
        self.gid = 0
        self._numbers = count(FIRST_UNKNOWN)
        self._uids: dict[str, int] = {}
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=Silent)
        self._thread = threading.Thread(target=self._server.serve_forever, name="stand-in", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it takes mesibo's ops."""
        return f"http://127.0.0.1:{self._server.server_port}/api.php"

    def know(self, address: str, uid: int) -> None:
        """Answer useradd of this address with this uid, as mesibo would."""
        self._uids[address] = uid

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        fields = {name: values[-1] for name, values in parse_qs(body.decode()).items()}
        answer = {"op": fields.get("op", ""), "result": True, **self._more(fields)}
        encoded = msgspec.json.encode(answer)
        start_response(
            "200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(encoded)))]
        )
        return [encoded]

    def _more(self, fields: dict[str, str]) -> dict[str, object]:
        if fields.get("op") == "useradd":
            uid = self._uids.setdefault(fields.get("addr", ""), next(self._numbers))
            return {"user": {"uid": uid, "token": self.token or f"shadow-{next(self._numbers)}"}}
        if fields.get("op") == "groupadd":
            return {"group": {"gid": self.gid or next(self._numbers)}}
        return {}

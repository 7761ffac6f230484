"""A stand-in for the PHP demo over real HTTP: it answers the recorded calls as the demo did, in order.

Calls between the recorded ones are answered as the demo's other answers and its specification say.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from werkzeug import Request, Response
from werkzeug.serving import make_server

from messenger_api.shadow.stand_in import Silent
from tests.contract.replay import RECORDED_AT, exchanges
from tests.contract.test_php_demo import ANN, BOB, CEE, SET_UP

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PHOTO = "1795174363-583c5eae998020ad.png"


@dataclass
class Played:
    """A call and the demo's answer to it, its tokens those of phones."""

    method: str
    fields: Mapping[str, str]
    files: Mapping[str, Any]
    answer: dict[str, Any]
    name: str = ""


@dataclass
class PhpDemo:
    """Answers the calls of `script`, in their order; any other with `other`."""

    script: list[Played]
    other: dict[str, Any] = field(default_factory=lambda: {"result": "OK"})
    url: str = ""
    asked: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with Request(environ) as request:
            fields = {**request.args, **request.form}
            self.asked.append(request.full_path.rstrip("?"))
            self.headers.append(dict(request.headers))
        if request.path.startswith("/files/"):
            return Response(b"\xff\xd8 a picture", mimetype="image/jpeg")(environ, start_response)
        answer = self.other
        if self.script and self.script[0].fields == fields:
            answer = self.script.pop(0).answer
        # As PHP: the type of a page, whatever it is.
        return Response(json.dumps(answer), content_type="text/html; charset=UTF-8")(environ, start_response)


def token(number: int) -> str:
    """The token that the recording calls `<token 1>`."""
    return f"{number}{'t' * 47}"


def script() -> list[Played]:
    """The whole recording, with the calls between."""
    found: list[Played] = []
    for exchange in exchanges():
        steps = SET_UP.get(exchange["name"], ())
        found += [Played("POST", _known(s.fields), s.files, _between(s.fields)) for s in steps]
        request, answer = exchange["request"], _known(exchange["response"])
        files = request.get("files", {})
        found.append(Played(request["method"], _known(request["fields"]), files, answer, exchange["name"]))
    return found


@contextmanager
def running(demo: PhpDemo) -> Iterator[PhpDemo]:
    """Have it listen."""
    server = make_server("127.0.0.1", 0, demo, threaded=True, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    demo.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield demo
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _known(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _known(item) for key, item in value.items()}
    if isinstance(value, str) and value.startswith("<token "):
        return token(int(value[7:-1]))
    return value


def _between(fields: Mapping[str, str]) -> dict[str, Any]:
    """The demo's answer to a call that was not recorded."""
    recorded = {exchange["name"]: exchange["response"] for exchange in exchanges()}
    tail = {key: recorded["profile-set"][key] for key in ("share", "invite", "urls", "result")}
    head = {"op": fields["op"], "ts": RECORDED_AT}
    if fields["op"] == "login":
        own: dict[str, Any] = {"name": "Bob", "status": "Hi there 😀", "photo": PHOTO, "phone": BOB}
        return {**head, "token": token(5), **tail, **own, "cc": "1", "google": "Google Map Key"}
    if fields["op"] == "upload":
        own = {"phone": int(BOB), "gid": 0, "profile": 1, "photo": PHOTO, "name": "Bob", "tn": "tn"}
        return {**head, **own, "status": "Hi there 😀", **tail}
    if fields["op"] == "setgroup":
        own = {"gid": 5002, "photo": "", "name": "Café x", "status": RECORDED_AT}
        return {**head, **own, "members": f"1:{BOB},{CEE},{ANN}", **tail}
    return {**head, **tail}

"""mesibo's strict stand-in behind a recorder of every call that reaches it, in either wire style."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from flask import Flask, request

from messenger_api.sandbox import SandboxStore
from messenger_api.sandbox.server import sandbox_app
from messenger_api.sandbox.serving import HttpServer

APP_TOKEN = "an app token"

Call = dict[str, Any]

# The JSON generation's names for api.php's flat ones, with the JSON type of each. What it has no name
# for, or leaves to mesibo's default, a JSON call does not carry (see LEFT_OUT).
JSON_NAMES: Mapping[str, tuple[str, type]] = {
    "op": ("op", str),
    "token": ("token", str),
    "user.address": ("addr", str),
    "user.uid": ("uid", int),
    "user.name": ("name", str),
    "user.token.appid": ("appid", str),
    "user.token.expiry": ("expiry", int),
    "user.token.delete": ("delete", bool),
    "group.gid": ("gid", int),
    "group.name": ("name", str),
    "group.expiry": ("expiry", int),
    "group.expiryext": ("expiryext", int),
    "group.members.m": ("m", str),
    "group.members.remove": ("delete", int),
    "message.from": ("from", str),
    "message.to": ("to", str),
    "message.gid": ("gid", int),
    "message.type": ("type", int),
    "message.expiry": ("expiry", int),
    "message.flags": ("flag", int),
    "message.forced": ("forced", bool),
    "message.message": ("msg", str),
}
LEFT_OUT: Mapping[str, Mapping[str, str]] = {
    "useradd": {"session": "0", "flag": "0", "restrictions": "0"},
    "groupadd": {"gid": "0", "flag": "0"},
    "groupset": {"flag": "0"},
    "groupeditmembers": {"delete": "0"},
    "message": {"channel": "0"},
}


class RecordingMesibo:
    """Serves a sandbox on loopback from `start` to `stop`; `taken()` hands out what came in since."""

    def __init__(self, style: str) -> None:
        self.style = style
        self.store = SandboxStore()
        self._calls: list[Call] = []
        app = sandbox_app(self.store, APP_TOKEN)
        app.before_request(self._note)
        self._server = self._serve(app)

    def _serve(self, app: Flask) -> HttpServer:
        server = HttpServer(("127.0.0.1", 0), app)
        self._thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return server

    @property
    def settings(self) -> dict[str, object]:
        """The keys that point a product here."""
        path = "api.php" if self.style == "form" else "backend"
        return {
            "mesibo_api_url": f"http://127.0.0.1:{self._server.server_port}/{path}",
            "mesibo_api_style": self.style,
            "mesibo_app_token": APP_TOKEN,
        }

    def taken(self) -> list[Call]:
        """The calls since the last time, oldest first, as api.php's flat texts with `msg` read."""
        calls, self._calls = self._calls, []
        return calls

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self.store.close()

    def _note(self) -> None:
        body = request.get_data()
        call = _flat_form(body) if self.style == "form" else _flat_json(body)
        assert len(body) <= 8192, "on-premise refuses a longer request"
        assert call["token"] == APP_TOKEN
        call["token"] = "<app token>"
        if "msg" in call:
            call["msg"] = msgspec.json.decode(call["msg"])
        self._calls.append(call)


def _flat_form(body: bytes) -> Call:
    pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs), "a field was sent twice"
    return dict(pairs)


def _flat_json(body: bytes) -> Call:
    call: Call = {}
    for path, value in _leaves(json.loads(body)):
        name, kind = JSON_NAMES[path]
        assert type(value).__name__ == kind.__name__, f"{path} is no {kind.__name__}"
        call[name] = str(int(value)) if kind is bool else str(value)
    left_out = LEFT_OUT.get(call["op"], {})
    # Only what it means by leaving it out is filled in; a value that is sent stays what it is.
    return {**left_out, **call}


def _leaves(members: Mapping[str, Any], above: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in members.items():
        found += _leaves(value, f"{above}{name}.") if isinstance(value, dict) else [(above + name, value)]
    return found

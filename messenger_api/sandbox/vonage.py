"""A stand-in for Vonage's SMS API, below `/vonage`.

Fields and statuses are those of https://developer.vonage.com/en/api/sms. Stricter in three things: an
unknown field is refused, and so is a text whose letters do not fit its type, or would fit a cheaper one.
The recipients with a fixed fate are the stand-in's own.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping

from flask import Blueprint, Response, jsonify, request

from messenger_api.sandbox import texts
from messenger_api.sandbox.faults import Faults, play
from messenger_api.sandbox.segments import is_gsm, segments
from messenger_api.sandbox.store import SandboxStore

PREFIX = "/vonage"
_NEEDED = ("api_key", "api_secret", "from", "to", "text")
_OPTIONAL = ("type", "callback", "ttl", "client-ref", "status-report-req")
_TO = re.compile(r"[1-9][0-9]{6,14}")
_SENDER = re.compile(r"[1-9][0-9]{2,14}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
_CALLBACK = re.compile(r"https?://[^/ ]+/.*")
_MAGIC = {"15005550001": "6", "15005550004": "7", "15005550009": "33"}
_WORDS = {
    "1": "Throttled",
    "2": "Missing parameters",
    "3": "Invalid parameters",
    "4": "Bad Credentials",
    "5": "Internal error",
    "6": "Unroutable message",
    "7": "Number barred",
    "15": "Invalid sender address",
    "23": "Invalid callback URL",
    "33": "Number de-activated",
}


def vonage_api(store: SandboxStore, key: str, secret: str) -> Blueprint:
    """Routes that answer as Vonage does to this account; accepted texts go to the store."""
    routes = Blueprint("sandbox_vonage", __name__, url_prefix=PREFIX)

    @routes.post("/sms/json")
    def send() -> Response:
        return play(Faults(store).take("sms", "vonage"), lambda: _answered(store, key, secret), _refused)

    @routes.get("/account/get-balance")
    def balance() -> Response:
        given = request.authorization
        found = (given.username or "", given.password or "") if given and given.type == "basic" else ("", "")
        if not _same(found, (key, secret)):
            answer = jsonify(**{"error-code": "401", "error-code-label": "authentication failed"})
            answer.status_code = 401
            return answer
        return jsonify(value=10.28, autoReload=False)

    return routes


def _answered(store: SandboxStore, key: str, secret: str) -> Response:
    fields = request.form.to_dict()
    if status := _fault(fields, (key, secret)):
        return _refused(status)
    texts.send(store, fields["to"], fields["text"], "vonage", fields["from"])
    parts = [_part(fields["to"]) for _ in range(segments(fields["text"]))]
    return jsonify(**{"message-count": str(len(parts)), "messages": parts})


def _fault(fields: Mapping[str, str], account: tuple[str, str]) -> str:
    """The status of the refusal; "" when all is right."""
    if not all(fields.get(name) for name in _NEEDED):
        return "2"
    if not _same((fields["api_key"], fields["api_secret"]), account):
        return "4"
    if not _is_valid(fields):
        return "3"
    if not _SENDER.fullmatch(fields["from"]):
        return "15"
    if "callback" in fields and not _CALLBACK.fullmatch(fields["callback"]):
        return "23"
    return _MAGIC.get(fields["to"], "")


def _is_valid(fields: Mapping[str, str]) -> bool:
    kind = "text" if is_gsm(fields["text"]) else "unicode"
    right = _TO.fullmatch(fields["to"]) and fields.get("type", "text") == kind
    return bool(right) and not request.args and not set(fields) - {*_NEEDED, *_OPTIONAL}


def _same(found: tuple[str, str], expected: tuple[str, str]) -> bool:
    return hmac.compare_digest("\n".join(found).encode(), "\n".join(expected).encode())


def _part(to: str) -> dict[str, str]:
    return {
        "to": to,
        "message-id": secrets.token_hex(8).upper(),
        "status": "0",
        "remaining-balance": "10.28000000",
        "message-price": "0.03330000",
        "network": "00000",
    }


def _refused(status: str) -> Response:
    """Vonage answers a refusal with HTTP 200."""
    part = {"status": status, "error-text": _WORDS.get(status, "A fault set in the sandbox")}
    return jsonify(**{"message-count": "1", "messages": [part]})

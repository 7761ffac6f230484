"""A stand-in for mesibo's backend API: it keeps what it is sent, and answers as mesibo does.

Always HTTP 200 with one JSON object, failures included, as mesibo's cloud does. The one exception is a
request body over `max_body` bytes: there the nginx of mesibo's on-premise image answers 413 with HTML
(`client_max_body_size 8192`).
"""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from messenger_api.mesibo.specification import document, operations
from messenger_api.sandbox import answers_app, answers_groups, answers_messages, answers_users
from messenger_api.sandbox.cors import allow_browsers
from messenger_api.sandbox.envelopes import any_envelope, strict_envelope
from messenger_api.sandbox.faults import Faults, html_page, play
from messenger_api.sandbox.records import RecordedCall
from messenger_api.sandbox.store import SandboxStore
from messenger_api.sandbox.wire import Call, Envelope, RefusedError, read

ON_PREMISE_MAX_BODY: int = document()["limits"]["body"]["value"]
# Scripts and certificates are longer than the other requests; no limit of theirs is documented.
MAX_UPLOAD = 1024 * 1024
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
ACCOUNT_KEY = "sandbox"
# Where the product's own port has it; at the root it is only at an address of its own.
MESIBO_PREFIX = "/sandbox/mesibo"

Result = dict[str, Any]
Handler = Callable[[SandboxStore, Call], Result]
HANDLERS: Mapping[str, Handler] = {
    **answers_users.HANDLERS,
    **answers_groups.HANDLERS,
    **answers_messages.HANDLERS,
    **answers_app.HANDLERS,
}

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Backend:
    """How the stand-in answers.

    Attributes:
        store: what is remembered.
        app_token: lets in to the app of `store`; other apps' tokens are those that appadd made.
        account_key: lets in to appadd.
        max_body: bytes of a body beyond which 413 is answered; None for no limit.
        strict: whether what mesibo does not document is refused.
        shown: whether pages of any site may call, beside those of this machine.
        on_call: is told of every call, before its answer leaves.
    """

    store: SandboxStore
    app_token: str
    account_key: str = ACCOUNT_KEY
    max_body: int | None = ON_PREMISE_MAX_BODY
    strict: bool = False
    shown: bool = False
    on_call: Callable[[RecordedCall], None] | None = None

    def record(self, envelope: Envelope | None, answer: Response) -> None:
        """Tell of a call; the envelope is None where it could not be read."""
        if self.on_call:
            said = answer.get_json() if answer.is_json else {}
            op, style, fields = (envelope.op, envelope.style, envelope.fields) if envelope else ("", "", {})
            self.on_call(RecordedCall(op, style, fields, said, self.store.now()))


def mesibo_backend(backend: Backend, *, prefix: str = "", name: str = "sandbox_mesibo") -> Blueprint:
    """Routes that answer as mesibo does: `/backend`, `/mesiboapi` and `/api.php` behind `prefix`."""
    routes = Blueprint(name, __name__, url_prefix=prefix or None)

    def respond() -> Response:
        if request.method == "OPTIONS":
            return Response(status=204)
        body, most = request.get_data(), backend.max_body
        if most is not None and request.mimetype == "multipart/form-data":
            most = max(most, MAX_UPLOAD)
        if most is not None and len(body) > most:
            return html_page(413, "413 Request Entity Too Large")
        envelope, answer = _answer(backend, request.path.removeprefix(prefix))
        backend.record(envelope, answer)
        return answer

    for path in ("/backend", "/mesiboapi", "/api.php"):
        for slash in ("", "/"):
            routes.add_url_rule(path + slash, "respond", respond, methods=METHODS)
    allow_browsers(routes, METHODS, everywhere=backend.shown)
    return routes


def _answer(backend: Backend, path: str) -> tuple[Envelope | None, Response]:
    try:
        envelope = strict_envelope(path) if backend.strict else any_envelope()
    except RefusedError as refusal:
        return None, _json(_refused(None, refusal))
    if not envelope.op:
        return envelope, _json({"error": "MISSINGOP", "result": False})

    def work() -> Response:
        return _json(_result(backend, envelope))

    def failed(error: str) -> Response:
        code = 401 if error == "AUTHFAIL" else 400
        refusal = RefusedError(error, code, "a fault set in the sandbox", action="clear the sandbox's faults")
        return _json(_refused(envelope, refusal))

    return envelope, play(Faults(backend.store).take(envelope.op, "*"), work, failed)


def _result(backend: Backend, envelope: Envelope) -> Result:
    try:
        store = _store_of(backend, envelope)
        if envelope.op not in HANDLERS:
            ops = ", ".join(HANDLERS)
            raise RefusedError("BADOP", 400, "there is no such op", ["op"], f"send one of: {ops}")
        found = HANDLERS[envelope.op](store, read(envelope, strict=backend.strict))
    except RefusedError as refusal:
        return _refused(envelope, refusal)
    except Exception:  # noqa: BLE001 - it is logged
        # Whatever goes wrong here, a caller gets what every answer of mesibo is: one JSON object.
        _log.exception("sandbox: %s failed", envelope.op if envelope.op in HANDLERS else "an op")
        failure = RefusedError("SANDBOX", 500, "the sandbox failed; its log says why", action="report it")
        return _refused(envelope, failure)
    shown = _as_strings(found) if envelope.form else found
    return {**shown, "op": envelope.op, **_id(envelope), "result": True}


def _store_of(backend: Backend, envelope: Envelope) -> SandboxStore:
    """The memory of the app that the token lets in to."""
    op = operations().get(envelope.op)
    if op is not None and op.auth == "key":
        if _same(envelope.key, backend.account_key):
            return backend.store
        raise RefusedError("AUTHFAIL", 401, "wrong API key", ["key"], "send the account's API key")
    if _same(envelope.token, backend.app_token):
        return backend.store
    found = backend.store.store_of(envelope.token) if isinstance(envelope.token, str) else None
    if found is None:
        action = "send the app token that the sandbox was started with"
        raise RefusedError("AUTHFAIL", 401, "invalid or expired app token", ["token"], action)
    return found


def _same(given: object, wanted: str) -> bool:
    return hmac.compare_digest(str(given).encode(errors="replace"), wanted.encode())


def _refused(envelope: Envelope | None, refusal: RefusedError) -> Result:
    op = {"op": envelope.op, **_id(envelope)} if envelope else {}
    properties = {"properties": refusal.properties} if refusal.properties else {}
    said = {"error": refusal.error, "code": refusal.code, "cause": refusal.cause, "action": refusal.action}
    return {**op, **said, **properties, "result": False}


def _id(envelope: Envelope) -> Result:
    return {} if envelope.id is None else {"id": envelope.id}


def _json(answer: Result) -> Response:
    return Response(json.dumps(answer, separators=(",", ":")), mimetype="application/json")


def _as_strings(value: Any) -> Any:
    """api.php's documentation shows its numbers as strings."""
    if isinstance(value, dict):
        return {key: _as_strings(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_strings(item) for item in value]
    return str(int(value)) if isinstance(value, int) else value

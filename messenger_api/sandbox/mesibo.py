"""A stand-in for mesibo's backend API: strict about what it is sent, faithful in what it answers.

Always HTTP 200 with one JSON object, failures included, as mesibo's cloud does. The one exception is a
request body over `max_body` bytes: there the nginx of mesibo's on-premise image answers 413 with HTML
(`client_max_body_size 8192`). Permissions, expiries and per-group flags are read and not acted on.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, request

from messenger_api.sandbox import otps
from messenger_api.sandbox.faults import Faults, html_page, play
from messenger_api.sandbox.records import Group, User
from messenger_api.sandbox.store import SandboxStore, UnknownAddressError, UnknownGroupError
from messenger_api.sandbox.wire import (
    FIELDS,
    Call,
    Envelope,
    RefusedError,
    envelope_of_form,
    envelope_of_json,
    read,
)

# usersget and groupgetmembers list at most 20 (documented); the same for groupsget is inferred.
LONGEST_LIST = 20
ON_PREMISE_MAX_BODY = 8192
YEAR_SECONDS = 365 * 24 * 3600

Result = dict[str, Any]
Handler = Callable[[SandboxStore, Call], Result]


def mesibo_backend(
    store: SandboxStore, app_token: str, *, max_body: int | None = ON_PREMISE_MAX_BODY
) -> Blueprint:
    """Routes that answer as mesibo does.

    `/backend`, `/backend/` and `/mesiboapi` take JSON (and flat names in a GET query), `/api.php`
    takes flat names in a form or a query.

    Args:
        store: what is remembered.
        app_token: the only token that is let in.
        max_body: bytes of a body beyond which 413 is answered; None for no limit.
    """
    routes = Blueprint("sandbox_mesibo", __name__)

    def answer() -> Response:
        if max_body is not None and len(request.get_data()) > max_body:
            return html_page(413, "413 Request Entity Too Large")
        return _answer(store, app_token)

    for path in ("/backend", "/backend/", "/mesiboapi", "/api.php"):
        routes.add_url_rule(path, "answer", answer, methods=["GET", "POST"])
    return routes


def _answer(store: SandboxStore, app_token: str) -> Response:
    try:
        envelope = _envelope()
    except RefusedError as refusal:
        return _json(_refused(None, refusal))
    if not envelope.op:
        return _json({"error": "MISSINGOP", "result": False})

    def work() -> Response:
        return _json(_result(store, envelope, app_token))

    def failed(error: str) -> Response:
        code = 401 if error == "AUTHFAIL" else 400
        return _json(_refused(envelope, RefusedError(error, code, "a fault set in the sandbox")))

    return play(Faults(store).take(envelope.op, "*"), work, failed)


def _envelope() -> Envelope:
    if request.method == "GET" or request.path == "/api.php":
        return envelope_of_form(request.values.to_dict(flat=False))
    body = request.get_data()
    if body and request.mimetype != "application/json":
        raise RefusedError("BADVALUE", 400, "Content-Type is not application/json")
    return envelope_of_json(body or b"{}")


def _result(store: SandboxStore, envelope: Envelope, app_token: str) -> Result:
    try:
        if not hmac.compare_digest(str(envelope.token).encode(errors="replace"), app_token.encode()):
            raise RefusedError("AUTHFAIL", 401, "invalid or expired app token", ["token"])
        if envelope.op not in FIELDS:
            raise RefusedError("BADOP", 400, "there is no such op", ["op"])
        found = HANDLERS[envelope.op](store, read(envelope))
    except RefusedError as refusal:
        return _refused(envelope, refusal)
    shown = _as_strings(found) if envelope.form else found
    return {**shown, "op": envelope.op, **_id(envelope), "result": True}


def _refused(envelope: Envelope | None, refusal: RefusedError) -> Result:
    op = {"op": envelope.op, **_id(envelope)} if envelope else {}
    properties = {"properties": refusal.properties} if refusal.properties else {}
    failure = {"error": refusal.error, "code": refusal.code, "cause": refusal.cause}
    return {**op, **failure, **properties, "result": False}


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


def _useradd(store: SandboxStore, call: Call) -> Result:
    # JSON asks for a token by the presence of user.token; a form always does.
    wants_token = call.form or "user.token" in call.objects
    if wants_token and not call.text("appid"):
        raise call.missing("appid")
    if call.text("otp") and not otps.check(store, call.text("address"), call.text("otp")):
        raise call.bad("otp", "wrong or expired")
    active = call.flag("active") if "active" in call.values else None
    name = call.text("name") if "name" in call.values else None
    user = store.put_user(call.text("address"), name=name, active=active, flag=_flag(call))
    answer: Result = {"uid": user.uid, "address": user.address}
    if wants_token:
        minted = store.mint_token(user.address, call.text("appid"), v2=call.flag("v2"))
        answer["token"] = minted.token
    return {"user": answer}


def _userset(store: SandboxStore, call: Call) -> Result:
    user = _user(store, call)
    active = call.flag("active") if "active" in call.values else None
    store.put_user(user.address, active=active, flag=_flag(call))
    return {}


def _userdel(store: SandboxStore, call: Call) -> Result:
    store.delete_user(_user(store, call).address)
    return {}


def _usertoken(store: SandboxStore, call: Call) -> Result:
    user = _user(store, call)
    appid = call.text("appid")
    if not appid:
        raise call.missing("appid")
    if call.flag("delete") or call.flag("remove"):
        store.delete_tokens(user.address, appid)
        return {}
    minted = store.mint_token(user.address, appid, v2=call.flag("v2"))
    return {"user": {"uid": user.uid, "address": user.address, "appid": appid, "token": minted.token}}


def _usersget(store: SandboxStore, call: Call) -> Result:
    found = store.users(call.text("address", "*") or "*", _count(call))
    return {"users": [_shown_user(user) for user in found]}


def _shown_user(user: User) -> Result:
    return {
        "uid": user.uid,
        "address": user.address,
        "name": user.name,
        "active": int(user.active),
        "flag": user.flag,
    }


def _otp(store: SandboxStore, call: Call) -> Result:
    tries, expiry = call.whole("tries", otps.TRIES), call.whole("expiry", otps.SECONDS)
    address, reuse = call.text("address"), call.flag("reuse")
    return {"otp": otps.make(store, address, tries=tries, expiry=expiry, reuse=reuse)}


def _groupadd(store: SandboxStore, call: Call) -> Result:
    if call.whole("gid"):
        raise call.bad("gid", "a new group gets its id from mesibo")
    try:
        group = store.add_group(call.text("name"), call.addresses("members"), flag=call.whole("flag"))
    except UnknownAddressError as error:
        raise call.bad("members", str(error)) from error
    return {"group": {"gid": group.gid}}


def _groupset(store: SandboxStore, call: Call) -> Result:
    # Whether groupset's members replace the old ones is not documented. Here they are added, so that a
    # caller who counts on the removal of the others is found out.
    name = call.text("name") if "name" in call.values else None
    active = call.flag("active") if "active" in call.values else None
    group = _edit(store, call, name=name, flag=_flag(call), active=active, add=call.addresses("members"))
    return {"group": {"gid": group.gid}}


def _groupeditmembers(store: SandboxStore, call: Call) -> Result:
    _edit(store, call, **{"remove" if call.flag("delete") else "add": call.addresses("members")})
    return {}


def _groupdel(store: SandboxStore, call: Call) -> Result:
    if not store.delete_group(call.whole("gid")):
        raise call.bad("gid", "there is no such group")
    return {}


def _groupgetmembers(store: SandboxStore, call: Call) -> Result:
    group = store.group(call.whole("gid"))
    if group is None:
        raise call.bad("gid", "there is no such group")
    listed = group.members[: _count(call)]
    return {"members": [{"address": address, "cansend": 1, "canrecv": 1} for address in listed]}


def _groupsget(store: SandboxStore, call: Call) -> Result:
    found = store.groups(call.text("name", "*") or "*", _count(call))
    return {"groups": [{"gid": group.gid, "name": group.name, "flag": group.flag} for group in found]}


def _message(store: SandboxStore, call: Call) -> Result:
    sender, to, gid = call.text("from"), call.addresses("to"), call.whole("gid")
    if not to and not gid:
        raise call.missing("to", "gid")
    if "text" not in call.values and "url" not in call.values:
        raise call.missing("text")
    # A recipient need not be a user. The sender must, `forced` or not (documented).
    if store.user(sender) is None:
        raise call.bad("from", "not a user")
    if gid and store.group(gid) is None:
        raise call.bad("gid", "there is no such group")
    sent = store.add_message(
        sender,
        to,
        call.text("text") or call.text("url"),
        gid=gid,
        kind=call.whole("type"),
        expiry=call.whole("expiry", YEAR_SECONDS),
        flag=call.whole("flag"),
        forced=call.flag("forced"),
    )
    # Only the documentation of the JSON generation shows a message id in the answer.
    return {} if call.form else {"mid": sent.mid}


def _user(store: SandboxStore, call: Call) -> User:
    """The user that `uid` or else the address names."""
    key = "uid" if "uid" in call.values else "address"
    if key not in call.values:
        raise call.missing("uid", "address")
    found = store.user_by_uid(call.whole("uid")) if key == "uid" else store.user(call.text("address"))
    if found is None:
        raise call.bad(key, "there is no such user")
    return found


def _edit(store: SandboxStore, call: Call, **changes: Any) -> Group:
    try:
        return store.edit_group(call.whole("gid"), **changes)
    except UnknownGroupError as error:
        raise call.bad("gid", "there is no such group") from error
    except UnknownAddressError as error:
        raise call.bad("members", str(error)) from error


def _flag(call: Call) -> int | None:
    return call.whole("flag") if "flag" in call.values else None


def _count(call: Call) -> int:
    count = call.whole("count", LONGEST_LIST)
    if not 1 <= count <= LONGEST_LIST:
        raise call.bad("count", f"1 to {LONGEST_LIST}")
    return count


HANDLERS: Mapping[str, Handler] = {
    "useradd": _useradd,
    "userset": _userset,
    "userdel": _userdel,
    "usertoken": _usertoken,
    "usersget": _usersget,
    "otp": _otp,
    "groupadd": _groupadd,
    "groupset": _groupset,
    "groupdel": _groupdel,
    "groupeditmembers": _groupeditmembers,
    "groupgetmembers": _groupgetmembers,
    "groupsget": _groupsget,
    "message": _message,
}

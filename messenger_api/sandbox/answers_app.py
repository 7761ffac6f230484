"""The stand-in's answers about an app: credentials, scripts, access control, and the apps of the account."""

from __future__ import annotations

import json
import time
from typing import Any

from messenger_api.mesibo.specification import operations
from messenger_api.sandbox.store import SandboxStore
from messenger_api.sandbox.wire import Call, Upload

Result = dict[str, Any]
_KINDS = {"json": "fcm", "p12": "apn"}
_DER_SEQUENCE = b"\x30"
_YEAR_SECONDS = 365 * 24 * 3600


def pushupload(store: SandboxStore, call: Call) -> Result:
    """Keep what credential came; its content is looked at and not kept."""
    file = call.file("file")
    kind = call.text("type") or _KINDS.get(file.name.rpartition(".")[2].lower(), "")
    if not kind:
        raise call.bad("file", "neither .json nor .p12, and no type says what it is")
    if not file.content:
        raise call.bad("file", "empty")
    project = _project(call, file) if kind == "fcm" else ""
    if kind == "apn" and not file.content.startswith(_DER_SEQUENCE):
        raise call.bad("file", "not a PKCS #12 file")
    store.add_credential(kind, file.name, file.content, project)
    return {}


def _project(call: Call, file: Upload) -> str:
    try:
        found = json.loads(file.content)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or found.get("type") != "service_account":
        raise call.bad("file", "not a service account of Firebase")
    return str(found.get("project_id", ""))


def scriptadd(store: SandboxStore, call: Call) -> Result:
    """Keep a script, or replace the one that `sid` names."""
    file = call.file("file")
    if not file.content:
        raise call.bad("file", "empty")
    if file.name and not file.name.endswith(".js"):
        raise call.bad("file", "not a script (.js)")
    try:
        content = file.content.decode()
    except UnicodeDecodeError:
        raise call.bad("file", "not UTF-8") from None
    if store.put_script(file.name, content, call.text("description"), call.whole("sid")) is None:
        raise call.bad("sid", "there is no such script")
    return {}


def uacset(store: SandboxStore, call: Call) -> Result:
    """Make, replace or change a set of features."""
    op = operations()["uacset"]
    said = [name for name in op.at_most_one if name in call.values]
    update = call.flag("update")
    if update and len(said) > 1:
        raise call.bad(said[1], "an update names one platform or none")
    fields = {
        name: int(value) if isinstance(value, bool) else value
        for name, value in call.values.items()
        if name not in ("id", "update") and not isinstance(value, Upload)
    }
    if update and "id" not in call.values:
        raise call.missing("id")
    if store.put_access(call.whole("id"), fields, update=update) is None:
        raise call.bad("id", "there is no such set of features")
    return {}


def appadd(store: SandboxStore, call: Call) -> Result:
    """Make an app of the account, with users and groups of its own."""
    if not call.text("name"):
        raise call.missing("name")
    app = store.add_app(call.text("name"))
    counts = {"msgs": store.count_messages(), "users": store.count_users(), "groups": store.count_groups()}
    account = {
        "uid": 1,
        "oid": 1,
        **counts,
        "conns": 0,
        "apps": 1 + len(store.added_apps()),
        "storage": 0,
        "pid": 0,
        "billday": 1,
        "status": 1,
        "flag": 0,
        "expiry": _written(store.after(_YEAR_SECONDS)),
        "issuetime": _written(app.created),
    }
    return {"token": app.token, "account": {name: str(value) for name, value in account.items()}}


def appset(store: SandboxStore, call: Call) -> Result:
    """Change settings of the app: its limits hold at once."""
    given = {name: value for name, value in call.values.items() if isinstance(value, (str, int))}
    store.set_app(given)
    return {}


def appdel(store: SandboxStore, call: Call) -> Result:
    """Delete the app: all that is its, and, where appadd made it, its token."""
    if call.text("name") != store.app().name:
        raise call.bad("name", "not the name of the token's app")
    store.remove()
    return {}


def _written(seconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(min(seconds, 2**37)))


HANDLERS = {
    "pushupload": pushupload,
    "scriptadd": scriptadd,
    "uacset": uacset,
    "appadd": appadd,
    "appset": appset,
    "appdel": appdel,
}

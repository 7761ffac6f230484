"""The stand-in's answers about users: useradd, userset, userdel, usertoken, usersget, otp."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from messenger_api.mesibo.specification import document
from messenger_api.sandbox.records import User
from messenger_api.sandbox.store import SandboxStore
from messenger_api.sandbox.users import YEAR_MINUTES
from messenger_api.sandbox.wire import Call

LONGEST_LIST: int = document()["limits"]["items"]["value"]
_KEPT = ("session", "restrictions", "pinned", "groups", "storage", "ssr")

Result = dict[str, Any]


def useradd(store: SandboxStore, call: Call) -> Result:
    """Make the user, or give one that exists a new token."""
    # JSON asks for a token by the presence of user.token; a form always does.
    wants_token = call.form or "user.token" in call.objects or "appid" in call.values
    if wants_token:
        _want_appid(call)
    address = call.text("address")
    if store.user(address) is None and (most := beyond(store, "maxusers", store.count_users())):
        raise call.bad("address", most)
    if call.text("otp") and not store.check_otp(address, call.text("otp")):
        raise call.bad("otp", "wrong, expired, used up, or tried too often")
    user = store.put_user(address, **_changes(call))
    answer: Result = {"uid": user.uid} if call.form else {"uid": user.uid, "address": user.address}
    if wants_token:
        answer["token"] = _minted(store, call, user)
    return {"user": answer}


def userset(store: SandboxStore, call: Call) -> Result:
    """Change a user."""
    store.put_user(_user(store, call).address, **_changes(call))
    return {}


def userdel(store: SandboxStore, call: Call) -> Result:
    """Delete a user."""
    store.delete_user(_user(store, call).address)
    return {}


def usertoken(store: SandboxStore, call: Call) -> Result:
    """Make a token of a user, or end those of an app id."""
    user = _user(store, call)
    appid = call.text("appid")
    _want_appid(call)
    if call.flag("delete") or call.flag("remove"):
        store.delete_tokens(user.address, appid)
        return {}
    return {"user": {"uid": user.uid, "appid": appid, "token": _minted(store, call, user)}}


def usersget(store: SandboxStore, call: Call) -> Result:
    """List users, an item for each of a user's app ids."""
    count = call.whole("count", LONGEST_LIST)
    found = store.users(call.text("address") or "*", count)
    return {"users": [item for user in found for item in _items(store, user)][:count]}


def otp(store: SandboxStore, call: Call) -> Result:
    """Make a one-time password for an address, a user's or not."""
    given = {"tries": call.whole("tries", 5), "expiry": call.whole("expiry", 300)}
    return {"otp": store.make_otp(call.text("address"), reuse=call.flag("reuse"), **given)}


def _items(store: SandboxStore, user: User) -> Iterator[Result]:
    shown = {
        "uid": user.uid,
        "address": user.address,
        "name": user.name,
        "active": int(user.active),
        "flag": user.flag,
        "pinned": user.pinned,
        "ip": "127.0.0.1" if user.online else "",
        "online": int(user.online),
    }
    appids = sorted({token.appid for token in store.tokens(user.address)})
    if not appids:
        yield shown
    for appid in appids:
        yield {**shown, "appid": appid}


def _minted(store: SandboxStore, call: Call, user: User) -> str:
    expiry = call.whole("expiry", YEAR_MINUTES)
    return store.mint_token(user.address, call.text("appid"), v2=call.flag("v2"), expiry=expiry).token


def _changes(call: Call) -> dict[str, Any]:
    return {
        "name": call.text("name") if "name" in call.values else None,
        "active": call.maybe("active"),
        "flag": call.whole("flags") if "flags" in call.values else None,
        **{name: call.number(name) for name in _KEPT if name in call.values},
    }


def _user(store: SandboxStore, call: Call) -> User:
    """The user that `uid` or else the address names."""
    key = "uid" if "uid" in call.values else "address"
    if key not in call.values:
        raise call.missing("uid", "address")
    found = store.user_by_uid(call.whole("uid")) if key == "uid" else store.user(call.text("address"))
    if found is None:
        raise call.bad(key, "there is no such user")
    return found


def _want_appid(call: Call) -> None:
    # Without an app id mesibo makes a v2 token (seen in a caller of 2025); no page of mesibo's says so.
    if not call.text("appid") and (call.strict or not call.flag("v2")):
        raise call.missing("appid")


def beyond(store: SandboxStore, limit: str, there: int) -> str:
    """Why nothing more may be made, "" where it may: appset's limits, 0 for none."""
    most = int(store.app().settings.get(limit, 0) or 0)
    return f"the app has as many as appset allows ({limit} {most})" if most and there >= most else ""


HANDLERS = {
    "useradd": useradd,
    "userset": userset,
    "userdel": userdel,
    "usertoken": usertoken,
    "usersget": usersget,
    "otp": otp,
}

"""Requests of mesibo's backend API as they stand on the wire, in both styles.

Two generations of one API are in use. `form` is api.php: flat names, every value a text. `json` is
/backend and the on-premise /mesiboapi: one object per subject. Every op below writes both spellings side
by side. "Inferred" marks what mesibo documents nowhere; all the rest is documented by mesibo, or read in
the calls that its own PHP backend makes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

CONTENT_TYPES = {"json": "application/json", "form": "application/x-www-form-urlencoded"}

# Inferred: mesibo's console hands `usertoken` a last argument of 1 to delete the token, whose name is
# written nowhere. `delete` is what groupeditmembers calls its own. A server that does not know the name
# makes a new token instead, which ends the old one as well.
FORM_DELETE_TOKEN: Mapping[str, str] = {"delete": "1"}
JSON_DELETE_TOKEN: Mapping[str, object] = {"delete": True}

# How long a group lives, and by how much activity extends it, in seconds. Documented for api.php; the json
# names are inferred. Without them mesibo ends a group after a year.
EXPIRY, EXTENSION = "expiry", "expiryext"

# groupgetmembers and groupsget give at most so many items; mesibo documents no way to ask for the next.
ITEMS_PER_CALL = 20


@dataclass(frozen=True)
class Message:
    """A message that the backend sends in a user's name.

    `sender` and `to` are addresses, `text` the body (JSON, for the apps' update messages), `expiry` is in
    seconds. The defaults are those of mesibo's PHP backend: type 1 is what its apps take for an update,
    flag 4 is a transient message, `forced` makes a recipient whom mesibo does not know yet (inferred).
    """

    sender: str
    to: Sequence[str]
    text: str = field(repr=False)
    type: int = 1
    expiry: int = 3600
    flag: int = 4
    forced: bool = True


@dataclass(frozen=True)
class Op:
    """One call in both spellings: `form` holds flat fields, `subject` the members beside op and token."""

    name: str
    form: Mapping[str, str] = field(repr=False)
    subject: Mapping[str, object] = field(repr=False)


def useradd(address: str, appid: str, name: str, expiry: int) -> Op:
    """Make the user, or give a known one a new token. `expiry` of the token is in minutes."""
    named = {"name": name} if name else {}
    form = {"addr": address, "appid": appid, "session": "0", "expiry": str(expiry), "flag": "0"}
    token = {"appid": appid, "expiry": expiry}
    return Op(
        "useradd",
        {**form, "restrictions": "0", **named},
        {"user": {"address": address, **named, "token": token}},
    )


def delete_token(address: str, uid: int | None, appid: str) -> Op:
    """End a user's token for one app id; the user stays. The json spelling is inferred."""
    form, user = _user(address, uid)
    return Op(
        "usertoken",
        {**form, "appid": appid, **FORM_DELETE_TOKEN},
        {"user": {**user, "token": {"appid": appid, **JSON_DELETE_TOKEN}}},
    )


def userdel(address: str, uid: int | None) -> Op:
    """Delete a user. The json spelling is inferred."""
    form, user = _user(address, uid)
    return Op("userdel", form, {"user": user})


Expiry = Mapping[str, int]
"""How long a group shall live, in seconds, by `EXPIRY` and `EXTENSION`."""


def groupadd(name: str, members: Sequence[str], expiry: Expiry) -> Op:
    """Make a group."""
    joined = join(members)
    return Op(
        "groupadd",
        {"gid": "0", "name": name, "flag": "0", "m": joined, **_texts(expiry)},
        {"group": {"name": name, "members": {"m": joined}, **expiry}},
    )


def _texts(numbers: Mapping[str, int]) -> dict[str, str]:
    return {name: str(number) for name, number in numbers.items()}


def groupset(gid: int, name: str, members: Sequence[str], expiry: Expiry) -> Op:
    """Name a group anew. Without members the field stays out, so that mesibo leaves them as they are."""
    joined = join(members)
    form = {"gid": str(gid), "name": name, "flag": "0", **_texts(expiry)}
    group: dict[str, object] = {"gid": gid, "name": name, **expiry}
    if not joined:
        return Op("groupset", form, {"group": group})
    return Op("groupset", {**form, "m": joined}, {"group": {**group, "members": {"m": joined}}})


def groupeditmembers(gid: int, members: Sequence[str], *, remove: bool) -> Op:
    """Add members to a group, or remove them."""
    joined = join(members)
    wanted: dict[str, object] = {"m": joined, "remove": 1} if remove else {"m": joined}
    return Op(
        "groupeditmembers",
        {"gid": str(gid), "m": joined, "delete": str(int(remove))},
        {"group": {"gid": gid, "members": wanted}},
    )


def groupdel(gid: int) -> Op:
    """Delete a group. The json spelling is inferred."""
    return Op("groupdel", {"gid": str(gid)}, {"group": {"gid": gid}})


def groupgetmembers(gid: int) -> Op:
    """Ask for a group's members. The json spelling is inferred."""
    return Op(
        "groupgetmembers",
        {"gid": str(gid), "count": str(ITEMS_PER_CALL)},
        {"group": {"gid": gid, "count": ITEMS_PER_CALL}},
    )


def groupsget(search: str) -> Op:
    """Ask for groups by their name, in which `*` stands for any text. Both spellings are inferred."""
    return Op(
        "groupsget",
        {"name": search, "count": str(ITEMS_PER_CALL)},
        {"group": {"name": search, "count": ITEMS_PER_CALL}},
    )


def message(m: Message) -> Op:
    """Send a message to one or more users."""
    to = join(m.to)
    form = {"from": m.sender, "to": to, "gid": "0", "channel": "0", "type": str(m.type)}
    subject = {"from": m.sender, "to": to, "gid": 0, "type": m.type, "expiry": m.expiry}
    return Op(
        "message",
        {**form, "expiry": str(m.expiry), "flag": str(m.flag), "forced": str(int(m.forced)), "msg": m.text},
        {"message": {**subject, "flags": m.flag, "forced": m.forced, "message": m.text}},
    )


def probe() -> Op:
    """A `useradd` that names no user: changes nothing, and mesibo checks the app token before the rest."""
    return Op("useradd", {}, {})


def _user(address: str, uid: int | None) -> tuple[dict[str, str], dict[str, object]]:
    # api.php documents `uid` alone; `addr` in its place is inferred and better than no call at all.
    if uid:
        return {"uid": str(uid)}, {"uid": uid}
    return {"addr": address}, {"address": address}


def join(addresses: Sequence[str]) -> str:
    """mesibo's comma-separated list.

    Raises:
        ValueError: an address is empty or holds a comma, and would be read as another list.
    """
    if any(not address or "," in address for address in addresses):
        raise ValueError("an address in a list must not be empty nor hold a comma")
    return ",".join(addresses)


def style_of(url: str, style: str) -> str:
    """`json` or `form`: as asked, and for `auto` by the path, of which only api.php wants forms.

    Raises:
        ValueError: `style` is none of `auto`, `json`, `form`.
    """
    if style == "auto":
        return "form" if urlsplit(url).path.rstrip("/").endswith("api.php") else "json"
    if style not in CONTENT_TYPES:
        raise ValueError("the style of mesibo's API is auto, json or form")
    return style


def encode(op: Op, style: str, app_token: str) -> bytes:
    """The request's body. Characters that UTF-8 cannot carry (lone surrogates) become `?`."""
    if style == "form":
        fields = {"op": op.name, **op.form, "token": app_token}
        return urlencode(fields, errors="replace").encode("ascii")
    root = {"op": op.name, "token": app_token, **op.subject}
    return json.dumps(root, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")

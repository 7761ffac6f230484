"""`setgroup`, `getgroup`, `editmembers`, `setadmin`, `delgroup`."""

from __future__ import annotations

import re
from typing import TypedDict
from urllib.parse import unquote_plus

from msgspec import Struct

from messenger_api.domain.errors import MissingPara
from messenger_api.ops import answers
from messenger_api.ops.answers import GroupShown, Members
from messenger_api.ops.binding import bind, split
from messenger_api.ops.call import Call
from messenger_api.ops.fields import EncodedName, Flag, Gid, Ignored, Name

# What is left of a text by an encoder: unreserved characters, and at least one percent sequence.
_ENCODED = re.compile(r"(?=.*%)(?:[A-Za-z0-9\-_.~!*'()+,]|%[0-9A-Fa-f]{2})+", re.ASCII)


class SetGroupParameters(Struct):
    """Make a group (`gid` 0) or give one, as its admin, these members, a name and a photo."""

    gid: Gid = 0
    """The group, or 0 for a new one."""
    name: EncodedName = ""
    """Its name; "" keeps the old one. May be percent-encoded once more."""
    m: list[str] | None = None
    """The wanted members; whoever is not named is removed, never the owner. Absent leaves them as they
    are. May be percent-encoded once more."""
    status: Ignored = ""
    """Ignored: groups have none."""
    type: Ignored = ""
    """Ignored."""


class GetGroupParameters(Struct):
    """Read a group that one is in."""

    gid: Gid = 0
    """The group."""


class EditMembersParameters(Struct):
    """Add people to a group, or remove them, as its admin."""

    gid: Gid = 0
    """The group."""
    m: list[str] = []
    """The people."""
    delete: Flag = 0
    """1 removes them."""


class SetAdminParameters(Struct):
    """Make members admins, or admins members, as an admin."""

    gid: Gid = 0
    """The group."""
    m: list[str] = []
    """The members."""
    admin: Flag = 0
    """1 makes them admins, 0 takes it from them."""


class DelGroupParameters(Struct):
    """Leave a group; its owner deletes it."""

    gid: Gid = 0
    """The group."""


class Left(TypedDict):
    """The group that one is in no more."""

    gid: int
    """The group."""


class _Named(Struct):
    """To check a name after its second decoding."""

    name: Name


def setgroup(call: Call, given: SetGroupParameters) -> GroupShown:
    """Make or edit a group."""
    name = bind(_Named, {"name": decoded(given.name)}).name
    people = None if given.m is None else [part for entry in given.m for part in split(decoded(entry))]
    photo = call.request.file.data if call.request.file else None
    groups = call.services.groups
    if given.gid:
        return answers.group(groups.edit(call.caller, given.gid, name, people, photo))
    language = call.request.language
    return answers.group(groups.create(call.caller, name, people or [], photo, language=language))


def getgroup(call: Call, given: GetGroupParameters) -> GroupShown:
    """Read a group."""
    if not given.gid:
        call.authenticate()  # who has no session is told that first
    _require(gid=given.gid)
    return answers.group(call.services.groups.get(call.request.token, given.gid))


def editmembers(call: Call, given: EditMembersParameters) -> Members:
    """Add or remove members."""
    _require(gid=given.gid, m=given.m)
    groups = call.services.groups
    edit = groups.remove_members if given.delete else groups.add_members
    changed = edit(call.caller, given.gid, given.m)
    return {"gid": changed.gid, "members": changed.members}


def setadmin(call: Call, given: SetAdminParameters) -> Members:
    """Make or unmake admins."""
    _require(gid=given.gid, m=given.m)
    changed = call.services.groups.set_admins(call.caller, given.gid, given.m, admin=bool(given.admin))
    return {"gid": changed.gid, "members": changed.members}


def delgroup(call: Call, given: DelGroupParameters) -> Left:
    """Leave or delete a group."""
    _require(gid=given.gid)
    call.services.groups.leave(call.caller, given.gid)
    return {"gid": given.gid}


def decoded(text: str) -> str:
    """Undo the percent-encoding that some apps apply before the request's own.

    A text is taken for encoded when it holds a percent sequence and nothing that an encoder leaves out:
    "Caf%C3%A9%20x" is, "50%20off today" is not.
    """
    if not _ENCODED.fullmatch(text):
        return text
    try:
        return unquote_plus(text, errors="strict")
    except UnicodeDecodeError:
        return text


def _require(**fields: object) -> None:
    missing = tuple(name for name, value in fields.items() if not value)
    if missing:
        raise MissingPara(properties=missing)

"""The stand-in's answers about groups: groupadd, groupset, groupdel, groupeditmembers and the two lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from messenger_api.sandbox.answers_users import LONGEST_LIST, beyond
from messenger_api.sandbox.groups import RIGHTS, YEAR_SECONDS
from messenger_api.sandbox.records import Group
from messenger_api.sandbox.store import (
    SandboxStore,
    TooManyGroupsError,
    UnknownAddressError,
    UnknownGroupError,
)
from messenger_api.sandbox.wire import Call

Result = dict[str, Any]
_NUMBERS = ("expiryext", "pinned", "sflags")


def groupadd(store: SandboxStore, call: Call) -> Result:
    """Make a group."""
    if most := beyond(store, "maxgroups", store.count_groups()):
        raise call.bad("name", most)
    given = {"expiry": YEAR_SECONDS, **_given(call)}
    members = call.addresses("members")
    group = _done(call, lambda: store.add_group(members=members, rights=_rights(call), **given))
    return {"group": {"gid": group.gid}}


def groupset(store: SandboxStore, call: Call) -> Result:
    """Change a group."""
    # Whether groupset's members replace the old ones is not documented. Here they are added, so that a
    # caller who counts on the removal of the others is found out.
    gid, members = call.whole("gid"), call.addresses("members")
    group = _done(call, lambda: store.edit_group(gid, add=members, rights=_rights(call), **_given(call)))
    return {"group": {"gid": group.gid}}


def groupdel(store: SandboxStore, call: Call) -> Result:
    """Delete a group."""
    if not store.delete_group(call.whole("gid")):
        raise call.bad("gid", "there is no such group")
    return {}


def groupeditmembers(store: SandboxStore, call: Call) -> Result:
    """Add members with what they may do, or remove them."""
    gid, members = call.whole("gid"), call.addresses("members")
    if call.flag("remove"):
        _done(call, lambda: store.edit_group(gid, remove=members))
    else:
        _done(call, lambda: store.edit_group(gid, add=members, rights=_rights(call)))
    return {}


def groupgetmembers(store: SandboxStore, call: Call) -> Result:
    """List members, in the order in which they joined."""
    group = store.group(call.whole("gid"))
    if group is None:
        raise call.bad("gid", "there is no such group")
    listed = group.members[: call.whole("count", LONGEST_LIST)]
    return {
        "members": [
            {
                "address": address,
                "cansend": int(group.may_send(address)),
                "canrecv": int(group.may_receive(address)),
            }
            for address in listed
        ]
    }


def groupsget(store: SandboxStore, call: Call) -> Result:
    """List groups, newest first."""
    found = store.groups(call.text("name") or "*", call.whole("count", LONGEST_LIST))
    return {
        "groups": [
            {
                "gid": group.gid,
                "name": group.name,
                "flag": group.flag,
                "pinned": group.pinned,
                "expinsec": group.expiry,
                "expiryext": group.expiryext,
            }
            for group in found
        ]
    }


def _given(call: Call) -> dict[str, Any]:
    """The columns of a group that the call names; -1 leaves one as it is."""
    given: dict[str, Any] = {name: call.text(name) for name in ("name", "image") if name in call.values}
    given |= {name: call.whole(name) for name in _NUMBERS if call.number(name) is not None}
    if "flags" in call.values:
        given["flag"] = call.whole("flags")
    if "expiry" in call.values:
        given["expiry"] = call.whole("expiry")
    if "active" in call.values:
        given["active"] = call.flag("active")
    return given


def _rights(call: Call) -> dict[str, bool | None]:
    return {right: call.maybe(right) for right in RIGHTS}


def _done(call: Call, change: Callable[[], Group]) -> Group:
    try:
        return change()
    except UnknownGroupError as error:
        raise call.bad("gid", "there is no such group") from error
    except UnknownAddressError as error:
        raise call.bad("members", str(error)) from error
    except TooManyGroupsError as error:
        raise call.bad("members", "a user is in as many groups as useradd allowed") from error


HANDLERS = {
    "groupadd": groupadd,
    "groupset": groupset,
    "groupdel": groupdel,
    "groupeditmembers": groupeditmembers,
    "groupgetmembers": groupgetmembers,
    "groupsget": groupsget,
}

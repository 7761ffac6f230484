"""The stand-in's answer to message: who may send it, and whom it reaches."""

from __future__ import annotations

from typing import Any

from messenger_api.sandbox.answers_users import beyond
from messenger_api.sandbox.groups import YEAR_SECONDS
from messenger_api.sandbox.records import Group
from messenger_api.sandbox.store import SandboxStore
from messenger_api.sandbox.wire import Call

Result = dict[str, Any]
# Bits of a group (documented): one member at a time in turn, do not store, back to the sender too.
_IN_TURN, _NOT_STORED, _BACK = 0x20, 0x40, 0x80


def message(store: SandboxStore, call: Call) -> Result:
    """Send a message in a user's name."""
    sender, to, gid = call.text("sender"), call.addresses("to"), call.whole("gid")
    if not to and not gid:
        raise call.missing("to", "gid")
    _refuse(store, call, sender)
    group = _group(store, call, gid, sender) if gid else None
    sent = store.add_message(
        sender,
        to,
        call.text("text") or call.text("url"),
        gid=gid,
        kind=call.whole("type"),
        expiry=call.whole("expiry", YEAR_SECONDS),
        flag=call.whole("flags"),
        forced=call.flag("forced"),
        when=call.whole("when"),
        url=call.text("url"),
        title=call.text("title"),
        channel=call.whole("channel"),
        reaches=[*to, *(reached(store, group, sender) if group else ())],
        stored=group is None or stores(group),
    )
    if gid:
        store.touch_group(gid)
    # Only the documentation of the JSON generation shows a message id in the answer.
    return {} if call.form else {"mid": sent.mid}


def _refuse(store: SandboxStore, call: Call, sender: str) -> None:
    if "text" not in call.values and "url" not in call.values:
        raise call.missing("text")
    # A recipient need not be a user. The sender must, `forced` or not (documented).
    if store.user(sender) is None:
        raise call.bad("sender", "not a user")
    if most := beyond(store, "maxmsgs", store.count_messages()):
        raise call.bad("text" if "text" in call.values else "url", most)


def _group(store: SandboxStore, call: Call, gid: int, sender: str) -> Group:
    group = store.group(gid)
    if group is None:
        raise call.bad("gid", "there is no such group")
    if not group.active:
        raise call.bad("gid", "the group is not active")
    if not group.may_send(sender):
        raise call.bad("sender", "may not send to this group: its flags or the member's rights say so")
    return group


def stores(group: Group) -> bool:
    """Whether messages to the group wait for members who are offline."""
    return not group.flag & _NOT_STORED


def reached(store: SandboxStore, group: Group, sender: str) -> list[str]:
    """The members that a message of this sender to the group goes to."""
    members = [
        address
        for address in group.members
        if group.may_receive(address) and (address != sender or group.flag & _BACK)
    ]
    return store.next_in_turn(group.gid, members) if group.flag & _IN_TURN else members


HANDLERS = {"message": message}

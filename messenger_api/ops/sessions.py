"""`sessions`, `revoke`: the devices on which one is logged in."""

from __future__ import annotations

from typing import TypedDict

from msgspec import Struct

from messenger_api.domain.errors import MissingPara
from messenger_api.ops.call import Call
from messenger_api.ops.fields import Flag, Id
from messenger_api.services.account.devices import LoggedIn


class SessionsParameters(Struct):
    """List the devices on which one is logged in."""


class RevokeParameters(Struct):
    """End a session on another device, or all but this one."""

    id: Id = 0
    """The session, as `sessions` names it."""
    others: Flag = 0
    """1 ends all sessions but this one."""


class OnDevice(TypedDict):
    """A device on which one is logged in."""

    id: int
    """Names the session to `revoke`."""
    appid: str
    """The app."""
    device: str
    """The device's own id, as `login` was told it; "" for none."""
    dt: int
    """The device's type."""
    created: int
    """When it logged in, in unix seconds."""
    seen: int
    """When it was seen last, in unix seconds, at most a day late."""
    current: int
    """1 for the session that asks, else 0."""
    push: int
    """1 where a push token is stored, else 0."""


class SessionList(TypedDict):
    """The devices on which one is logged in."""

    sessions: list[OnDevice]
    """The newest first."""


class Ended(TypedDict):
    """What was ended."""

    ended: int
    """How many sessions were ended now."""


def sessions(call: Call, _given: SessionsParameters) -> SessionList:
    """The caller's sessions, newest first."""
    caller = call.caller
    return {"sessions": [_entry(each, caller.sid) for each in call.services.devices.of(caller.uid)]}


def _entry(found: LoggedIn, current: int) -> OnDevice:
    return {
        "id": found.sid,
        "appid": found.appid,
        "device": found.device,
        "dt": found.device_type,
        "created": found.created_at,
        "seen": found.seen_at,
        "current": int(found.sid == current),
        "push": int(found.push),
    }


def revoke(call: Call, given: RevokeParameters) -> Ended:
    """End sessions. One that has ended already is as good as ended."""
    service, caller = call.services.sessions, call.caller
    if given.others:
        return {"ended": service.revoke_others(caller)}
    if not given.id:
        raise MissingPara(properties=("id",))
    return {"ended": service.revoke(caller.uid, given.id)}

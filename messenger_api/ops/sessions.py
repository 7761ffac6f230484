"""`sessions`, `revoke`: the devices on which one is logged in."""

from __future__ import annotations

from msgspec import Struct

from messenger_api.domain.errors import MissingPara
from messenger_api.ops.call import Call, JsonObject
from messenger_api.ops.fields import Flag, Id
from messenger_api.services.account.sessions import LoggedIn


class SessionsParameters(Struct):
    """List the devices on which one is logged in."""


class RevokeParameters(Struct):
    """End a session on another device, or all but this one."""

    id: Id = 0
    """The session, as `sessions` names it."""
    others: Flag = 0
    """1 ends all sessions but this one."""


def sessions(call: Call, _given: SessionsParameters) -> JsonObject:
    """The caller's sessions, newest first."""
    caller = call.caller
    return {"sessions": [_entry(each, caller.sid) for each in call.services.sessions.of(caller.uid)]}


def _entry(found: LoggedIn, current: int) -> JsonObject:
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


def revoke(call: Call, given: RevokeParameters) -> JsonObject:
    """End sessions. One that has ended already is as good as ended."""
    service, caller = call.services.sessions, call.caller
    if given.others:
        return {"ended": service.revoke_others(caller)}
    if not given.id:
        raise MissingPara(properties=("id",))
    return {"ended": service.revoke(caller.uid, given.id)}

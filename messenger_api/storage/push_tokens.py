"""Push tokens of sessions, and for a while what became of those that are gone.

One that goes is noted by the transaction that takes it away: as a keyed hash, never as itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, NamedTuple, TypedDict, Unpack

from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Insert,
    String,
    bindparam,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy import text as sql

from messenger_api.domain.times import DAY_SECONDS
from messenger_api.storage.models import GonePushToken, PushToken, Session, User
from messenger_api.storage.models.base import aliased
from messenger_api.storage.packed import columns
from messenger_api.storage.statements import execute

# Of an account so many a day that its phones replace; one that hands over tokens without end fills no table.
MOST_A_DAY = 20
# Of an account so many are told, the newest.
MOST_TOLD = 100


class Why(StrEnum):
    """Why a push token went."""

    REPLACED = "replaced"
    """The phone handed over another one."""
    REMOVED = "removed"
    """The phone took it back."""
    MOVED = "moved"
    """Another session of the same account brought it."""
    OTHER_ACCOUNT = "other_account"
    """Another account brought it: somebody else logged in on this phone."""
    LOGGED_OUT = "logged_out"
    SUPERSEDED = "superseded"
    """A login took the place of its session."""
    REVOKED = "revoked"
    """The owner or the operator ended its session."""
    IDLE = "idle"
    """No app used its session for SESSION_IDLE_DAYS."""
    BLOCKED = "blocked"
    """The operator keeps the account out."""
    NUMBER_CHANGED = "number_changed"
    """The account moved to another number; the phone that did it keeps its token."""
    CLOSED = "closed"
    """The account is being deleted, and this with it."""


class Gone(Struct, frozen=True):
    """A push token that went. `token_key`: its keyed hash, None for one of an older version of this program.

    `registered_at`: when the phone last handed it over.
    """

    token_key: Annotated[bytes | None, GonePushToken.token_key]
    device_type: Annotated[int, GonePushToken.device_type]
    production: Annotated[int, GonePushToken.production]
    fcm: Annotated[int, GonePushToken.fcm]
    registered_at: Annotated[int, GonePushToken.registered_at]
    gone_at: Annotated[int, GonePushToken.gone_at]
    why: Annotated[str, GonePushToken.why]


class NewPushToken(TypedDict):
    """A push token to be stored, and for whom: `session` is the hash of the session's own token.

    `noted_after`: the second after which the use of the session and of its account must have been noted.
    `token_key`: the keyed hash under which it is remembered. `production` and `fcm` are 0 or 1.
    """

    session: bytes
    noted_after: int
    token: str
    token_hash: bytes
    token_key: bytes
    device_type: int
    production: int
    fcm: int
    now: int


class Found(NamedTuple):
    """What there is before a push token is stored: the session, its token, who else has the new one."""

    sid: int
    uid: int
    own: bytes | None
    fresh: bool
    """The session has this very token, all the same, and it was noted within the last day."""
    holder: int | None
    holder_uid: int | None


_MINE, _HELD, _HOLDER = aliased(PushToken), aliased(PushToken), aliased(Session)
_FRESH = (
    (_MINE.token_hash == bindparam("token_hash"))
    & (_MINE.token_key == bindparam("token_key"))
    & (_MINE.device_type == bindparam("device_type"))
    & (_MINE.production == bindparam("production"))
    & (_MINE.fcm == bindparam("fcm"))
    & (_MINE.changed_at > bindparam("noted_after"))
)
_LOOK = (
    select(Session.sid, Session.uid, _MINE.token_hash, func.coalesce(_FRESH, 0), _HOLDER.sid, _HOLDER.uid)
    .join(User, User.uid == Session.uid)
    .outerjoin(_MINE, _MINE.sid == Session.sid)
    .outerjoin(_HELD, (_HELD.token_hash == bindparam("token_hash")) & (_HELD.sid != Session.sid))
    .outerjoin(_HOLDER, _HOLDER.sid == _HELD.sid)
    .where(
        Session.token_hash == bindparam("session"),
        Session.seen_at > bindparam("noted_after"),
        User.seen_at > bindparam("noted_after"),
        User.blocked == 0,
        User.closed_at == 0,
    )
)
# Removes every row that has the session, or the token: a token wakes one phone.
_STORE = sql(
    "REPLACE INTO push_tokens"
    " (sid, token_hash, token, device_type, production, fcm, changed_at, token_key)"
    " SELECT sid, :token_hash, :token, :device_type, :production, :fcm, :now, :token_key"
    " FROM sessions WHERE token_hash = :session"
)
_GONE = ("uid", "token_key", "device_type", "production", "fcm", "registered_at", "gone_at", "why")


def _note(condition: ColumnElement[bool]) -> Insert:
    """Notes, at the second `at` and for a `reason`, the push tokens of the sessions for which this holds."""
    kept = (PushToken.token_key, PushToken.device_type, PushToken.production, PushToken.fcm)
    when = (PushToken.changed_at, bindparam("at", type_=BigInteger), bindparam("reason", type_=String))
    rows = select(Session.uid, *kept, *when).join(Session, Session.sid == PushToken.sid).where(condition)
    return insert(GonePushToken).from_select(_GONE, rows)


_TODAY = select(func.count()).where(
    GonePushToken.uid == bindparam("owner"), GonePushToken.gone_at > bindparam("since")
)
_NOTE_REPLACED = _note((PushToken.sid == bindparam("sid")) & (_TODAY.scalar_subquery() < MOST_A_DAY))


def look(connection: Connection, **values: Unpack[NewPushToken]) -> Found | None:
    """What there is before a token is stored. One statement.

    None where the session's use was not noted of late, or the user may not come in.
    """
    rows = execute(connection, _LOOK, values).rows
    if not rows:
        return None
    sid, uid, own, fresh, holder, holder_uid = rows[0]
    return Found(sid, uid, own, bool(fresh), holder, holder_uid)


def store(connection: Connection, **values: Unpack[NewPushToken]) -> bool:
    """Store a session's push token in place of its former one. Whoever held this token before loses it.

    False where the session has ended.
    """
    return execute(connection, _STORE, values).changed > 0


def note_displaced(connection: Connection, now: int, found: Found, token_hash: bytes) -> None:
    """Note which tokens go when this one is stored."""
    if found.own is not None and found.own != token_hash:
        noted = {"sid": found.sid, "owner": found.uid, "since": now - DAY_SECONDS, "at": now}
        execute(connection, _NOTE_REPLACED, {**noted, "reason": str(Why.REPLACED)})
    if found.holder is not None:
        why = Why.MOVED if found.holder_uid == found.uid else Why.OTHER_ACCOUNT
        note_gone(connection, now, why, PushToken.sid == found.holder)


def note_gone(connection: Connection, now: int, why: Why, condition: ColumnElement[bool]) -> None:
    """Note the push tokens of the sessions for which this holds, before they go. One statement."""
    connection.execute(_note(condition), {"at": now, "reason": str(why)})


def remove(connection: Connection, now: int, sid: int) -> None:
    """Forget a session's push token."""
    note_gone(connection, now, Why.REMOVED, PushToken.sid == sid)
    connection.execute(delete(PushToken).where(PushToken.sid == sid))


def gone(connection: Connection, uid: int) -> Sequence[Gone]:
    """What became of a user's push tokens, the last one first."""
    query = select(*columns(Gone)).where(GonePushToken.uid == uid)
    query = query.order_by(GonePushToken.gone_at.desc(), GonePushToken.id.desc()).limit(MOST_TOLD)
    return [Gone(*row) for row in connection.execute(query)]


def purge(connection: Connection, before: int) -> int:
    """Forget those that went before this second."""
    return connection.execute(delete(GonePushToken).where(GonePushToken.gone_at < before)).rowcount

"""Push tokens of sessions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict, Unpack

from sqlalchemy import Connection, bindparam, case, delete, func, literal_column, select, update
from sqlalchemy import text as sql

from messenger_api.storage import gone_push_tokens
from messenger_api.storage.gone_push_tokens import LINE, Why
from messenger_api.storage.models import PushToken, Session, User
from messenger_api.storage.models.base import aliased
from messenger_api.storage.models.push import REPLACED_FULL
from messenger_api.storage.statements import execute


class Opened(TypedDict):
    """A session that may have a push token.

    `session`: the hash of its own token. `noted_after`: the second after which its use and its account's
    must have been noted.
    """

    session: bytes
    noted_after: int


class NewPushToken(Opened):
    """A push token to be stored, and for whom.

    `token_key`: the keyed hash under which it is remembered. `production` and `fcm` are 0 or 1.
    """

    token: str
    token_hash: bytes
    token_key: bytes
    device_type: int
    production: int
    fcm: int
    now: int


_OPEN = (
    Session.token_hash == bindparam("session"),
    Session.seen_at > bindparam("noted_after"),
    User.seen_at > bindparam("noted_after"),
    User.blocked == literal_column("0"),
    User.closed_at == literal_column("0"),
)
_SID = select(Session.sid).join(User, User.uid == Session.uid).where(*_OPEN)

_GIVEN = ("token_hash", "token", "token_key", "device_type", "production", "fcm")
_SAME = PushToken.token_hash == bindparam("token_hash")
_FRESH = _SAME & (PushToken.changed_at > bindparam("noted_after"))
_FULL = func.length(PushToken.replaced) > literal_column(str(REPLACED_FULL))
# In this order: MySQL sees in each column what has just been set.
_RENEW = (
    update(PushToken)
    .where(PushToken.sid == _SID.scalar_subquery())
    .ordered_values(
        (PushToken.replaced, case((_SAME | _FULL, PushToken.replaced), else_=PushToken.replaced + LINE)),
        (PushToken.changed_at, case((_FRESH, PushToken.changed_at), else_=bindparam("now"))),
        *((name, bindparam(name)) for name in _GIVEN),
    )
)
_ADD = sql(
    "INSERT INTO push_tokens"
    " (sid, token_hash, token, device_type, production, fcm, changed_at, token_key)"
    " SELECT s.sid, :token_hash, :token, :device_type, :production, :fcm, :now, :token_key"
    " FROM sessions s JOIN users u ON u.uid = s.uid"
    " WHERE s.token_hash = :session AND s.seen_at > :noted_after AND u.seen_at > :noted_after"
    " AND u.blocked = 0 AND u.closed_at = 0"
)

_HOLDER, _HOLDERS = aliased(PushToken), aliased(Session)
_LOOK = (
    select(Session.uid, _HOLDER.sid, _HOLDERS.uid)
    .join(User, User.uid == Session.uid)
    .join(_HOLDER, (_HOLDER.token_hash == bindparam("token_hash")) & (_HOLDER.sid != Session.sid))
    .join(_HOLDERS, _HOLDERS.sid == _HOLDER.sid)
    .where(*_OPEN)
)


def store(connection: Connection, **values: Unpack[NewPushToken]) -> bool:
    """Store a session's push token in place of its former one, of which a note is kept.

    One statement, and another where the session has had none.

    False where there is no such session.

    Raises:
        IntegrityError: another session has this token (`take`).
    """
    return execute(connection, _RENEW, values).changed > 0 or execute(connection, _ADD, values).changed > 0


def take(connection: Connection, **values: Unpack[NewPushToken]) -> bool:
    """As `store`, in a transaction; another session that has this token loses it.

    Raises:
        IntegrityError: yet another one stores it at the same time.
    """
    for uid, holder, holders_uid in execute(connection, _LOOK, values).rows:
        why = Why.MOVED if holders_uid == uid else Why.OTHER_ACCOUNT
        _forget(connection, gone_push_tokens.note(connection, values["now"], why, PushToken.sid == holder))
    return store(connection, **values)


def remove(connection: Connection, now: int, **values: Unpack[Opened]) -> bool:
    """Forget a session's push token. False: there is none, or no such session."""
    mine = PushToken.sid == _SID.params(**values).scalar_subquery()
    sids = gone_push_tokens.note(connection, now, Why.REMOVED, mine)
    _forget(connection, sids)
    return bool(sids)


def _forget(connection: Connection, sids: Sequence[int]) -> None:
    connection.execute(delete(PushToken).where(PushToken.sid.in_(sids)))

"""Logged-in apps, and where to wake them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, or_, select, update

from messenger_api.storage.db import new_id
from messenger_api.storage.models import PushToken, Session, User


@dataclass(frozen=True)
class Caller:
    """Who makes a request: a session and its account."""

    sid: int
    uid: int
    address: str
    name: str
    country: str
    appid: str
    mesibo_uid: int
    synced_to: int


_CALLER = (
    select(
        Session.sid,
        Session.uid,
        User.address,
        User.name,
        User.country,
        Session.appid,
        User.mesibo_uid,
        Session.synced_to,
    )
    .join(User, User.uid == Session.uid)
    .where(Session.token_hash == bindparam("token_hash"))
)


def caller(connection: Connection, token_hash: bytes) -> Caller | None:
    """The session with this token, if it is alive."""
    row = connection.execute(_CALLER, {"token_hash": token_hash}).one_or_none()
    return None if row is None else Caller(*row)


def add(connection: Connection, now: int, **columns: object) -> int:
    """Open a session."""
    return new_id(connection.execute(insert(Session).values(**columns, created_at=now)))


def remove(connection: Connection, sids: Sequence[int]) -> None:
    """End sessions, and their push tokens with them."""
    if sids:
        connection.execute(delete(Session).where(Session.sid.in_(sids)))


def note_sync(connection: Connection, sid: int, synced_to: int) -> None:
    """Remember that the app was told of every change up to this second."""
    connection.execute(
        update(Session).where(Session.sid == sid, Session.synced_to < synced_to).values(synced_to=synced_to)
    )


def sync_again(connection: Connection, sid: int, since: int) -> None:
    """Take back that the app was told of changes after this second: it says that it has not seen them."""
    connection.execute(
        update(Session).where(Session.sid == sid, Session.synced_to > since).values(synced_to=since)
    )


def superseded(
    connection: Connection, *, uid: int, appid: str, device: str, token_hash: bytes, keep: int
) -> list[int]:
    """The sessions that a new login ends: the same device's, and the oldest beyond `keep` in this app."""
    rows = connection.execute(
        select(Session.sid, Session.device, Session.token_hash)
        .where(or_(Session.token_hash == token_hash, (Session.uid == uid) & (Session.appid == appid)))
        .order_by(Session.sid.desc())
    ).all()
    same = [row.sid for row in rows if row.token_hash == token_hash or (device and row.device == device)]
    others = [row.sid for row in rows if row.sid not in same]
    return same + others[keep - 1 :]


def count(connection: Connection, uid: int, appid: str) -> int:
    """How many sessions a user has in one app."""
    query = select(func.count()).select_from(Session).where(Session.uid == uid, Session.appid == appid)
    return int(connection.execute(query).scalar_one())


def of_user(connection: Connection, uid: int) -> Sequence[Row[*tuple[Any, ...]]]:
    """A user's sessions, newest first, for the operator's lists."""
    query = (
        select(
            Session.sid,
            Session.appid,
            Session.device,
            Session.device_type,
            Session.created_at,
            PushToken.sid.is_not(None).label("push"),
        )
        .outerjoin(PushToken, PushToken.sid == Session.sid)
        .where(Session.uid == uid)
        .order_by(Session.sid.desc())
    )
    return connection.execute(query).all()


def set_push_token(connection: Connection, now: int, sid: int, token_hash: bytes, **columns: object) -> None:
    """Store a session's push token. A token wakes one phone, so whoever held it before loses it."""
    remove_push_token(connection, sid, token_hash)
    values = {"sid": sid, "token_hash": token_hash, "changed_at": now, **columns}
    connection.execute(insert(PushToken).values(values))


def remove_push_token(connection: Connection, sid: int, token_hash: bytes = b"") -> None:
    """Forget a session's push token, and this token wherever else it stands."""
    connection.execute(delete(PushToken).where(or_(PushToken.sid == sid, PushToken.token_hash == token_hash)))

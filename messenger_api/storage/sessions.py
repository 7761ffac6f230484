"""Logged-in apps, and where to wake them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from msgspec import Struct
from sqlalchemy import Connection, Row, Select, bindparam, case, delete, func, insert, or_, select, update
from sqlalchemy.sql import ColumnElement

from messenger_api.storage import gone_push_tokens
from messenger_api.storage.db import ignoring_known, new_id
from messenger_api.storage.gone_push_tokens import Why
from messenger_api.storage.models import PushToken, Session, User
from messenger_api.storage.packed import PackedRow
from messenger_api.storage.statements import execute

_NOTED_AT = case((User.seen_at < Session.seen_at, User.seen_at), else_=Session.seen_at)


class Caller(Struct, frozen=True, array_like=True):
    """Who makes a request: a session and its account. `seen_at`: when their use was last noted."""

    sid: Annotated[int, Session.sid]
    uid: Annotated[int, Session.uid]
    address: Annotated[str, User.address]
    name: Annotated[str, User.name]
    country: Annotated[str, User.country]
    appid: Annotated[str, Session.appid]
    mesibo_uid: Annotated[int, User.mesibo_uid]
    synced_to: Annotated[int, Session.synced_to]
    contact_key: Annotated[bytes, User.contact_key] = b""
    seen_at: Annotated[int, _NOTED_AT] = 0

    def __repr__(self) -> str:
        """Without what names a person: it may end in a log."""
        return f"Caller(sid={self.sid}, uid={self.uid})"


CALLER = PackedRow(Caller)


@dataclass(frozen=True)
class AppOfUser:
    """An app in which a user had sessions: whose token, at mesibo, may be needed no more."""

    uid: int
    address: str = field(repr=False)
    mesibo_uid: int
    contact_key: bytes = field(repr=False)
    appid: str


@dataclass(frozen=True)
class LeftBehind:
    """What a session that ends leaves to the one that takes its place: whose it was, and how it is woken."""

    appid: str
    device: str
    device_type: int
    push: Mapping[str, object] | None = field(repr=False)


_MAY_COME_IN = (
    Session.token_hash == bindparam("token_hash"),
    Session.seen_at >= bindparam("seen_since"),
    User.blocked == 0,
    User.closed_at == 0,
)
_CALLER = select(CALLER.column).join(User, User.uid == Session.uid).where(*_MAY_COME_IN)

# Told of everything once more: another number each time, so that a sync under way (`note_sync`) notices.
_AGAIN = {Session.synced_to.key: case((Session.synced_to > 0, 0), else_=Session.synced_to - 1)}
_NOTE_SYNC = (
    update(Session)
    .where(Session.sid == bindparam("of"), Session.synced_to == bindparam("former"))
    .values(synced_to=bindparam("horizon"))
)


def caller(connection: Connection, token_hash: bytes, *, seen_since: int) -> Caller | None:
    """The session with this token: used after the second `seen_since`, of a user who may come in."""
    return CALLER.first(connection, _CALLER, {"token_hash": token_hash, "seen_since": seen_since})


def beside(column: ColumnElement[Any]) -> Select[str, Any]:
    """A statement for `caller_beside`: a caller, and a column of what is joined to session and account."""
    return select(CALLER.column, column).join(User, User.uid == Session.uid).where(*_MAY_COME_IN)


def caller_beside(
    connection: Connection,
    statement: Select[str, Any],
    values: Mapping[str, object],
    *,
    token_hash: bytes,
    seen_since: int,
) -> tuple[Caller, Any] | None:
    """As `caller`, and the column that the statement, made by `beside`, finds in the same step."""
    values = {**values, "token_hash": token_hash, "seen_since": seen_since}
    rows = execute(connection, statement, values).rows
    return (CALLER.read(rows[0][0]), rows[0][1]) if rows else None


def note_seen(connection: Connection, now: int, caller: Caller, *, since: int) -> bool:
    """Remember that a session and its account are in use; whether the account was not since a second."""
    connection.execute(update(Session).where(Session.sid == caller.sid).values(seen_at=now))
    user = update(User).where(User.uid == caller.uid, User.seen_at <= since).values(seen_at=now)
    return connection.execute(user).rowcount == 1


def add(
    connection: Connection,
    now: int,
    *,
    uid: int,
    token_hash: bytes,
    appid: str,
    device: str,
    device_type: int,
) -> int:
    """Open a session."""
    session = insert(Session).values(
        uid=uid,
        token_hash=token_hash,
        appid=appid,
        device=device,
        device_type=device_type,
        created_at=now,
        seen_at=now,
    )
    return new_id(connection.execute(session))


def remove(connection: Connection, now: int, sids: Sequence[int], why: Why) -> None:
    """End sessions, and their push tokens with them."""
    if sids:
        remove_where(connection, now, Session.sid.in_(sids), why)


def remove_where(connection: Connection, now: int, condition: ColumnElement[bool], why: Why) -> int:
    """End the sessions for which this holds, and their push tokens; returns how many there were."""
    gone_push_tokens.note(connection, now, why, condition)
    return connection.execute(delete(Session).where(condition)).rowcount


def hand_over(connection: Connection, now: int, uid: int, sid: int, token_hash: bytes) -> bool:
    """End a user's sessions but `sid`, which gets another token and is told of everything once more.

    False when it has ended itself.
    """
    remove_where(connection, now, (Session.uid == uid) & (Session.sid != sid), Why.NUMBER_CHANGED)
    mine = (Session.sid == sid) & (Session.uid == uid)
    # Who had blocked the former number tells the new one what the block kept back.
    changed = connection.execute(update(Session).where(mine).values({"token_hash": token_hash, **_AGAIN}))
    return changed.rowcount == 1


def left_behind(connection: Connection, uid: int, sid: int) -> LeftBehind | None:
    """What a user's session has, for another to take its place; None when it has ended."""
    mine = select(Session.appid, Session.device, Session.device_type)
    row = connection.execute(mine.where(Session.sid == sid, Session.uid == uid)).one_or_none()
    if row is None:
        return None
    kept = [column for column in PushToken.__table__.c if column.name != PushToken.replaced.name]
    push = connection.execute(select(*kept).where(PushToken.sid == sid)).mappings().one_or_none()
    return LeftBehind(row.appid, row.device, row.device_type, {**push} if push else None)


def take_up(connection: Connection, sid: int, left: LeftBehind) -> None:
    """Have a new session be woken where the one before it was, unless that phone has registered anew."""
    if left.push:
        connection.execute(ignoring_known(insert(PushToken)).values({**left.push, "sid": sid}))


def apps(connection: Connection, condition: ColumnElement[bool]) -> list[AppOfUser]:
    """The apps of which these sessions are."""
    query = select(User.uid, User.address, User.mesibo_uid, User.contact_key, Session.appid).distinct()
    rows = connection.execute(query.join(User, User.uid == Session.uid).where(condition))
    return [AppOfUser(*row) for row in rows]


def idle(connection: Connection, seen_before: int, most: int) -> list[int]:
    """Sessions that were last used before this second, the longest unused first."""
    query = select(Session.sid).where(Session.seen_at < seen_before).order_by(Session.seen_at).limit(most)
    return list(connection.execute(query).scalars())


def note_sync(connection: Connection, caller: Caller, synced_to: int) -> None:
    """Remember that the app was told of every change up to this second.

    Not where something else was noted since the caller was read: it is told once more.
    """
    values = {"of": caller.sid, "former": caller.synced_to, "horizon": synced_to}
    execute(connection, _NOTE_SYNC, values)


def forget_syncs_from(connection: Connection, second: int) -> None:
    """Have apps that were told of all up to this second, or a later one, told of everything once more."""
    connection.execute(update(Session).where(Session.synced_to >= second).values(_AGAIN))


def sync_all_again(connection: Connection, uids: Sequence[int]) -> None:
    """Have every app of these users told of everything once more."""
    connection.execute(update(Session).where(Session.uid.in_(uids)).values(_AGAIN))


def superseded(
    connection: Connection, *, uid: int, appid: str, device: str, token_hash: bytes, keep: int
) -> tuple[list[int], list[int]]:
    """The sessions that a new login ends: the same device's, and the oldest beyond `keep` in this app."""
    rows = connection.execute(
        select(Session.sid, Session.device, Session.token_hash)
        .where(or_(Session.token_hash == token_hash, (Session.uid == uid) & (Session.appid == appid)))
        .order_by(Session.sid.desc())
    ).all()
    same = [row.sid for row in rows if row.token_hash == token_hash or (device and row.device == device)]
    others = [row.sid for row in rows if row.sid not in same]
    return same, others[keep - 1 :]


def count(connection: Connection, uid: int, appid: str) -> int:
    """How many sessions a user has in one app."""
    query = select(func.count()).select_from(Session).where(Session.uid == uid, Session.appid == appid)
    return int(connection.execute(query).scalar_one())


def count_at(connection: Connection, address: str, appid: str = "") -> int:
    """How many sessions whoever has this address now has: in one app, or in all."""
    query = select(func.count()).select_from(Session).join(User, User.uid == Session.uid)
    query = query.where(User.address == address)
    if appid:
        query = query.where(Session.appid == appid)
    return int(connection.execute(query).scalar_one())


def of_user(connection: Connection, uid: int, *, seen_since: int = 0) -> Sequence[Row[*tuple[Any, ...]]]:
    """A user's sessions that were used after the second `seen_since`, newest first."""
    query = (
        select(
            Session.sid,
            Session.appid,
            Session.device,
            Session.device_type,
            Session.created_at,
            Session.seen_at,
            PushToken.sid.is_not(None).label("push"),
        )
        .outerjoin(PushToken, PushToken.sid == Session.sid)
        .where(Session.uid == uid, Session.seen_at >= seen_since)
        .order_by(Session.sid.desc())
    )
    return connection.execute(query).all()


def owner(connection: Connection, sid: int) -> int:
    """The uid of a session's user; 0 when there is no such session."""
    return int(connection.execute(select(Session.uid).where(Session.sid == sid)).scalar() or 0)

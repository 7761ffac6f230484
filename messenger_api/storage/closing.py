"""Accounts that end, and accounts that move to another number."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from msgspec import Struct
from sqlalchemy import Connection, bindparam, delete, func, literal, literal_column, select, update

from messenger_api.storage import intentions, lanes, steps
from messenger_api.storage.models import (
    Contact,
    FormerContact,
    OneTimeCode,
    Password,
    SentText,
    Session,
    Thumbnail,
    User,
)
from messenger_api.storage.packed import columns

# Stands in `sent_texts` for somebody who is gone: what was paid is still counted.
NOBODY = bytes(16)
# Begins the address that stands in the place of a number which somebody else has by now. No login method
# reads one, and mesibo never learns of it.
DISPLACED = "#"


@dataclass(frozen=True)
class AccountState:
    """Whether an account lets a login with its number in. `seen_at`: the second of its last use."""

    uid: int
    address: str = field(repr=False)
    blocked: bool
    closed: bool
    seen_at: int


class AccountIds(Struct, frozen=True):
    """The ids of an account, here and at mesibo, and the file of its photo."""

    uid: Annotated[int, User.uid]
    address: Annotated[str, User.address]
    contact_key: Annotated[bytes, User.contact_key]
    mesibo_uid: Annotated[int, User.mesibo_uid]
    photo: Annotated[str, User.photo]

    def __repr__(self) -> str:
        """Without what names a person: it may end in a log."""
        return f"AccountIds(uid={self.uid})"

    @property
    def displaced(self) -> bool:
        """Whether somebody else has taken its number over."""
        return self.address.startswith(DISPLACED)


_IDS = select(*columns(AccountIds))
_STATE_COLUMNS = (
    User.uid,
    User.address,
    User.blocked,
    User.closed_at,
    User.seen_at,
    User.created_at,
    select(func.max(Session.seen_at)).where(Session.uid == User.uid).scalar_subquery(),
)
_STATE = select(*_STATE_COLUMNS).where(User.contact_key == bindparam("key"))
_one = select(literal_column("1").label("one")).subquery()
# See `lanes.tokens`.
_tokens = literal(lanes.TOKENS).concat(User.uid)
_PAST = intentions.NOTHING_LEFT & ~intentions.is_queued(_tokens).correlate(User)
_ENTRANCE = select(_PAST, *_STATE_COLUMNS).select_from(
    _one.outerjoin(User, User.contact_key == bindparam("key"))
)


def state(connection: Connection, key: bytes) -> AccountState | None:
    """How the account with this contact key stands, if there is one. One statement."""
    row = connection.execute(_STATE, {"key": key}).one_or_none()
    return None if row is None else _state(*row)


def entrance(
    connection: Connection, key: bytes, *, gone: str, intent: str
) -> tuple[AccountState | None, bool]:
    """As `state`, and whether nothing is left to do about the past of the number. One statement.

    `gone`, `intent`: the lanes of what is left to do, and of intentions.
    """
    over, *row = connection.execute(_ENTRANCE, {"key": key, "gone": gone, "intent": intent}).one()
    return None if row[0] is None else _state(*row), bool(over)


def _state(
    uid: int,
    address: str,
    blocked: int,
    closed_at: int,
    seen_at: int,
    created_at: int,
    session_seen: int | None,
) -> AccountState:
    last = max(seen_at, created_at, session_seen or 0)
    return AccountState(uid, address, bool(blocked), bool(closed_at), last)


def enter(connection: Connection, now: int, uid: int, *, contact_key: bytes, mesibo_uid: int) -> bool:
    """Note that an account is logged in to, with the id that mesibo gives it; locks it.

    False when it has another number by now, or nobody may log in to it.
    """
    same = (User.uid == uid) & (User.contact_key == contact_key) & (User.closed_at == 0) & (User.blocked == 0)
    changed = connection.execute(update(User).where(same).values(mesibo_uid=mesibo_uid, seen_at=now))
    return changed.rowcount == 1


def close(connection: Connection, now: int, uid: int) -> bool:
    """Mark an account as closed; False when it is already, or gone."""
    open_one = (User.uid == uid) & (User.closed_at == 0)
    return connection.execute(update(User).where(open_one).values(closed_at=now)).rowcount == 1


def displace(connection: Connection, now: int, former: AccountIds) -> None:
    """Close an account and take its number from it, for somebody else to have at once."""
    nobodys = {"address": f"{DISPLACED}{former.uid}", "contact_key": former.uid.to_bytes(16, "big")}
    values = {**nobodys, "mesibo_uid": 0, "closed_at": now, "changed_at": now}
    connection.execute(update(User).where(User.uid == former.uid).values(values))
    forget_texts(connection, now, former.contact_key)


def contact_key(connection: Connection, address: str) -> bytes:
    """The contact key of whoever has this address; b"" for nobody."""
    key = connection.execute(select(User.contact_key).where(User.address == address)).scalar()
    return b"" if key is None else bytes(key)


def forget_proofs(connection: Connection, identity: AccountIds) -> None:
    """Remove what a login with this identity is checked against: its one-time code and its password."""
    connection.execute(delete(OneTimeCode).where(OneTimeCode.contact_key == identity.contact_key))
    connection.execute(delete(Password).where(Password.address == identity.address))


def is_blocked(connection: Connection, uid: int) -> bool:
    """Whether the operator keeps an account out."""
    return bool(connection.execute(select(User.blocked).where(User.uid == uid)).scalar())


def set_blocked(connection: Connection, uid: int, *, blocked: bool) -> None:
    """Keep an account out, or let it in again."""
    connection.execute(update(User).where(User.uid == uid).values(blocked=int(blocked)))


def closed(connection: Connection, uid: int, *, lock: bool = False) -> AccountIds | None:
    """A closed account that is still there. With `lock` nobody can join it to a group any more."""
    query = _IDS.where(User.uid == uid, User.closed_at > 0)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else AccountIds(*row)


def alive(connection: Connection, uid: int) -> AccountIds | None:
    """An account that was not closed, locked until the transaction ends."""
    query = _IDS.where(User.uid == uid, User.closed_at == 0)
    row = connection.execute(query.with_for_update()).one_or_none()
    return None if row is None else AccountIds(*row)


def forget_contacts(connection: Connection, uid: int, most: int) -> bool:
    """Remove up to `most` entries of a phone book, present and former; False when there were none.

    A large one in a single statement would outlast a transaction.
    """
    return any(_forget_some(connection, table, uid, most) for table in (Contact, FormerContact))


def _forget_some(
    connection: Connection, table: type[Contact] | type[FormerContact], uid: int, most: int
) -> bool:
    query = select(table.contact_key).where(table.owner == uid).order_by(table.contact_key).limit(most)
    keys = list(connection.execute(query).scalars())
    if keys:
        connection.execute(delete(table).where(table.owner == uid, table.contact_key <= keys[-1]))
    return bool(keys)


def forget_texts(connection: Connection, now: int, key: bytes) -> None:
    """Take a number out of the texts that were paid for, and forget what became of its log-ins."""
    steps.forget(connection, now, key)
    query = select(SentText.id).where(SentText.contact_key == key)
    if ids := list(connection.execute(query).scalars()):
        connection.execute(update(SentText).where(SentText.id.in_(ids)).values(contact_key=NOBODY))


def erase(connection: Connection, identity: AccountIds) -> None:
    """Delete an account; what belongs to it follows by foreign keys. It must be in no group."""
    if identity.photo:
        connection.execute(delete(Thumbnail).where(Thumbnail.photo == identity.photo))
    connection.execute(delete(User).where(User.uid == identity.uid))


def has_account(connection: Connection, address: str) -> bool:
    """Whether somebody has this address now."""
    query = select(User.uid).where(User.address == address)
    return connection.execute(query).scalar() is not None


def move(
    connection: Connection,
    now: int,
    before: AccountIds,
    *,
    address: str,
    contact_key: bytes,
    country: str,
    mesibo_uid: int,
) -> None:
    """Give an account another address and key. Raises IntegrityError when somebody has them."""
    moved = update(User).values(
        address=address,
        contact_key=contact_key,
        country=country,
        mesibo_uid=mesibo_uid,
        changed_at=now,
        seen_at=now,
    )
    connection.execute(moved.where(User.uid == before.uid))
    forget_proofs(connection, before)

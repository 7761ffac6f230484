"""Accounts and their profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypedDict, Unpack

from msgspec import Struct
from sqlalchemy import (
    Connection,
    Row,
    Select,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.exc import NoResultFound

from messenger_api.storage.db import new_id
from messenger_api.storage.models import Thumbnail, User
from messenger_api.storage.packed import PackedRow, columns, packed, unpack
from messenger_api.storage.statements import execute

THUMBNAIL = func.coalesce(Thumbnail.tn, literal_column("''"))


class Profile(Struct, frozen=True, array_like=True):
    """What others see of an account. Absent texts are ""."""

    uid: Annotated[int, User.uid]
    address: Annotated[str, User.address]
    name: Annotated[str, User.name]
    status: Annotated[str, User.status]
    photo: Annotated[str, User.photo]
    tn: Annotated[str, THUMBNAIL]
    changed_at: Annotated[int, User.changed_at]


PROFILE = PackedRow(Profile)


class Account(Struct, frozen=True, array_like=True):
    """An account as login and matching need it."""

    uid: Annotated[int, User.uid]
    address: Annotated[str, User.address]
    contact_key: Annotated[bytes, User.contact_key]


ACCOUNT = PackedRow(Account)

_PROFILE = (
    select(PROFILE.column)
    .outerjoin(Thumbnail, Thumbnail.photo == User.photo)
    .where(User.uid == bindparam("uid"))
)
_LOCKED = _PROFILE.where(User.closed_at == 0).with_for_update()
_ACCOUNTS = select(ACCOUNT.column).where(User.contact_key.in_(bindparam("keys", expanding=True)))
_OPEN_ACCOUNTS = _ACCOUNTS.where(User.closed_at == 0)
_STANDING = (
    select(packed(User.uid, User.address))
    .where(User.uid.in_(bindparam("uids", expanding=True)), User.closed_at == 0)
    .order_by(User.uid)
    .with_for_update(read=True)
)

# What it changes stands in its values: one written form is kept for each set of columns.
_CHANGE = update(User).where(User.uid == bindparam("of"))
_ADD_THUMBNAIL = insert(Thumbnail)
_REMOVE_THUMBNAIL = delete(Thumbnail).where(Thumbnail.photo == bindparam("photo"))


def profile(connection: Connection, uid: int) -> Profile:
    """The profile of an account. Raises NoResultFound when it is gone."""
    found = find_profile(connection, uid)
    if found is None:
        raise NoResultFound
    return found


def find_profile(connection: Connection, uid: int) -> Profile | None:
    """The profile of an account that may be gone."""
    return PROFILE.first(connection, _PROFILE, {"uid": uid})


def record(connection: Connection, uid: int) -> Row[*tuple[Any, ...]]:
    """All of an account's own columns that a person may read. Raises NoResultFound when it is gone."""
    texts = (User.address, User.name, User.status, User.photo, User.country)
    times = (User.created_at, User.changed_at, User.seen_at, User.closed_at)
    return connection.execute(select(*texts, *times, User.blocked).where(User.uid == uid)).one()


def open_accounts(connection: Connection, keys: Sequence[bytes]) -> list[Account]:
    """As `accounts`, without those that were closed and are about to go."""
    return _accounts(connection, _OPEN_ACCOUNTS, keys)


def locked(connection: Connection, uid: int) -> Profile | None:
    """As `profile`; nobody else changes it before this transaction ends. None when it is gone, or closed."""
    return PROFILE.first(connection, _LOCKED, {"uid": uid})


def all_stand(connection: Connection, people: Mapping[int, str]) -> bool:
    """Whether these accounts are there, open, and have these addresses; they stay so for this transaction."""
    rows = connection.execute(_STANDING, {"uids": list(people)}).scalars()
    found = (unpack(row) for row in rows)
    return {int(uid): address for uid, address in found} == dict(people)


def names(connection: Connection, uids: Sequence[int]) -> dict[int, str]:
    """What these users are called."""
    rows = connection.execute(select(User.uid, User.name).where(User.uid.in_(uids)))
    return {row.uid: row.name for row in rows}


def accounts(connection: Connection, keys: Sequence[bytes]) -> list[Account]:
    """The accounts that have one of these contact keys, in no order."""
    return _accounts(connection, _ACCOUNTS, keys)


def _accounts(connection: Connection, query: Select[str], keys: Sequence[bytes]) -> list[Account]:
    rows = connection.execute(query, {"keys": list(keys)}).scalars() if keys else ()
    return ACCOUNT.read_all(rows)


def add(
    connection: Connection,
    now: int,
    *,
    address: str,
    contact_key: bytes,
    mesibo_uid: int,
    name: str,
    country: str,
) -> int:
    """Make an account. Raises IntegrityError when its number has one already."""
    account = insert(User).values(
        address=address,
        contact_key=contact_key,
        mesibo_uid=mesibo_uid,
        name=name,
        country=country,
        created_at=now,
        changed_at=now,
        seen_at=now,
    )
    return new_id(connection.execute(account))


class Changes(TypedDict, total=False):
    """What a user can change of what others see."""

    name: str
    status: str
    photo: str


def change(connection: Connection, now: int, uid: int, **columns: Unpack[Changes]) -> None:
    """Change what others see, and say so to their next sync."""
    execute(connection, _CHANGE, {"of": uid, **columns, "changed_at": now})


def add_thumbnail(connection: Connection, photo: str, tn: str) -> None:
    """Keep the thumbnail of a photo, ready to be sent."""
    execute(connection, _ADD_THUMBNAIL, {"photo": photo, "tn": tn})


def remove_thumbnail(connection: Connection, photo: str) -> None:
    """Forget the thumbnail of a photo that is gone."""
    execute(connection, _REMOVE_THUMBNAIL, {"photo": photo})


class Listed(Struct, frozen=True):
    """An account as files hold it; times are unix seconds."""

    uid: Annotated[int, User.uid]
    contact_key: Annotated[bytes, User.contact_key]
    address: Annotated[str, User.address]
    name: Annotated[str, User.name]
    status: Annotated[str, User.status]
    photo: Annotated[str, User.photo]
    country: Annotated[str, User.country]
    created_at: Annotated[int, User.created_at]
    seen_at: Annotated[int, User.seen_at]
    blocked: Annotated[int, User.blocked]


_LISTED = select(*columns(Listed)).where(User.closed_at == 0)


def listed(connection: Connection, *, after: int, limit: int) -> list[Listed]:
    """Up to `limit` accounts that are not closed and have greater uids, in the order of their uids."""
    query = _LISTED.where(User.uid > after).order_by(User.uid).limit(limit)
    return [Listed(*row) for row in connection.execute(query)]


def listed_of(connection: Connection, keys: Sequence[bytes]) -> dict[bytes, Listed]:
    """The accounts that are not closed and have one of these contact keys, by their keys."""
    rows = connection.execute(_LISTED.where(User.contact_key.in_(keys)))
    return {found.contact_key: found for found in (Listed(*row) for row in rows)}


def page(
    connection: Connection, *, after: int, limit: int, address: str = ""
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Accounts in the order of their uid, for the operator's lists."""
    query = select(User.uid, User.address, User.name, User.country, User.created_at, User.changed_at)
    query = query.where(User.uid > after).order_by(User.uid).limit(limit)
    if address:
        query = query.where(User.address == address)
    return connection.execute(query).all()

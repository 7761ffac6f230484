"""Phone books, blind, and the profiles that meet them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, func, insert, literal, select, union_all

from messenger_api.storage.models import Contact, Thumbnail, User
from messenger_api.storage.users import PROFILE_COLUMNS, Profile, profile_of

_PROFILES = select(literal(0).label("own"), *PROFILE_COLUMNS).outerjoin(
    Thumbnail, Thumbnail.photo == User.photo
)
_OWN = (
    select(literal(1).label("own"), *PROFILE_COLUMNS)
    .outerjoin(Thumbnail, Thumbnail.photo == User.photo)
    .where(User.uid == bindparam("owner"))
)
_CHANGED = union_all(
    _OWN,
    _PROFILES.join(Contact, Contact.contact_key == User.contact_key).where(
        Contact.owner == bindparam("owner"),
        User.changed_at > bindparam("since"),
        User.uid != bindparam("owner"),
    ),
)
_NAMED = union_all(
    _OWN,
    _PROFILES.where(User.contact_key.in_(bindparam("keys", expanding=True)), User.uid != bindparam("owner")),
)
_KNOWN = select(Contact.contact_key).where(
    Contact.owner == bindparam("owner"), Contact.contact_key.in_(bindparam("keys", expanding=True))
)
_FOLLOWERS = (
    select(User.uid, User.address)
    .join(Contact, Contact.owner == User.uid)
    .where(
        Contact.contact_key == select(User.contact_key).where(User.uid == bindparam("uid")).scalar_subquery(),
        Contact.owner > bindparam("after"),
        Contact.owner != bindparam("uid"),
    )
    .order_by(Contact.owner)
    .limit(bindparam("most"))
)

Found = tuple[Profile, list[Profile]]
"""The caller's own profile, and those of others with the oldest change first."""


def changed(connection: Connection, owner: int, since: int) -> Found:
    """The accounts in the owner's phone book that changed after the second `since`."""
    return _found(connection.execute(_CHANGED, {"owner": owner, "since": since}).all())


def named(connection: Connection, owner: int, keys: Sequence[bytes]) -> Found:
    """The accounts with one of these contact keys."""
    return _found(connection.execute(_NAMED, {"owner": owner, "keys": list(keys)}).all())


def _found(rows: Sequence[object]) -> Found:
    profiles = [(row[0], profile_of(row[1:])) for row in rows]  # type: ignore[index]
    own = next(profile for mine, profile in profiles if mine)
    others = [profile for mine, profile in profiles if not mine]
    return own, sorted(others, key=lambda profile: (profile.changed_at, profile.uid))


def known(connection: Connection, owner: int, keys: Sequence[bytes]) -> set[bytes]:
    """Which of these keys stand in the owner's phone book already."""
    if not keys:
        return set()
    return set(connection.execute(_KNOWN, {"owner": owner, "keys": list(keys)}).scalars())


def add(connection: Connection, owner: int, keys: Sequence[bytes]) -> None:
    """Put keys into a phone book; those that stand there already are left alone."""
    if keys:
        statement = insert(Contact).prefix_with("OR IGNORE", dialect="sqlite")
        statement = statement.prefix_with("IGNORE", dialect="mysql").prefix_with("IGNORE", dialect="mariadb")
        connection.execute(statement.values([{"owner": owner, "contact_key": key} for key in keys]))


def remove(connection: Connection, owner: int, keys: Sequence[bytes] | None = None) -> None:
    """Take keys out of a phone book, or empty it."""
    statement = delete(Contact).where(Contact.owner == owner)
    if keys is not None:
        statement = statement.where(Contact.contact_key.in_(keys))
    connection.execute(statement)


def followers(connection: Connection, uid: int, *, after: int, most: int) -> list[tuple[int, str]]:
    """Who has this account in the phone book: (uid, address) beyond the uid `after`, in order of uid."""
    rows = connection.execute(_FOLLOWERS, {"uid": uid, "after": after, "most": most})
    return [(row.uid, row.address) for row in rows]


def count(connection: Connection, owner: int) -> int:
    """How many numbers stand in a phone book."""
    query = select(func.count()).select_from(Contact).where(Contact.owner == owner)
    return int(connection.execute(query).scalar_one())

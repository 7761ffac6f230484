"""Phone books, blind, and who is in them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, func, insert, literal, select, union_all
from sqlalchemy.orm import aliased

from messenger_api.storage.db import ignoring_known
from messenger_api.storage.models import Block, Contact, LimitCounter, User

# Blocks are looked for by outer joins: two look-ups by primary key for each account in question. Of
# NOT EXISTS, MariaDB would make a table first, and read every block of every user for it.
_by_owner, _of_owner = aliased(Block), aliased(Block)
_BLOCKED_BY_OWNER = (_by_owner.owner == bindparam("owner")) & (_by_owner.contact_key == User.contact_key)
_HAS_BLOCKED_OWNER = (_of_owner.owner == User.uid) & (_of_owner.contact_key == bindparam("own_key"))
_NO_BLOCK = _by_owner.owner.is_(None) & _of_owner.owner.is_(None)

_KNOWN = union_all(
    select(Contact.contact_key, literal("").label("slots")).where(
        Contact.owner == bindparam("owner"), Contact.contact_key.in_(bindparam("keys", expanding=True))
    ),
    select(literal(b"").label("contact_key"), LimitCounter.slots).where(
        LimitCounter.name == bindparam("counter")
    ),
)
# Whoever has this number in the phone book, unless a block keeps the two apart.
_HOLDERS = (
    select(User.uid, User.address)
    .join(Contact, Contact.owner == User.uid)
    .outerjoin(_of_owner, _HAS_BLOCKED_OWNER)
    .where(
        Contact.contact_key == bindparam("own_key"),
        Contact.owner > bindparam("after"),
        User.closed_at == 0,
        _of_owner.owner.is_(None),
    )
    .order_by(Contact.owner)
    .limit(bindparam("most"))
)
_subject = aliased(User)
_FOLLOWERS = (
    select(User.uid, User.address)
    .join(Contact, Contact.owner == User.uid)
    .join(_subject, _subject.contact_key == Contact.contact_key)
    .outerjoin(_by_owner, _BLOCKED_BY_OWNER)
    .outerjoin(_of_owner, (_of_owner.owner == User.uid) & (_of_owner.contact_key == _subject.contact_key))
    .where(
        _subject.uid == bindparam("owner"),
        Contact.owner > bindparam("after"),
        Contact.owner != bindparam("owner"),
        User.closed_at == 0,
        _NO_BLOCK,
    )
    .order_by(Contact.owner)
    .limit(bindparam("most"))
)


def known(
    connection: Connection, owner: int, keys: Sequence[bytes], counter: str
) -> tuple[set[bytes], str | None]:
    """Which of these keys stand in the owner's phone book already, and the state of the counter of this name.

    Both in one statement, for it is asked at every sync. None: there is no such counter yet.
    """
    rows = connection.execute(_KNOWN, {"owner": owner, "keys": list(keys), "counter": counter}).all()
    states = [slots for key, slots in rows if not key]
    return {key for key, _slots in rows if key}, (states[0] if states else None)


def add(connection: Connection, owner: int, keys: Sequence[bytes]) -> None:
    """Put keys into a phone book; those that stand there already are left alone."""
    if keys:
        rows = [{"owner": owner, "contact_key": key} for key in keys]
        connection.execute(ignoring_known(insert(Contact)).values(rows))


def remove(connection: Connection, owner: int, keys: Sequence[bytes] | None = None) -> None:
    """Take keys out of a phone book, or empty it."""
    statement = delete(Contact).where(Contact.owner == owner)
    if keys is not None:
        statement = statement.where(Contact.contact_key.in_(keys))
    connection.execute(statement)


def followers(connection: Connection, uid: int, *, after: int, most: int) -> list[tuple[int, str]]:
    """Who has this account in the phone book: (uid, address) beyond the uid `after`, in order of uid.

    Nobody whom a block keeps apart from it.
    """
    rows = connection.execute(_FOLLOWERS, {"owner": uid, "after": after, "most": most})
    return [(row.uid, row.address) for row in rows]


def holders(connection: Connection, key: bytes, *, after: int, most: int) -> list[tuple[int, str]]:
    """Who has a number that may have no account in the phone book and has not blocked it, as `followers`."""
    rows = connection.execute(_HOLDERS, {"own_key": key, "after": after, "most": most})
    return [(row.uid, row.address) for row in rows]


def count(connection: Connection, owner: int) -> int:
    """How many numbers stand in a phone book."""
    query = select(func.count()).select_from(Contact).where(Contact.owner == owner)
    return int(connection.execute(query).scalar_one())

"""Phone books, blind, and who is in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, bindparam, delete, func, insert, literal_column, select, union_all
from sqlalchemy.orm import aliased

from messenger_api.domain.secrets import CONTACT_KEY_BYTES
from messenger_api.storage.blocks import BLOCKED_BY_OWNER, HAS_BLOCKED_OWNER, NO_BLOCK, by_owner, of_owner
from messenger_api.storage.db import ignoring_known
from messenger_api.storage.models import Contact, LimitCounter, User
from messenger_api.storage.packed import packed, unpack
from messenger_api.storage.statements import execute, texts

# Of a list that was cut off (`db.LONGEST_LIST`) the last entry is not whole.
KEY_DIGITS = CONTACT_KEY_BYTES * 2
# As many as an app may send at once (MAX_PHONES_PER_CALL).
KEYS_AT_ONCE = 2_000

# A phone book as one text is read ten times as fast as its rows, or as a look-up of every number sent.
_BOOK = union_all(
    select(
        packed(literal_column("'book'"), func.coalesce(func.group_concat(func.hex(Contact.contact_key)), ""))
    ).where(Contact.owner == bindparam("owner")),
    select(packed(literal_column("'counter'"), LimitCounter.slots)).where(
        LimitCounter.name == bindparam("counter")
    ),
)
# Whoever has this number in the phone book, unless a block keeps the two apart.
_HOLDERS = (
    select(User.uid, User.address)
    .join(Contact, Contact.owner == User.uid)
    .outerjoin(of_owner, HAS_BLOCKED_OWNER)
    .where(
        Contact.contact_key == bindparam("own_key"),
        Contact.owner > bindparam("after"),
        User.closed_at == 0,
        of_owner.owner.is_(None),
    )
    .order_by(Contact.owner)
    .limit(bindparam("most"))
)
_subject = aliased(User)
_FOLLOWERS = (
    select(User.uid, User.address)
    .join(Contact, Contact.owner == User.uid)
    .join(_subject, _subject.contact_key == Contact.contact_key)
    .outerjoin(by_owner, BLOCKED_BY_OWNER)
    .outerjoin(of_owner, (of_owner.owner == User.uid) & (of_owner.contact_key == _subject.contact_key))
    .where(
        _subject.uid == bindparam("owner"),
        Contact.owner > bindparam("after"),
        Contact.owner != bindparam("owner"),
        User.closed_at == 0,
        NO_BLOCK,
    )
    .order_by(Contact.owner)
    .limit(bindparam("most"))
)


def book(connection: Connection, owner: int, counter: str) -> tuple[set[bytes], str | None]:
    """The owner's phone book, and the state of the counter of this name; None: there is no such counter yet.

    Both in one statement, for it is asked at every sync.
    """
    rows = texts(connection, _BOOK, {"owner": owner, "counter": counter})
    found = dict(unpack(row) for row in rows)
    keys = {bytes.fromhex(key) for key in found["book"].split(",") if len(key) == KEY_DIGITS}
    return keys, found.get("counter")


def add(connection: Connection, owner: int, keys: Sequence[bytes]) -> None:
    """Put keys into a phone book; those that stand there already are left alone."""
    if keys:
        rows = [{"owner": owner, "contact_key": key} for key in keys]
        connection.execute(ignoring_known(insert(Contact)).values(rows))


def clear(connection: Connection, owner: int) -> None:
    """Empty a phone book."""
    connection.execute(delete(Contact).where(Contact.owner == owner))


def remove(connection: Connection, owner: int, keys: Iterable[bytes]) -> None:
    """Take keys out of a phone book."""
    gone = sorted(keys)
    for first in range(0, len(gone), KEYS_AT_ONCE):
        some = gone[first : first + KEYS_AT_ONCE]
        connection.execute(delete(Contact).where(Contact.owner == owner, Contact.contact_key.in_(some)))


def followers(connection: Connection, uid: int, *, after: int, most: int) -> list[tuple[int, str]]:
    """Who has this account in the phone book: (uid, address) beyond the uid `after`, in order of uid.

    Nobody whom a block keeps apart from it.
    """
    found = execute(connection, _FOLLOWERS, {"owner": uid, "after": after, "most": most})
    return [(uid, address) for uid, address in found.rows]


def holders(connection: Connection, key: bytes, *, after: int, most: int) -> list[tuple[int, str]]:
    """Who has a number that may have no account in the phone book and has not blocked it, as `followers`."""
    found = execute(connection, _HOLDERS, {"own_key": key, "after": after, "most": most})
    return [(uid, address) for uid, address in found.rows]


def count(connection: Connection, owner: int) -> int:
    """How many numbers stand in a phone book."""
    query = select(func.count()).select_from(Contact).where(Contact.owner == owner)
    return int(connection.execute(query).scalar_one())

"""Phone books, blind, and who is in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    Connection,
    bindparam,
    delete,
    func,
    insert,
    literal,
    literal_column,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.sql import ColumnElement

from messenger_api.domain.secrets import CONTACT_KEY_BYTES
from messenger_api.storage.blocks import BLOCKED_BY_OWNER, HAS_BLOCKED_OWNER, NO_BLOCK, by_owner, of_owner
from messenger_api.storage.db import ignoring_known
from messenger_api.storage.inserts import insert_rows
from messenger_api.storage.models import Contact, FormerContact, LimitCounter, User
from messenger_api.storage.models.base import aliased
from messenger_api.storage.packed import packed, unpack
from messenger_api.storage.statements import execute, texts

# Of a list that was cut off (`db.LONGEST_LIST`) the last entry is not whole.
KEY_DIGITS = CONTACT_KEY_BYTES * 2
# As many as an app may send at once (MAX_PHONES_PER_CALL).
KEYS_AT_ONCE = 2_000
PURGE_ROWS = 1_000


@dataclass(frozen=True)
class Book:
    """The keys of a phone book, and those that were taken out of it and still count as known."""

    keys: set[bytes]
    former: set[bytes]
    counter: str | None
    """The state of the counter of new numbers; None: there is no such counter yet."""


# A phone book as one text is read ten times as fast as its rows, or as a look-up of every number sent.
_BOOK = union_all(
    select(
        packed(literal_column("'book'"), func.coalesce(func.group_concat(func.hex(Contact.contact_key)), ""))
    ).where(Contact.owner == bindparam("owner")),
    select(
        packed(
            literal_column("'former'"),
            func.coalesce(func.group_concat(func.hex(FormerContact.contact_key)), ""),
        )
    ).where(FormerContact.owner == bindparam("owner"), FormerContact.expires_at > bindparam("now")),
    select(packed(literal_column("'counter'"), LimitCounter.slots)).where(
        LimitCounter.name == bindparam("counter")
    ),
)
_ADD = ignoring_known(insert(Contact))
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


def book(connection: Connection, now: int, owner: int, counter: str) -> Book:
    """The owner's phone book, with the counter of this name: in one statement, for every sync asks for it."""
    rows = texts(connection, _BOOK, {"now": now, "owner": owner, "counter": counter})
    found = dict(unpack(row) for row in rows)
    return Book(_keys(found["book"]), _keys(found["former"]), found.get("counter"))


def _keys(digits: str) -> set[bytes]:
    keys = digits.split(",")
    if len(keys[-1]) < KEY_DIGITS:
        keys.pop()
    return set(map(bytes.fromhex, keys))


def add(connection: Connection, owner: int, keys: Sequence[bytes]) -> None:
    """Put keys into a phone book; those that stand there already are left alone."""
    insert_rows(connection, _ADD, [{"owner": owner, "contact_key": key} for key in keys])


def forget_former(connection: Connection, owner: int) -> None:
    """What stands in a phone book is not among what was taken out of it."""
    present = select(Contact.contact_key).where(Contact.owner == owner)
    mine = (FormerContact.owner == owner, FormerContact.contact_key.in_(present))
    connection.execute(delete(FormerContact).where(*mine))


def clear(connection: Connection, owner: int, known_until: int) -> None:
    """Empty a phone book; its numbers are known to have stood there until the second `known_until`."""
    _note_former(connection, known_until, Contact.owner == owner)
    connection.execute(delete(Contact).where(Contact.owner == owner))


def remove(connection: Connection, owner: int, keys: Iterable[bytes], known_until: int) -> None:
    """Take keys out of a phone book, as `clear`."""
    for some in _at_once(keys):
        those = (Contact.owner == owner, Contact.contact_key.in_(some))
        _note_former(connection, known_until, *those)
        connection.execute(delete(Contact).where(*those))


def _note_former(connection: Connection, until: int, *those: ColumnElement[bool]) -> None:
    rows = select(Contact.owner, Contact.contact_key, literal(until)).where(*those)
    columns = ["owner", "contact_key", "expires_at"]
    connection.execute(ignoring_known(insert(FormerContact)).from_select(columns, rows))


def _at_once(keys: Iterable[bytes]) -> Iterator[list[bytes]]:
    ordered = sorted(keys)
    for first in range(0, len(ordered), KEYS_AT_ONCE):
        yield ordered[first : first + KEYS_AT_ONCE]


def purge(connection: Connection, now: int) -> int:
    """Forget some of the numbers that were taken out of phone books long ago; returns how many."""
    primary = (FormerContact.owner, FormerContact.contact_key)
    rows = connection.execute(select(*primary).where(FormerContact.expires_at < now).limit(PURGE_ROWS)).all()
    if rows:
        connection.execute(delete(FormerContact).where(tuple_(*primary).in_([tuple(row) for row in rows])))
    return len(rows)


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

"""Every row that holds a keyed hash, put under another SECRET_KEY: by statements over whole tables.

Hashes cannot be read. So the pairs of former and new ones are made from what is known, the addresses of
accounts and the push tokens of phones, and stand in a table of their own while it lasts. All of it is one
transaction: databases that are half under one key and half under another do not exist.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    MetaData,
    Select,
    Table,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from messenger_api.domain.secrets import CONTACT_KEY_BYTES
from messenger_api.storage.columns import KEY, MYSQL
from messenger_api.storage.inserts import insert_rows
from messenger_api.storage.models import (
    Administrator,
    AdminSession,
    Block,
    Contact,
    FormerContact,
    GonePushToken,
    LimitCounter,
    LoginStep,
    OneTimeCode,
    OutboxItem,
    PushToken,
    SentText,
    User,
)
from messenger_api.storage.statements import send

AT_ONCE = 500

_PAIRS: Final = Table(
    "rotation",
    MetaData(),
    Column("former", KEY, primary_key=True),
    Column("made", KEY, nullable=False),
    **MYSQL,
)
_ADD = insert(_PAIRS)
_ADD_COUNTER = insert(LimitCounter)

_Kept = type[Contact] | type[FormerContact] | type[Block] | type[LoginStep]
# Of these, rows about a number that nobody has are of no use under another key, and go.
_ABOUT_SOMEBODY: tuple[_Kept, ...] = (Contact, FormerContact, Block, LoginStep)
# In the place of a number whose text stays for the sake of its cost.
_NOBODY = bytes(CONTACT_KEY_BYTES)
# Whom a limit counts, where that is a keyed hash (`Keys.subject`); the name of the limit stands before it.
_HASHED = re.compile(r"[^:]+:([0-9a-f]{32})")
_NEW_NUMBERS = "new_numbers:"
_LANE = re.compile(r"(gone|intent):([0-9a-f]{32})")


class Counted(NamedTuple):
    """The rows of a table with keyed hashes, and how many of them can be put under another key."""

    table: str
    rows: int
    known: int


class Task(NamedTuple):
    """A task of the outbox in a lane that is named by a contact key."""

    id: int
    lane: str
    payload: str
    key: bytes


def accounts(connection: Connection) -> Iterator[tuple[int, str, bytes]]:
    """The uid, address and contact key of every account."""
    for uid, address, key in connection.execute(select(User.uid, User.address, User.contact_key)).all():
        yield uid, address, bytes(key)


def push_tokens(connection: Connection) -> list[str]:
    """Every push token that is in use."""
    return list(connection.execute(select(PushToken.token)).scalars())


def tasks(connection: Connection) -> list[Task]:
    """What waits in the outbox in lanes that are named by contact keys."""
    query = select(OutboxItem.id, OutboxItem.lane, OutboxItem.payload).where(
        or_(OutboxItem.lane.like("gone:%"), OutboxItem.lane.like("intent:%"))
    )
    found = [(row, _LANE.fullmatch(row.lane)) for row in connection.execute(query)]
    return [Task(*row, bytes.fromhex(lane[2])) for row, lane in found if lane]


def hashed_subjects(connection: Connection) -> set[str]:
    """Whom limits count of late, where these are keyed hashes."""
    names = connection.execute(select(LimitCounter.name)).scalars()
    return {found[1] for found in map(_HASHED.fullmatch, names) if found}


def make_pairs(engine: Engine) -> None:
    """Have an empty table of pairs."""
    forget_pairs(engine)
    _PAIRS.create(engine)


def forget_pairs(engine: Engine) -> None:
    """Drop the table of pairs, which a run that was killed may have left."""
    _PAIRS.drop(engine, checkfirst=True)


def add_pairs(connection: Connection, pairs: Iterable[tuple[bytes, bytes]]) -> None:
    """Note former and new hashes."""
    rows = [{"former": former, "made": made} for former, made in dict(pairs).items()]
    for first in range(0, len(rows), AT_ONCE):
        insert_rows(connection, _ADD, rows[first : first + AT_ONCE])


def counted(connection: Connection) -> list[Counted]:
    """What there is, and what would be put under another key. A few statements; nothing is locked."""
    keys, tokens = select(User.contact_key), select(PushToken.token_key)
    found = []
    for table in (User, *_ABOUT_SOMEBODY, SentText):
        rows = select(func.count()).select_from(table)
        known = rows.where(table.contact_key.in_(keys))
        found.append(Counted(table.__tablename__, *_numbers(connection, rows, known)))
    rows = select(func.count()).select_from(GonePushToken)
    known = rows.where(GonePushToken.token_key.in_(tokens))
    return [*found, Counted(GonePushToken.__tablename__, *_numbers(connection, rows, known))]


def _numbers(connection: Connection, rows: Select[int], known: Select[int]) -> tuple[int, int]:
    return int(connection.execute(rows).scalar_one()), int(connection.execute(known).scalar_one())


def in_one_transaction(connection: Connection, work: Callable[[], None]) -> None:
    """However long it takes: all of it, or nothing."""
    send(connection, "BEGIN IMMEDIATE" if connection.dialect.name == "sqlite" else "BEGIN")
    try:
        work()
    except BaseException:
        if not connection.invalidated:
            send(connection, "ROLLBACK")
        raise
    send(connection, "COMMIT")


def put_under(connection: Connection) -> None:
    """Give every row the new hash of the pair whose former one it has; what has none is forgotten."""
    known = select(_PAIRS.c.former)
    for table in _ABOUT_SOMEBODY:
        connection.execute(delete(table).where(table.contact_key.not_in(known)))
        connection.execute(update(table).values(contact_key=_made(table.contact_key)))
    connection.execute(update(User).values(contact_key=_made(User.contact_key)))
    text = func.coalesce(_made(SentText.contact_key), literal(_NOBODY, KEY))
    connection.execute(update(SentText).values(contact_key=text))
    for push in (PushToken, GonePushToken):
        connection.execute(update(push).values(token_key=_made(push.token_key)))
    # Codes under way, with what looks after their texts, and who is logged in at the console.
    connection.execute(delete(OneTimeCode))
    connection.execute(delete(OutboxItem).where(OutboxItem.lane.like("text:%")))
    connection.execute(delete(AdminSession))


def _made(column: ColumnElement[bytes] | ColumnElement[bytes | None]) -> ColumnElement[bytes]:
    return select(_PAIRS.c.made).where(_PAIRS.c.former == column).scalar_subquery()


def rename_counters(connection: Connection, subjects: Mapping[str, str]) -> None:
    """Keep the counters of limits: under the new hash where they count a hash of `subjects`, and as they are
    where they count what is no hash. Those of other hashes are forgotten.

    So are those of new numbers in phone books: what was taken out of these is not to count once more.
    """
    kept = []
    for name, slots, until in connection.execute(
        select(LimitCounter.name, LimitCounter.slots, LimitCounter.expires_at)
    ).all():
        found = _HASHED.fullmatch(name)
        if name.startswith(_NEW_NUMBERS) or (found and found[1] not in subjects):
            continue
        new = name.replace(found[1], subjects[found[1]]) if found else name
        kept.append({"name": new, "slots": slots, "expires_at": until})
    connection.execute(delete(LimitCounter))
    for first in range(0, len(kept), AT_ONCE):
        insert_rows(connection, _ADD_COUNTER, kept[first : first + AT_ONCE])


def rename_tasks(connection: Connection, waiting: Sequence[Task], keys: Mapping[bytes, bytes]) -> None:
    """Put tasks of the outbox into the lanes of the new keys."""
    for task in waiting:
        former, made = task.key.hex(), keys[task.key].hex()
        values = {"lane": task.lane.replace(former, made), "payload": task.payload.replace(former, made)}
        connection.execute(update(OutboxItem).where(OutboxItem.id == task.id).values(values))


def set_totp(connection: Connection, administrator: int, totp: bytes) -> None:
    """Keep an administrator's secret that was sealed anew."""
    connection.execute(update(Administrator).where(Administrator.id == administrator).values(totp=totp))

"""The outbox: work that must follow a commit, written in the same transaction.

An item is delivered at least once and then removed. Items of one lane are delivered one after the
other; the head of a lane that fails waits and keeps its place. A worker claims items for a while: if it
dies, the claim runs out and another takes over.

Order, also where several nodes of a cluster give out ids. Where the order of a lane matters, its items
are queued by transactions that change one and the same row, a group's, *before* they queue. InnoDB's lock
or Galera's certification lets one of two such transactions win; the other begins after it has seen the
winner's rows, and ids go up from the highest that a node has seen. So in such a lane the ids are in the
order of the commits, whatever the gaps. Everything else reads at delivery how things are by then. No
lock is taken that a cluster would not replicate: of two workers that claim an item, certification lets
one win too.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import takewhile
from operator import attrgetter, itemgetter
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Update, bindparam, delete, func, insert, select, update
from sqlalchemy.orm import aliased
from sqlalchemy.sql import ColumnElement

from messenger_api.storage.db import QUEUED
from messenger_api.storage.models import OutboxItem
from messenger_api.storage.statements import execute


class State(IntEnum):
    """Where an item stands."""

    QUEUED = 0
    DEAD = 1


@dataclass(frozen=True)
class Draft:
    """An item to be: what to do (`kind` and `payload`), in which lane, not before `delay` seconds."""

    lane: str
    kind: str
    payload: msgspec.Struct
    delay: int = 0


@dataclass(frozen=True)
class Item:
    """A claimed item."""

    id: int
    lane: str
    kind: str
    payload: str
    attempts: int
    claim: str
    claimed_until: int
    created_at: int


@dataclass(frozen=True)
class Status:
    """How the outbox stands: counts, and the age in seconds of the oldest item that is due."""

    queued: int
    dead: int
    oldest: int


_earlier = aliased(OutboxItem)
# A machine's clock may have been ahead and gone back: times that cannot be do not bind. Nothing is put off
# for longer than so many seconds.
FARTHEST = 2400
_DUE = (
    (OutboxItem.state == State.QUEUED)
    & (
        (OutboxItem.due_at <= bindparam("now"))
        | (OutboxItem.due_at > bindparam("farthest"))
        | (OutboxItem.created_at > bindparam("soon"))
    )
    & ((OutboxItem.claimed_until <= bindparam("now")) | (OutboxItem.claimed_until > bindparam("longest")))
)
_HEADS = (
    select(OutboxItem.id, OutboxItem.lane)
    .where(
        _DUE,
        ~select(_earlier.id)
        .where(_earlier.lane == OutboxItem.lane, _earlier.id < OutboxItem.id, _earlier.state == State.QUEUED)
        .exists(),
    )
    .order_by(OutboxItem.id)
    .limit(bindparam("most"))
)
_BEHIND = (
    select(OutboxItem.id, _DUE.label("due"))
    .where(
        OutboxItem.lane == bindparam("lane"),
        OutboxItem.id > bindparam("head"),
        OutboxItem.state == State.QUEUED,
    )
    .order_by(OutboxItem.id)
    .limit(bindparam("most"))
)
_CLAIMED = select(
    OutboxItem.id,
    OutboxItem.lane,
    OutboxItem.kind,
    OutboxItem.payload,
    OutboxItem.attempts,
    OutboxItem.claim,
    OutboxItem.claimed_until,
    OutboxItem.created_at,
)

_ADD = insert(OutboxItem)
_DONE = delete(OutboxItem).where(OutboxItem.id == bindparam("id"))

# Workers that look at the same moment see the same items, and all but one come away with nothing. The next
# look no longer shows what the winner has.
_LOOKS = 5

# Seconds by which the clocks of machines that work together may differ.
_SKEW = 5


def add(connection: Connection, now: int, drafts: Iterable[Draft]) -> list[int]:
    """Queue items, in this order, in one statement. A single item's id is returned, for `done`."""
    rows = [
        {
            "lane": draft.lane,
            "kind": draft.kind,
            "payload": msgspec.json.encode(draft.payload).decode(),
            "created_at": now,
            "due_at": now + draft.delay,
        }
        for draft in drafts
    ]
    if rows:
        connection.info[QUEUED] = True
    if len(rows) == 1:
        return [execute(connection, _ADD, rows[0]).new_id]
    if rows:
        connection.execute(insert(OutboxItem).values(rows))
    return []


def claim(
    connection: Connection, now: int, *, most: int, lease: int, lanes: Sequence[str] = ()
) -> list[Item]:
    """Claim up to `most` items that are due, each with all that stand before it in its lane.

    Of all lanes, or of these alone.
    """
    times = {"now": now, "soon": now + _SKEW, "farthest": now + FARTHEST, "longest": now + 2 * lease + _SKEW}
    for _ in range(_LOOKS):
        runs = _due_runs(connection, times, most, lanes)
        if not runs:
            break
        if items := _claim(connection, times, runs, lease):
            return items
    return []


def _due_runs(
    connection: Connection, times: Mapping[str, int], most: int, lanes: Sequence[str]
) -> list[list[int]]:
    """The oldest heads of lanes; where they are few, each with those that are due behind it."""
    query = _HEADS.where(OutboxItem.lane.in_(lanes)) if lanes else _HEADS
    heads = connection.execute(query, {**times, "most": most}).all()
    share = most // len(heads) if heads else 0
    if share < 2:
        return [[head.id] for head in heads]
    runs = []
    for head in heads:
        asked = {"lane": head.lane, "head": head.id, **times, "most": share - 1}
        # Up to the first one that waits or that somebody has.
        behind = takewhile(itemgetter(1), execute(connection, _BEHIND, asked).rows)
        runs.append([head.id, *(row[0] for row in behind)])
    return runs


def _claim(
    connection: Connection, times: Mapping[str, int], runs: Sequence[Sequence[int]], lease: int
) -> list[Item]:
    mark = secrets.token_hex(16)
    ids = [item_id for run in runs for item_id in run]
    connection.execute(
        update(OutboxItem)
        .where(OutboxItem.id.in_(ids), _DUE)
        .values(claim=mark, claimed_until=times["now"] + lease),
        dict(times),
    )
    rows = connection.execute(_CLAIMED.where(OutboxItem.id.in_(ids), OutboxItem.claim == mark))
    claimed = sorted((Item(*row) for row in rows), key=attrgetter("id"))
    kept = _without_gaps(claimed, runs)
    release(connection, [item for item in claimed if item not in kept])
    return kept


def _without_gaps(claimed: Sequence[Item], runs: Sequence[Sequence[int]]) -> list[Item]:
    """The items before which none is missing that another worker got, or that is gone, in the meantime."""
    ours = {item.id for item in claimed}
    whole = {item_id for run in runs for item_id in takewhile(ours.__contains__, run)}
    return [item for item in claimed if item.id in whole]


def waits(connection: Connection, lane: str) -> bool:
    """Whether anything is queued in a lane."""
    query = select(OutboxItem.id).where(OutboxItem.lane == lane, OutboxItem.state == State.QUEUED).limit(1)
    return connection.execute(query).scalar() is not None


def waits_behind(connection: Connection, item: Item) -> bool:
    """Whether another item of the same kind is queued behind one in its lane."""
    query = (
        select(OutboxItem.id)
        .where(
            OutboxItem.lane == item.lane,
            OutboxItem.id > item.id,
            OutboxItem.kind == item.kind,
            OutboxItem.state == State.QUEUED,
        )
        .limit(1)
    )
    return connection.execute(query).scalar() is not None


def waits_before(connection: Connection, item_id: int, lane: str) -> bool:
    """Whether anything about a group, or in this lane, is still queued that was queued before an item."""
    query = (
        select(OutboxItem.id)
        .where(
            OutboxItem.id < item_id,
            OutboxItem.state == State.QUEUED,
            OutboxItem.lane.startswith("group:") | (OutboxItem.lane == lane),
        )
        .limit(1)
    )
    return connection.execute(query).scalar() is not None


def done(connection: Connection, item_id: int) -> None:
    """Remove an item that was delivered or is no longer wanted."""
    execute(connection, _DONE, {"id": item_id})


def hold(
    connection: Connection, item: Item, *, claimed_until: int, left: msgspec.Struct | None = None
) -> bool:
    """Keep a claim longer, and what is `left` to do of an item that was delivered in part.

    False when the claim had run out and another worker has the item.
    """
    values: dict[str, object] = {"claimed_until": claimed_until}
    if left is not None:
        values["payload"] = msgspec.json.encode(left).decode()
    return connection.execute(_mine(item).values(values)).rowcount == 1


def put_back(
    connection: Connection, item: Item, *, attempts: int, due_at: int, error: str, dead: bool
) -> None:
    """Queue an item again for `due_at`, or lay it among the dead ones that a person looks at."""
    connection.execute(
        _mine(item).values(
            attempts=attempts,
            due_at=due_at,
            claimed_until=0,
            claim="",
            last_error=error[:255],
            state=int(State.DEAD if dead else State.QUEUED),
        )
    )


def hurry(connection: Connection, now: int, lane: str) -> None:
    """Do what waits in a lane now."""
    changed = connection.execute(
        update(OutboxItem).where(OutboxItem.lane == lane, OutboxItem.due_at > now).values(due_at=now)
    )
    if changed.rowcount:
        connection.info[QUEUED] = True


def release(connection: Connection, items: Sequence[Item]) -> None:
    """Give up the claim on what was not begun."""
    if items:
        ours = (OutboxItem.id.in_([item.id for item in items]), OutboxItem.claim == items[0].claim)
        connection.execute(update(OutboxItem).where(*ours).values(claim="", claimed_until=0))


def _mine(item: Item) -> Update:
    return update(OutboxItem).where(OutboxItem.id == item.id, OutboxItem.claim == item.claim)


def status(connection: Connection, now: int) -> Status:
    """Counts and age, for the operator."""
    counts = dict(connection.execute(select(OutboxItem.state, func.count()).group_by(OutboxItem.state)).all())
    oldest = connection.execute(
        select(func.min(OutboxItem.created_at)).where(
            OutboxItem.state == State.QUEUED, OutboxItem.due_at <= now
        )
    ).scalar()
    return Status(
        queued=counts.get(State.QUEUED, 0),
        dead=counts.get(State.DEAD, 0),
        oldest=0 if oldest is None else max(0, now - oldest),
    )


def dead(connection: Connection, most: int) -> Sequence[Row[*tuple[Any, ...]]]:
    """The dead items, oldest first, without their contents."""
    query = (
        select(
            OutboxItem.id,
            OutboxItem.kind,
            OutboxItem.lane,
            OutboxItem.attempts,
            OutboxItem.created_at,
            OutboxItem.last_error,
        )
        .where(OutboxItem.state == State.DEAD)
        .order_by(OutboxItem.id)
        .limit(most)
    )
    return connection.execute(query).all()


def retry(connection: Connection, now: int, item_id: int | None = None) -> int:
    """Queue a dead item again, or all of them, as if never tried; returns how many."""
    fresh = {"state": int(State.QUEUED), "attempts": 0, "due_at": now, "last_error": ""}
    return connection.execute(update(OutboxItem).where(_dead(item_id)).values(fresh)).rowcount


def purge(connection: Connection, item_id: int | None = None) -> int:
    """Remove a dead item, or all of them; returns how many."""
    return connection.execute(delete(OutboxItem).where(_dead(item_id))).rowcount


def _dead(item_id: int | None) -> ColumnElement[bool]:
    dead = OutboxItem.state == State.DEAD
    return dead if item_id is None else dead & (OutboxItem.id == item_id)

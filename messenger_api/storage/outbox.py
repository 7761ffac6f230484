"""The outbox: work that must follow a commit, written in the same transaction.

An item is delivered at least once and then removed. Items of one lane are delivered one after the
other; the head of a lane that fails waits and keeps its place. A worker claims items for a while
(`storage.claims`).

Order, also where several nodes of a cluster give out ids. Where the order of a lane matters, its items
are queued by transactions that change one and the same row, a group's, *before* they queue. InnoDB's lock
or Galera's certification lets one of two such transactions win; the other begins after it has seen the
winner's rows, and ids go up from the highest that a node has seen. So in such a lane the ids are in the
order of the commits, whatever the gaps. Everything else reads at delivery how things are by then. No
lock is taken that a cluster would not replicate: of two workers that claim an item, certification lets
one win too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update
from sqlalchemy.sql import ColumnElement

from messenger_api.storage import lanes
from messenger_api.storage.db import note_queued
from messenger_api.storage.inserts import insert_rows
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
class Status:
    """How the outbox stands: counts, and the age in seconds of the oldest item that is due."""

    queued: int
    dead: int
    oldest: int


_ADD = insert(OutboxItem)
_DONE = delete(OutboxItem).where(OutboxItem.id == bindparam("id"))


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
        note_queued(connection)
    if len(rows) == 1:
        return [execute(connection, _ADD, rows[0]).new_id]
    insert_rows(connection, _ADD, rows)
    return []


def waits(connection: Connection, lane: str) -> bool:
    """Whether anything is queued in a lane."""
    query = select(OutboxItem.id).where(OutboxItem.lane == lane, OutboxItem.state == State.QUEUED).limit(1)
    return connection.execute(query).scalar() is not None


def waits_before(connection: Connection, item_id: int, lane: str) -> bool:
    """Whether anything about a group, or in this lane, is still queued that was queued before an item."""
    query = (
        select(OutboxItem.id)
        .where(
            OutboxItem.id < item_id,
            OutboxItem.state == State.QUEUED,
            OutboxItem.lane.startswith(lanes.GROUP) | (OutboxItem.lane == lane),
        )
        .limit(1)
    )
    return connection.execute(query).scalar() is not None


def done(connection: Connection, item_id: int) -> None:
    """Remove an item that was delivered or is no longer wanted."""
    execute(connection, _DONE, {"id": item_id})


def hurry(connection: Connection, now: int, lane: str) -> None:
    """Do what waits in a lane now."""
    changed = connection.execute(
        update(OutboxItem).where(OutboxItem.lane == lane, OutboxItem.due_at > now).values(due_at=now)
    )
    if changed.rowcount:
        note_queued(connection)


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


def by_kind(connection: Connection, most: int) -> list[tuple[str, str, int]]:
    """How many there are of each kind and state (`queued`, `dead`), among the oldest `most`."""
    some = select(OutboxItem.kind, OutboxItem.state).order_by(OutboxItem.id).limit(most).subquery()
    query = select(some.c.kind, some.c.state, func.count()).group_by(some.c.kind, some.c.state)
    return [(kind, State(state).name.lower(), count) for kind, state, count in connection.execute(query)]


def other_kinds(connection: Connection, kinds: Sequence[str]) -> list[str]:
    """The kinds of queued items that are none of these."""
    query = select(OutboxItem.kind).where(OutboxItem.state == State.QUEUED, OutboxItem.kind.not_in(kinds))
    return list(connection.execute(query.distinct().order_by(OutboxItem.kind)).scalars())


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


def find(connection: Connection, item_id: int) -> Row[*tuple[Any, ...]] | None:
    """An item that waits or was given up, without what it is to do."""
    columns = (OutboxItem.id, OutboxItem.kind, OutboxItem.state, OutboxItem.attempts, OutboxItem.created_at)
    query = select(*columns, OutboxItem.due_at, OutboxItem.last_error).where(OutboxItem.id == item_id)
    return connection.execute(query).first()


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

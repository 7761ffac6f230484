"""Intentions: items of the outbox that say what somebody is asking mesibo for at this moment.

Whoever gets to the end withdraws the intention in the transaction that writes what came of it. So one that
still stands there, not due and untouched, proves that nobody has acted on it meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Exists, bindparam, delete, exists, select

from messenger_api.storage.models import OutboxItem
from messenger_api.storage.outbox import State

# A request that was killed between its intention and its commit is put right after this long. It must be
# longer than any request lives, and than mesibo may take for a call that nobody waits for any more.
INTENT_SECONDS = 120

_UNTOUCHED = (OutboxItem.state == State.QUEUED) & (OutboxItem.claim == "") & (OutboxItem.last_error == "")


def is_queued(lane: object) -> Exists:
    """Whether anything is queued in a lane."""
    return exists().where(OutboxItem.lane == lane, OutboxItem.state == State.QUEUED)


# In the lane `gone` nothing is queued, and of the intentions in `intent` none was begun.
NOTHING_LEFT = ~is_queued(bindparam("gone")) & ~is_queued(bindparam("intent")).where(~_UNTOUCHED)


def withdraw(connection: Connection, now: int, item_id: int) -> bool:
    """Remove an intention; False when it is due, begun or gone."""
    mine = (OutboxItem.id == item_id) & (OutboxItem.due_at > now) & _UNTOUCHED
    return connection.execute(delete(OutboxItem).where(mine)).rowcount == 1


def stands(connection: Connection, now: int, lane: str, *, but: int = 0) -> bool:
    """Whether somebody's intention stands in a lane, beside the item `but`."""
    query = select(OutboxItem.id).where(
        OutboxItem.lane == lane, OutboxItem.id != but, OutboxItem.due_at > now, _UNTOUCHED
    )
    return connection.execute(query.limit(1)).scalar() is not None


def under_way(connection: Connection, now: int, soon: int, lanes: Sequence[str]) -> bool:
    """Whether somebody has claimed the first item that is queued in these lanes, or it is due `soon`."""
    query = select(OutboxItem.claimed_until, OutboxItem.due_at).where(
        OutboxItem.lane.in_(lanes), OutboxItem.state == State.QUEUED
    )
    row = connection.execute(query.order_by(OutboxItem.id).limit(1)).one_or_none()
    return row is None or row.claimed_until > now or row.due_at <= soon

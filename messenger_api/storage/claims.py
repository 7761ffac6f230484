"""Claims: rows of the outbox that a worker has for a while.

If it dies, the claim runs out and another takes over. Rows of kinds that this version does not do are never
claimed, and what stands behind them in their lane waits for whoever does them.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from operator import attrgetter
from typing import Any

import msgspec
from sqlalchemy import BindParameter, Connection, Executable, Select, Update, bindparam, select, update

from messenger_api.storage.models import OutboxItem
from messenger_api.storage.models.base import aliased
from messenger_api.storage.outbox import State
from messenger_api.storage.statements import execute


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
    select(OutboxItem.id, OutboxItem.kind, _DUE.label("due"))
    .where(
        OutboxItem.lane == bindparam("lane"),
        OutboxItem.id > bindparam("head"),
        OutboxItem.state == State.QUEUED,
    )
    .order_by(OutboxItem.id)
    .limit(bindparam("most"))
)
_SAME_BEHIND = (
    select(OutboxItem.id)
    .where(
        OutboxItem.lane == bindparam("lane"),
        OutboxItem.id > bindparam("behind"),
        OutboxItem.kind == bindparam("kind"),
        OutboxItem.state == State.QUEUED,
    )
    .limit(1)
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

# Workers that look at the same moment see the same items, and all but one come away with nothing. The next
# look no longer shows what the winner has.
_LOOKS = 5

# Seconds by which the clocks of machines that work together may differ.
_SKEW = 5


def claim(
    connection: Connection,
    now: int,
    *,
    kinds: Sequence[str],
    lanes: Sequence[str] = (),
    most: int,
    lease: int,
) -> list[Item]:
    """Claim up to `most` items of these kinds that are due, each with all that stand before it in its lane.

    Of all lanes, or of these alone. The claim lasts for `lease` seconds.
    """
    times = {"now": now, "soon": now + _SKEW, "farthest": now + FARTHEST, "longest": now + 2 * lease + _SKEW}
    for _ in range(_LOOKS):
        runs = _due_runs(connection, times, most, kinds, lanes)
        if not runs:
            break
        if items := _claim(connection, times, runs, lease):
            return items
    return []


def _due_runs(
    connection: Connection, times: Mapping[str, int], most: int, kinds: Sequence[str], lanes: Sequence[str]
) -> list[list[int]]:
    """The oldest heads of lanes; where they are few, each with those that are due behind it."""
    heads = _due_heads(connection, {**times, "most": most}, kinds, lanes)
    share = most // len(heads) if heads else 0
    if share < 2:
        return [[head] for head, _lane in heads]
    runs = []
    for head, lane in heads:
        asked = {"lane": lane, "head": head, **times, "most": share - 1}
        # Up to the first one that waits, or that somebody has, or that others do.
        behind = takewhile(lambda row: row[1] in kinds and row[2], execute(connection, _BEHIND, asked).rows)
        runs.append([head, *(row[0] for row in behind)])
    return runs


def _due_heads(
    connection: Connection, values: Mapping[str, int], kinds: Sequence[str], lanes: Sequence[str]
) -> Sequence[Sequence[Any]]:
    """Ids and lanes."""
    query = _heads(tuple(kinds))
    if lanes:
        return connection.execute(query.where(OutboxItem.lane.in_(lanes)), dict(values)).all()
    return execute(connection, query, values).rows


@lru_cache(maxsize=4)
def _heads(kinds: tuple[str, ...]) -> Select[int, str]:
    """`_HEADS` of these kinds; each a value of its own, for `execute` takes no lists."""
    known: list[BindParameter[str]] = [bindparam(f"kind_{number}", kind) for number, kind in enumerate(kinds)]
    return _HEADS.where(OutboxItem.kind.in_(known))


def _claim(
    connection: Connection, times: Mapping[str, int], runs: Sequence[Sequence[int]], lease: int
) -> list[Item]:
    mark, ids = secrets.token_hex(16), [item_id for run in runs for item_id in run]
    values = _numbered(ids)
    take, taken = _of(tuple(values))
    execute(connection, take, {**values, **times, "mark": mark, "until": times["now"] + lease})
    rows = execute(connection, taken, {**values, "mark": mark}).rows
    claimed = sorted((Item(*row) for row in rows), key=attrgetter("id"))
    kept = _without_gaps(claimed, runs)
    release(connection, [item for item in claimed if item not in kept])
    return kept


def _numbered(ids: Sequence[int]) -> dict[str, int]:
    """Ids as values of a statement, the last one so often that there are few such statements."""
    places = 1 << (len(ids) - 1).bit_length()
    return {f"id_{place}": ids[min(place, len(ids) - 1)] for place in range(places)}


@lru_cache(maxsize=16)
def _of(names: tuple[str, ...]) -> tuple[Executable, Executable]:
    """What claims so many items, where they are due, and what reads those that were claimed."""
    these = OutboxItem.id.in_([bindparam(name) for name in names])
    take = update(OutboxItem).where(these, _DUE)
    taken = _CLAIMED.where(these, OutboxItem.claim == bindparam("mark"))
    return take.values(claim=bindparam("mark"), claimed_until=bindparam("until")), taken


def _without_gaps(claimed: Sequence[Item], runs: Sequence[Sequence[int]]) -> list[Item]:
    """The items before which none is missing that another worker got, or that is gone, in the meantime."""
    ours = {item.id for item in claimed}
    whole = {item_id for run in runs for item_id in takewhile(ours.__contains__, run)}
    return [item for item in claimed if item.id in whole]


def waits_behind(connection: Connection, item: Item) -> bool:
    """Whether another item of the same kind is queued behind one in its lane."""
    values = {"lane": item.lane, "behind": item.id, "kind": item.kind}
    return bool(execute(connection, _SAME_BEHIND, values).rows)


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


def release(connection: Connection, items: Sequence[Item]) -> None:
    """Give up the claim on what was not begun."""
    if items:
        ours = (OutboxItem.id.in_([item.id for item in items]), OutboxItem.claim == items[0].claim)
        connection.execute(update(OutboxItem).where(*ours).values(claim="", claimed_until=0))


def _mine(item: Item) -> Update:
    return update(OutboxItem).where(OutboxItem.id == item.id, OutboxItem.claim == item.claim)

"""The counters of limits: one row each, found by its name, never counted up from other rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    Select,
    Update,
    bindparam,
    case,
    delete,
    insert,
    select,
    update,
)

from messenger_api.storage.inserts import insert_rows
from messenger_api.storage.models import LimitCounter
from messenger_api.storage.statements import execute

PURGE_ROWS = 5_000
_COLUMNS = ("name", "slots", "expires_at")

_ADD = insert(LimitCounter)
_READ = (
    select(LimitCounter.name, LimitCounter.slots)
    .where(LimitCounter.name.in_(bindparam("names", expanding=True)))
    .order_by(LimitCounter.name)
)


def read(connection: Connection, names: Iterable[str]) -> dict[str, str]:
    """The states of counters; those that count nothing are left out."""
    return {row.name: row.slots for row in connection.execute(_READ, {"names": sorted(names)})}


def named(connection: Connection, prefix: str) -> dict[str, str]:
    """The states of all counters whose names begin so, by the rest of their names; for the operator."""
    query = select(LimitCounter.name, LimitCounter.slots).where(
        LimitCounter.name >= prefix, LimitCounter.name < f"{prefix}~"
    )
    return {row.name.removeprefix(prefix): row.slots for row in connection.execute(query)}


def lock(connection: Connection, names: Iterable[str]) -> dict[str, str]:
    """The same, and nobody else changes them before this transaction ends."""
    wanted = {f"name{index}": name for index, name in enumerate(sorted(names))}
    return dict(execute(connection, _locking(tuple(wanted)), wanted).rows)  # type: ignore[arg-type]


@lru_cache
def _locking(names: tuple[str, ...]) -> Select[str, str]:
    """`_READ` for so many names."""
    some = LimitCounter.name.in_([bindparam(name) for name in names])
    query = select(LimitCounter.name, LimitCounter.slots).where(some)
    return query.order_by(LimitCounter.name).with_for_update()


def write(connection: Connection, known: Mapping[str, str], states: Sequence[tuple[str, str, int]]) -> None:
    """Write (name, state, expires_at) of counters that were locked; `known` is what `lock` returned.

    Raises:
        IntegrityError: somebody else made one of them first; lock and count again.
    """
    new = [{"name": n, "slots": state, "expires_at": until} for n, state, until in states if n not in known]
    insert_rows(connection, _ADD, new)
    if old := [counter for counter in states if counter[0] in known]:
        execute(connection, _changing(len(old)), _numbered(old))


def swap(connection: Connection, name: str, before: str | None, after: str, until: int) -> bool:
    """Give a counter another state unless it has changed since it was `before`; returns whether it has it.

    Raises:
        IntegrityError: `before` is None and somebody else made the counter meanwhile.
    """
    if before is None:
        execute(connection, _ADD, {"name": name, "slots": after, "expires_at": until})
        return True
    values = _numbered([(name, after, until)])
    return execute(connection, _SWAP, {**values, "before": before}).changed == 1


@lru_cache
def _changing(count: int) -> Update:
    """Gives so many counters a state each; `_numbered` names its values."""
    names, *columns = zip(*map(_values, range(count)), strict=True)
    slots, expires_at = (
        case(dict(zip(names, values, strict=True)), value=LimitCounter.name) for values in columns
    )
    query = update(LimitCounter).where(LimitCounter.name.in_(names))
    return query.values(slots=slots, expires_at=expires_at)


def _values(at: int) -> list[BindParameter[Any]]:
    return [bindparam(f"{column}_{at}") for column in _COLUMNS]


def _numbered(states: Sequence[tuple[str, str, int]]) -> dict[str, object]:
    rows = enumerate(states)
    return {f"{column}_{at}": v for at, row in rows for column, v in zip(_COLUMNS, row, strict=True)}


_SWAP = _changing(1).where(LimitCounter.slots == bindparam("before"))


def forget(connection: Connection, names: Iterable[str]) -> None:
    """Start these counters anew."""
    connection.execute(delete(LimitCounter).where(LimitCounter.name.in_(sorted(names))))


def forget_beginning(connection: Connection, prefixes: Iterable[str]) -> None:
    """Start all counters anew whose names begin so."""
    for prefix in prefixes:
        connection.execute(
            delete(LimitCounter).where(LimitCounter.name >= prefix, LimitCounter.name < f"{prefix}~")
        )


def purge(connection: Connection, now: int) -> int:
    """Remove some of the counters that say nothing any more; returns how many."""
    old = select(LimitCounter.name).where(LimitCounter.expires_at < now).limit(PURGE_ROWS)
    names = list(connection.execute(old).scalars())
    if names:
        # Named, and looked at once more: one of them may have been counted up meanwhile.
        connection.execute(
            delete(LimitCounter).where(LimitCounter.name.in_(names), LimitCounter.expires_at < now)
        )
    return len(names)

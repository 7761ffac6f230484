"""What became of log-ins: kept for a day under keyed hashes, and no more rows than `MOST_ROWS`.

Any process may hold steps in memory for a while, and write them when their account has been deleted. So what
is forgotten leaves a mark, which hides what was taken before it from `of`, until nobody writes that any more
and `sweep` removes both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, delete, func, insert, select

from messenger_api.domain.times import DAY_SECONDS
from messenger_api.domain.trace import Step, Stepped
from messenger_api.storage.inserts import insert_rows
from messenger_api.storage.models import LoginStep

KEPT_SECONDS = DAY_SECONDS
MOST_ROWS = 200_000
PURGE_ROWS = 5_000
LATE_SECONDS = 1800
"""After so long in memory, while the database was away, a step is not kept any more."""
MARKED_SECONDS = LATE_SECONDS + 300
FORGOTTEN = "forgotten"
"""The detail of a mark. Its step is one that earlier versions know, too: other words they cannot read."""

_ADD = insert(LoginStep)
_IS_MARK = (LoginStep.step == Step.TRY_LATER) & (LoginStep.detail == FORGOTTEN)


def add(connection: Connection, now: int, steps: Sequence[Stepped]) -> None:
    """Keep steps, in their order; of those that waited for too long, what came after."""
    since = now - LATE_SECONDS
    _insert(connection, [replace(each, at=max(each.at, since)) for each in steps if each.last_at >= since])


def _insert(connection: Connection, steps: Sequence[Stepped]) -> None:
    rows = [
        {
            "contact_key": each.key,
            "step": each.step,
            "detail": each.detail,
            "times": each.times,
            "at": each.at,
            "last_at": each.last_at,
        }
        for each in steps
    ]
    insert_rows(connection, _ADD, rows)


def of(connection: Connection, key: bytes, since: int, most: int) -> list[Stepped]:
    """The newest steps of an address since a second, in the order in which they ended.

    None of those that began before it was last forgotten.
    """
    mark = select(func.max(LoginStep.at)).where(LoginStep.contact_key == key, _IS_MARK)
    forgotten = connection.execute(mark).scalar() or 0
    query = (
        select(LoginStep)
        .with_only_columns(
            LoginStep.contact_key,
            LoginStep.step,
            LoginStep.detail,
            LoginStep.times,
            LoginStep.at,
            LoginStep.last_at,
        )
        .where(LoginStep.contact_key == key, LoginStep.last_at >= since, LoginStep.at > forgotten)
        .order_by(LoginStep.last_at.desc(), LoginStep.id.desc())
        .limit(most)
    )
    return [Stepped(bytes(row[0]), *row[1:]) for row in connection.execute(query)][::-1]


def forget(connection: Connection, now: int, key: bytes) -> None:
    """Remove the steps of an address; those up to now that are written only afterwards are never told."""
    connection.execute(delete(LoginStep).where(LoginStep.contact_key == key))
    _insert(connection, [Stepped(key, Step.TRY_LATER, FORGOTTEN, 1, now, now)])


def sweep(connection: Connection, now: int) -> int:
    """Remove some marks that are not needed any more, and what they hide; returns how many."""
    old = (
        select(LoginStep.id, LoginStep.contact_key, LoginStep.at)
        .where(_IS_MARK, LoginStep.last_at < now - MARKED_SECONDS)
        .limit(PURGE_ROWS)
    )
    marks = list(connection.execute(old))
    for mark, key, at in marks:
        hidden = select(LoginStep.id).where(LoginStep.contact_key == key, LoginStep.at <= at)
        ids = [*connection.execute(hidden.where(LoginStep.id != mark)).scalars(), mark]
        connection.execute(delete(LoginStep).where(LoginStep.id.in_(ids)))
    return len(marks)


def purge(connection: Connection, now: int) -> int:
    """Remove some of the steps that are too old, or too many; returns how many."""
    newest = select(LoginStep.id).order_by(LoginStep.id.desc()).limit(1).offset(MOST_ROWS)
    beyond = connection.execute(newest).scalar() or 0
    old = select(LoginStep.id).where((LoginStep.last_at < now - KEPT_SECONDS) | (LoginStep.id <= beyond))
    ids = list(connection.execute(old.limit(PURGE_ROWS)).scalars())
    if ids:
        connection.execute(delete(LoginStep).where(LoginStep.id.in_(ids)))
    return len(ids)

"""What became of log-ins: kept for a day under keyed hashes, and no more rows than `MOST_ROWS`."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select

from messenger_api.domain.times import DAY_SECONDS
from messenger_api.domain.trace import Stepped
from messenger_api.storage.inserts import insert_rows
from messenger_api.storage.models import LoginStep

KEPT_SECONDS = DAY_SECONDS
MOST_ROWS = 200_000
PURGE_ROWS = 5_000

_ADD = insert(LoginStep)


def add(connection: Connection, steps: Sequence[Stepped]) -> None:
    """Keep steps, in their order."""
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
    """The newest steps of an address since a second, in the order in which they ended."""
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
        .where(LoginStep.contact_key == key, LoginStep.last_at >= since)
        .order_by(LoginStep.last_at.desc(), LoginStep.id.desc())
        .limit(most)
    )
    return [Stepped(bytes(row[0]), *row[1:]) for row in connection.execute(query)][::-1]


def forget(connection: Connection, key: bytes) -> None:
    """Remove the steps of an address."""
    connection.execute(delete(LoginStep).where(LoginStep.contact_key == key))


def purge(connection: Connection, now: int) -> int:
    """Remove some of the steps that are too old, or too many; returns how many."""
    newest = select(LoginStep.id).order_by(LoginStep.id.desc()).limit(1).offset(MOST_ROWS)
    beyond = connection.execute(newest).scalar() or 0
    old = select(LoginStep.id).where((LoginStep.last_at < now - KEPT_SECONDS) | (LoginStep.id <= beyond))
    ids = list(connection.execute(old.limit(PURGE_ROWS)).scalars())
    if ids:
        connection.execute(delete(LoginStep).where(LoginStep.id.in_(ids)))
    return len(ids)

"""Whom users have blocked, blind as phone books are, and their reports to the operator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Struct
from sqlalchemy import Connection, Row, bindparam, delete, func, insert, literal, select, update

from messenger_api.storage.db import ignoring_known
from messenger_api.storage.inserts import insert_rows
from messenger_api.storage.models import Block, Report, User
from messenger_api.storage.models.base import aliased
from messenger_api.storage.packed import columns

_ADD = ignoring_known(insert(Block))
_reporter, _reported = aliased(User), aliased(User)

# For statements about accounts that may be kept apart from `owner`, whose own key is `own_key`. Blocks are
# looked for by outer joins: two look-ups by primary key for each account in question. Of NOT EXISTS, MariaDB
# would make a table first, and read every block of every user for it.
by_owner, of_owner = aliased(Block), aliased(Block)
BLOCKED_BY_OWNER = (by_owner.owner == bindparam("owner")) & (by_owner.contact_key == User.contact_key)
HAS_BLOCKED_OWNER = (of_owner.owner == User.uid) & (of_owner.contact_key == bindparam("own_key"))
NO_BLOCK = by_owner.owner.is_(None) & of_owner.owner.is_(None)


def add(connection: Connection, now: int, owner: int, keys: Sequence[bytes]) -> None:
    """Block these keys; those that are blocked already are left alone."""
    rows = [{"owner": owner, "contact_key": key, "created_at": now} for key in keys]
    insert_rows(connection, _ADD, rows)


def remove(connection: Connection, owner: int, keys: Sequence[bytes]) -> int:
    """Unblock these keys; returns how many were blocked."""
    statement = delete(Block).where(Block.owner == owner, Block.contact_key.in_(keys))
    return connection.execute(statement).rowcount


def count(connection: Connection, owner: int) -> int:
    """How many numbers a user has blocked."""
    query = select(func.count()).select_from(Block).where(Block.owner == owner)
    return int(connection.execute(query).scalar_one())


def blockers(connection: Connection, uids: Sequence[int], key: bytes) -> set[int]:
    """Who of these users has blocked somebody."""
    query = select(Block.owner).where(Block.owner.in_(uids), Block.contact_key == key)
    return set(connection.execute(query).scalars()) if uids else set()


def accounts(connection: Connection, owner: int) -> list[tuple[int, str]]:
    """The blocked who have an account: (uid, address) in order of uid."""
    query = (
        select(User.uid, User.address)
        .join(Block, Block.contact_key == User.contact_key)
        .where(Block.owner == owner, User.closed_at == 0)
        .order_by(User.uid)
    )
    return [(row.uid, row.address) for row in connection.execute(query)]


def add_report(
    connection: Connection, now: int, *, reporter: int, reported: int, gid: int, reason: str, text: str
) -> None:
    """Keep a report, unless the account that it is about has gone."""
    values = {"reporter": reporter, "gid": gid, "reason": reason, "text": text, "created_at": now}
    row = select(User.uid, *map(literal, values.values())).where(User.uid == reported)
    connection.execute(insert(Report).from_select(["reported", *values], row))


class Complaint(Struct, frozen=True):
    """A report as operators see it; `closed_at` is 0 while it is open."""

    id: Annotated[int, Report.id]
    reporter_uid: Annotated[int, Report.reporter]
    reported_uid: Annotated[int, Report.reported]
    reporter: Annotated[str, _reporter.address]
    reported: Annotated[str, _reported.address]
    gid: Annotated[int, Report.gid]
    reason: Annotated[str, Report.reason]
    text: Annotated[str, Report.text]
    created_at: Annotated[int, Report.created_at]
    closed_at: Annotated[int, Report.closed_at]


_COMPLAINTS = (
    select(*columns(Complaint))
    .join(_reporter, _reporter.uid == Report.reporter)
    .join(_reported, _reported.uid == Report.reported)
    .order_by(Report.id.desc())
)


def complaints(connection: Connection, *, closed: bool, before: int, most: int) -> list[Complaint]:
    """Up to `most` reports that are open, or closed, newest first; with `before` of lesser ids."""
    query = _COMPLAINTS.where(Report.closed_at > 0 if closed else Report.closed_at == 0).limit(most)
    if before:
        query = query.where(Report.id < before)
    return [Complaint(*row) for row in connection.execute(query)]


def complaints_about(connection: Connection, uid: int, most: int) -> list[Complaint]:
    """Up to `most` reports about a user, newest first."""
    query = _COMPLAINTS.where(Report.reported == uid).limit(most)
    return [Complaint(*row) for row in connection.execute(query)]


def complaint(connection: Connection, report: int) -> Complaint | None:
    """The report with this id."""
    row = connection.execute(_COMPLAINTS.where(Report.id == report)).first()
    return Complaint(*row) if row else None


def close_report(connection: Connection, now: int, report: int) -> None:
    """Note that an operator is through with a report."""
    connection.execute(update(Report).where(Report.id == report).values(closed_at=now))


def reports(
    connection: Connection, *, reporter: int = 0, before: int = 0, most: int
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Reports, newest first: all, or those of one reporter; `before` this id for the next page."""
    query = (
        select(
            Report.id,
            _reporter.address.label("reporter"),
            _reported.address.label("reported"),
            Report.gid,
            Report.reason,
            Report.text,
            Report.created_at,
        )
        .join(_reporter, _reporter.uid == Report.reporter)
        .join(_reported, _reported.uid == Report.reported)
        .order_by(Report.id.desc())
        .limit(most)
    )
    if reporter:
        query = query.where(Report.reporter == reporter)
    if before:
        query = query.where(Report.id < before)
    return connection.execute(query).all()

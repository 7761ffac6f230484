"""Limits that are raised until a time: a few rows, one for a limit at most."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from messenger_api.storage.db import ignoring_known
from messenger_api.storage.models import RaisedLimit


class Raised(msgspec.Struct, frozen=True):
    """How much a limit allows until the second `ends_at`, and who said so (`by`, "" a command), and why."""

    name: str
    most: float
    raised_at: int
    ends_at: int
    by: str
    reason: str


_ALL = select(
    RaisedLimit.name,
    RaisedLimit.most,
    RaisedLimit.raised_at,
    RaisedLimit.ends_at,
    RaisedLimit.administrator,
    RaisedLimit.reason,
)


def every(connection: Connection) -> list[Raised]:
    """All rows, those whose time is over among them."""
    return [Raised(*row) for row in connection.execute(_ALL.order_by(RaisedLimit.name))]


def put(connection: Connection, raised: Raised) -> None:
    """Raise a limit, in the place of what was said of it before."""
    values = msgspec.structs.asdict(raised)
    values["administrator"] = values.pop("by")
    connection.execute(ignoring_known(insert(RaisedLimit).values(values)))
    connection.execute(update(RaisedLimit).where(RaisedLimit.name == raised.name).values(values))


def end(connection: Connection, name: str) -> None:
    """Let a limit be as it is configured."""
    connection.execute(delete(RaisedLimit).where(RaisedLimit.name == name))


def purge(connection: Connection, now: int) -> int:
    """Remove those whose time is over; returns how many."""
    return connection.execute(delete(RaisedLimit).where(RaisedLimit.ends_at <= now)).rowcount

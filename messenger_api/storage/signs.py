"""Signs of servers and workers that run on this database: what is in use is not replaced."""

from __future__ import annotations

from sqlalchemy import Connection, func, inspect, select

from messenger_api.storage import facts
from messenger_api.storage.models import Fact, FigureRow

RUNNING_SECONDS = 30
"""A sign that is so young belongs to one that runs."""
RUNS = "A server or worker runs on this database: stop it, wait half a minute."
"""What is said where there is one."""


def are_young(connection: Connection, now: int) -> bool:
    """Whether one has looked into the outbox, or added what it counted, of late. Tables may be missing."""
    tables, seen = set(inspect(connection).get_table_names()), 0
    if Fact.__tablename__ in tables:
        seen = int(facts.read(connection, facts.WORKER) or 0)
    if FigureRow.__tablename__ in tables:
        seen = max(seen, int(connection.execute(select(func.max(FigureRow.last_at))).scalar() or 0))
    return abs(now - seen) < RUNNING_SECONDS

"""An outage of the database that is only played, so that people see what follows from one."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Engine, event


def play_outages(engine: Engine, is_away: Callable[[], bool]) -> None:
    """Refuse connections as a server that is away does, whenever `is_away` says so.

    It is asked when a connection leaves the pool: an outage begins within `connections.KEPT_SECONDS`.
    """
    error = engine.dialect.loaded_dbapi.OperationalError

    def refuse(*_connection: object) -> None:
        if is_away():
            raise error("an outage is played")

    event.listen(engine, "checkout", refuse)

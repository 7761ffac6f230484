"""Reads of packed rows that go straight to the driver.

SQLAlchemy's way to a statement and back costs more processor time than PyMySQL's own work for one row
(docs/benchmarks.md). Every call looks up its session, so this is worth a way around, for reads that may be
done twice: whatever goes wrong here is left to the usual way, which knows what to do about it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import structlog
from sqlalchemy import Dialect, Engine, Executable
from sqlalchemy.exc import TimeoutError as PoolTimeout

from messenger_api.domain.errors import TryLater

log = structlog.get_logger(__name__)

# In `Connection.info` where the server is a node of a Galera cluster.
CLUSTERED = "clustered"

# A server that took longer to fail hangs: there is no time left for another try.
PATIENCE_SECONDS = 2


def texts(
    engine: Engine, statement: Executable, values: Mapping[str, object], *, certain: bool = False
) -> list[str] | None:
    """The only column of a statement's rows; None: ask in the usual way.

    `certain`: that there are no rows must be true in all of a cluster, not only on its node.

    Raises:
        TimeoutError: every connection is in use (SQLAlchemy's).
        TryLater: the server hangs.
    """
    if engine.dispatch.before_cursor_execute:
        return None  # somebody listens to what is executed
    sql, names, constants = _written(statement, engine.dialect)
    everything = {**constants, **values}
    parameters = everything if names is None else [everything[name] for name in names]
    started = time.monotonic()
    connection = None
    try:
        connection = engine.raw_connection()
        cursor = connection.cursor()
        cursor.execute(sql, parameters)
        found = [text for (text,) in cursor.fetchall()]
        cursor.close()
    except PoolTimeout:
        raise
    except Exception as error:
        if connection:
            connection.invalidate()
        if time.monotonic() - started > PATIENCE_SECONDS:
            log.error("database.failed", error=f"{type(error).__name__}: {str(error)[:200]}", attempt=1)
            raise TryLater from error
        return None
    unsure = certain and not found and connection.info.get(CLUSTERED)
    connection.close()
    return None if unsure else found


@lru_cache
def _written(statement: Executable, dialect: Dialect) -> tuple[str, list[str] | None, dict[str, Any]]:
    """A statement for the driver, the order of its values where they have no names there, and its own."""
    compiled = statement.compile(dialect=dialect)  # type: ignore[attr-defined]
    return str(compiled), compiled.positiontup, compiled.params

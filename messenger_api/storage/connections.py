"""The connections of an engine, handed to one piece of work after the other.

To take a connection out of SQLAlchemy's pool and to give it back costs as much processor time as PyMySQL's
own work for a row. So a connection that work is done with is handed to the next, and goes back to the pool
`KEPT_SECONDS` after it came from there: the pool and its listeners (`storage.hosts`) then find out whether it
may stay.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, QueuePool, event
from sqlalchemy.exc import DBAPIError

from messenger_api.storage.hosts import GIVEN_UP_AT

T = TypeVar("T")

KEPT_SECONDS = 1

# An engine's execution option: its new connections wait for answers as long as they take, and on SQLite so
# many seconds for a lock.
PATIENT = "patient"


class Connections:
    """Hands the connections of one engine to work."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._clock = clock
        # Until when each may be handed out; the one used last is last. Threads share the list: it is changed
        # by `append` and `pop` alone, each a single step.
        self._idle: list[tuple[float, Connection]] = []
        event.listen(engine, "engine_disposed", self._end_all)

    def use(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on a connection. One on which something failed goes back to the pool, and where the
        database said so, which may be gone, the idle ones as well."""
        until, connection = self._take()
        try:
            result = work(connection)
        except BaseException as error:
            connection.close()
            if isinstance(error, DBAPIError):
                self._give_all_back()
            raise
        if not connection.invalidated and len(self._idle) < _kept_open(self._engine):
            self._idle.append((until, connection))
        else:
            connection.close()
        return result

    def _take(self) -> tuple[float, Connection]:
        now = self._clock()
        until, connection = self._pop() or (now, None)
        if connection and now < until:
            return until, connection
        if connection:
            connection.close()
            self._give_all_back()  # those below have been idle for longer
        connection = self._engine.connect()
        return min(now + KEPT_SECONDS, connection.info.get(GIVEN_UP_AT, math.inf)), connection

    def _give_all_back(self) -> None:
        while found := self._pop():
            found[1].close()

    def _end_all(self, _engine: Engine) -> None:
        """The pool that they came from has ended, and would not close them."""
        while found := self._pop():
            found[1].detach()
            found[1].close()

    def _pop(self) -> tuple[float, Connection] | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None


def _kept_open(engine: Engine) -> int:
    """How many connections the pool keeps while nobody uses them."""
    return engine.pool.size() if isinstance(engine.pool, QueuePool) else 0


def wait_as_told(
    engine: Engine, _dialect: object, _record: object, _args: object, options: dict[str, Any]
) -> None:
    """A listener to `do_connect`: takes the bounds of waiting away while the engine is `PATIENT`."""
    seconds = engine.get_execution_options().get(PATIENT)
    if seconds is None:
        return
    for option in ("read_timeout", "write_timeout"):
        options.pop(option, None)
    if "timeout" in options:  # SQLite's, for the lock of another process
        options["timeout"] = seconds

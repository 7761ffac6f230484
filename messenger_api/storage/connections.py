"""One connection for each piece of work, or one for all that a thread does in a row.

To take a connection out of SQLAlchemy's pool and to give it back costs a tenth of the processor time of the
commonest calls.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

T = TypeVar("T")

# An engine's execution option: its new connections wait for answers as long as they take, and on SQLite so
# many seconds for a lock.
PATIENT = "patient"


class _OfThread(threading.local):
    """Whether a thread keeps its connection, and the one that it has and does not use."""

    keeps = False
    _kept: Connection | None = None

    def take(self) -> Connection | None:
        """The kept connection, for use."""
        kept, self._kept = self._kept, None
        return kept

    def put(self, connection: Connection) -> None:
        """Keep it for the next work. Another one is there where work was done inside this work."""
        if self._kept:
            self._kept.close()
        self._kept = connection


class Connections:
    """Hands the connections of one engine to work."""

    def __init__(self) -> None:
        self._mine = _OfThread()

    def use(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        """Run `work` on a connection. One on which something failed is never kept."""
        mine = self._mine
        if not mine.keeps:
            with engine.connect() as connection:
                return work(connection)
        connection = mine.take() or engine.connect()
        try:
            result = work(connection)
        except BaseException:
            connection.close()
            raise
        mine.put(connection)
        return result

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Have this thread keep its first connection for all that it does meanwhile."""
        mine = self._mine
        mine.keeps = True
        try:
            yield
        finally:
            mine.keeps = False
            if kept := mine.take():
                kept.close()


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

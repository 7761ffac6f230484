"""The bookkeeper: a thread that adds to the database what this process has counted, and reads limits anew.

Never within a request: counting costs a few microseconds of memory, and the database gets the sums of all
threads in one statement. So figures add up over processes and machines, and each of them can tell them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog
from sqlalchemy import Connection

from messenger_api.domain.counting import Accumulator
from messenger_api.domain.errors import TryLater
from messenger_api.domain.trace import HELD_SECONDS, Trace
from messenger_api.storage import figures, steps
from messenger_api.storage.db import Database, Uncertain
from messenger_api.throttle import Throttle

log = structlog.get_logger(__name__)

KEEP_SECONDS = float(HELD_SECONDS)
# The database is away, or its tables are of another version.
DOWN_SECONDS = 20.0
TICK_SECONDS = 1.0


class Bookkeeper:
    """The thread, and what it does."""

    def __init__(
        self,
        database: Database,
        counted: Accumulator,
        trace: Trace,
        at_end: Callable[[], None] = lambda: None,
    ) -> None:
        """`at_end`: done by the thread as its last."""
        self._at_end = at_end
        self._database = database
        self._counted = counted
        self._trace = trace
        self._stopped = threading.Event()
        self._minute = Throttle()

    def keep(self) -> bool:
        """Add what was counted; False when the database does not take it: it then stays for the next time."""
        growths, taken = self._counted.take(), self._trace.take()
        if not growths and not taken:
            return True

        def work(tx: Connection, now: int) -> None:
            if growths:
                figures.add(tx, growths)
            steps.add(tx, now, taken)

        try:
            self._database.write(work)
        except Uncertain:
            return False  # it may be there: what is lost is five seconds' worth, and nothing is told twice
        except TryLater:
            self._counted.give_back(growths)
            self._trace.give_back(taken)
            return False
        return True

    def start(
        self, learn: Callable[[], None], each_minute: Callable[[], None] = lambda: None
    ) -> threading.Thread:
        """Run in a thread of this process, which adds the rest before the process ends.

        Args:
            learn: reads what this process is to know; done at once, and whenever something may be added.
            each_minute: done, too, while the database takes what was counted. Both may raise TryLater.
        """
        thread = threading.Thread(target=self._run, args=(learn, each_minute), name="bookkeeper")
        thread.start()
        return thread

    def stop(self) -> None:
        """Let the thread add the rest and end."""
        self._stopped.set()

    def _run(self, learn: Callable[[], None], each_minute: Callable[[], None]) -> None:
        def begin() -> bool:
            learn()
            return True

        def go_on() -> bool:
            kept = self.keep()
            learn()
            if kept and self._minute.is_due():
                each_minute()
            return kept

        wait = KEEP_SECONDS if _goes_well(begin) else DOWN_SECONDS
        while self._sleep(wait):
            wait = KEEP_SECONDS if _goes_well(go_on) else DOWN_SECONDS
        _goes_well(self.keep)
        self._at_end()

    def _sleep(self, seconds: float) -> bool:
        """Wait; False as soon as the process or this thread shall end."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self._stopped.wait(TICK_SECONDS) or not threading.main_thread().is_alive():
                return False
        return True


def _goes_well(work: Callable[[], bool]) -> bool:
    """What `work` returns; False where the database is away, or something is wrong, which is logged."""
    try:
        return work()
    except TryLater:
        return False
    except Exception:
        log.exception("figures.fault")
        return False

"""Does the tasks of the outbox: claims rows, calls their handlers, and removes the rows or puts them back."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence

import structlog

from messenger_api.domain.counting import Accumulator
from messenger_api.domain.errors import TryLater
from messenger_api.domain.figures import OUTBOX_DONE
from messenger_api.gateways.mesibo import MesiboClient, MesiboError, MesiboUnreachable
from messenger_api.outbox.failures import Failure, Lost, is_about_the_task
from messenger_api.outbox.retry import Outcome, RetryRule
from messenger_api.outbox.run import Lease, Run
from messenger_api.outbox.tasks import Tasks
from messenger_api.settings import Settings
from messenger_api.storage import claims, outbox
from messenger_api.storage.claims import Item
from messenger_api.storage.db import Database

log = structlog.get_logger(__name__)

BATCH = 20


class Runner:
    """Does what is due, for the worker and for whoever cannot wait for it."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        mesibo: MesiboClient,
        figures: Accumulator,
        tasks: Tasks,
    ) -> None:
        self._database = database
        self._figures = figures
        self._mesibo = mesibo
        self.tasks = tasks
        self._lease = Lease(settings)
        self._rule = RetryRule(settings.outbox_max_attempts)
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopped.set()

    def goes_on(self) -> bool:
        """Whether anything is begun any more."""
        # When the main thread has ended, the process only waits for the worker's.
        return not self._stopped.is_set() and threading.main_thread().is_alive()

    def drain(self, lanes: Sequence[str] = (), *, seconds: float = math.inf) -> bool:
        """Do everything that is due now; False as soon as mesibo is unreachable.

        Of all lanes, or of these alone; nothing is begun after so many seconds.

        Raises:
            TryLater: the database is down.
        """
        until = time.monotonic() + seconds
        while self.goes_on() and time.monotonic() < until:
            items = self._database.run(
                lambda tx: claims.claim(
                    tx,
                    self._database.now(),
                    kinds=self.tasks.kinds,
                    lanes=lanes,
                    most=BATCH,
                    lease=self._lease.whole,
                )
            )
            if not items:
                return True
            if not self._work_off(items, until):
                return False
        return True

    def name_others(self) -> None:
        """Log what waits for a worker of another version. Raises TryLater."""
        if kinds := self._database.run(lambda tx: outbox.other_kinds(tx, self.tasks.kinds)):
            log.warning(
                "outbox.left_to_others", kinds=kinds, what="a worker of the version that queued it does it"
            )

    def _work_off(self, items: Sequence[Item], until: float) -> bool:
        """Do claimed rows. False when mesibo is down; then those that need it wait."""
        reachable = True
        waiting: set[str] = set()
        left: list[Item] = []
        newest = {(item.lane, item.kind): item.id for item in items}
        for item in items:
            if item.lane in waiting or not self.goes_on() or time.monotonic() >= until:
                left.append(item)
                continue
            has_newer = newest[item.lane, item.kind] > item.id
            run = Run(self._database, self._lease, item, has_newer=has_newer)
            done, reachable = self._deliver(item, run, reachable)
            if not done:
                waiting.add(item.lane)
        if left:
            # To whoever works next, without waiting for the claim to run out.
            self._database.run(lambda tx: claims.release(tx, left))
        return reachable

    def _deliver(self, item: Item, run: Run, reachable: bool) -> tuple[bool, bool]:
        """Do one task and remove its row, or put it back; returns whether it is done, and mesibo there."""
        if not run.lasts():  # others have taken over what stood behind a slow one
            return False, reachable
        try:
            self._do(item, run, reachable)
        except Lost:
            log.warning("outbox.claim_lost", kind=item.kind, id=item.id)
            return False, reachable
        except (Exception, SystemExit) as error:
            # One task's fault must not keep the others waiting, nor end the worker's thread without a word.
            outcome = self._outcome(error, reachable)
            if outcome is Outcome.FAULT:
                log.exception("outbox.fault", kind=item.kind, id=item.id)
            reason = type(error).__name__ if outcome is Outcome.FAULT else str(error)
            self._put_back(item, outcome, reason)
            return False, reachable and outcome is not Outcome.MESIBO_AWAY
        self._database.run(lambda tx: outbox.done(tx, item.id))
        self._figures.count(OUTBOX_DONE, item.kind, "done")
        return True, reachable

    def _do(self, item: Item, run: Run, reachable: bool) -> None:
        line = self.tasks.find(item.kind)
        begun = line.begin(item.payload)
        if line.task.needs_mesibo and not reachable:
            raise MesiboUnreachable("down")
        with run.bounded():
            begun(run)

    def _outcome(self, error: BaseException, reachable: bool) -> Outcome:
        if isinstance(error, Failure):
            return error.outcome
        if isinstance(error, TryLater):
            return Outcome.STORAGE_AWAY
        if not isinstance(error, MesiboError):
            return Outcome.FAULT
        if is_about_the_task(error):
            return Outcome.REFUSED
        # When mesibo answers everything but this task, the task is what silences it.
        return Outcome.SILENT if reachable and self._mesibo_answers() else Outcome.MESIBO_AWAY

    def _mesibo_answers(self) -> bool:
        try:
            self._mesibo.ping()
        except MesiboError:
            return False
        return True

    def _put_back(self, item: Item, outcome: Outcome, reason: str) -> None:
        verdict = self._rule.after(outcome, item.attempts)
        log.warning("outbox.put_back", kind=item.kind, id=item.id, reason=reason, dead=verdict.dead)
        self._figures.count(OUTBOX_DONE, item.kind, "dead" if verdict.dead else "put_back")
        self._database.run(
            lambda tx: claims.put_back(
                tx,
                item,
                attempts=verdict.attempts,
                due_at=self._database.now() + verdict.wait,
                error=reason,
                dead=verdict.dead,
            )
        )

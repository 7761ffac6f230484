"""The worker: a thread that does what the outbox holds, and sees to it that nothing is kept too long.

One thread of the server by default; at scale `messenger-api worker` on as many machines as wanted.
"""

from __future__ import annotations

import threading
from functools import partial

import structlog

from messenger_api.domain.errors import TryLater
from messenger_api.domain.times import DAY_SECONDS
from messenger_api.outbox.runner import Runner
from messenger_api.services.account.sessions import Sessions
from messenger_api.services.groups.upkeep import Upkeep
from messenger_api.services.operator.admin_sessions import AdminSessions
from messenger_api.services.operator.audit import Audit
from messenger_api.services.people.news import News
from messenger_api.storage import (
    codes,
    contacts,
    counters,
    facts,
    figures,
    gone_push_tokens,
    raised,
    rosters,
    sessions,
    steps,
    texts,
)
from messenger_api.storage.db import Database
from messenger_api.storage.files import FileStore
from messenger_api.storage.set_backs import CLOCK_SECONDS, SetBack
from messenger_api.throttle import Throttle

log = structlog.get_logger(__name__)

IDLE_SECONDS = 1.0
DOWN_SECONDS = 3

CODES_KEPT_SECONDS = DAY_SECONDS
# The bill of a month is looked at in the next.
TEXTS_KEPT_SECONDS = 62 * DAY_SECONDS
# For so long it is told what became of push tokens.
PUSH_KEPT_SECONDS = 90 * DAY_SECONDS
CLEANING_SECONDS = 3600
UPKEEP_SECONDS = 60
# Within the hour nothing is left of whoever deleted the account.
SWEEPING_SECONDS = 600
NEWS_SECONDS = 2
# How often the log is told of the audit's last row.
AUDIT_SECONDS = DAY_SECONDS
ROSTERS_AT_ONCE = 20

# How often it is noted that somebody delivers; `/readyz` tells when nobody did for a minute.
BEAT_SECONDS = 10


class Housekeeping:
    """What every worker does beside the outbox; many together do it as one would."""

    def __init__(
        self,
        database: Database,
        files: FileStore,
        sessions: Sessions,
        admin_sessions: AdminSessions,
        audit: Audit,
        upkeep: Upkeep,
        news: News,
        runner: Runner,
    ) -> None:
        self._database = database
        self._files = files
        self._sessions = sessions
        self._set_backs = 0
        self._chores = (
            (Throttle(BEAT_SECONDS), self.beat),
            (Throttle(CLEANING_SECONDS), self._clean),
            (Throttle(SWEEPING_SECONDS), self._sweep),
            (Throttle(CLEANING_SECONDS), runner.name_others),
            (Throttle(UPKEEP_SECONDS), upkeep.pass_over),
            (Throttle(NEWS_SECONDS), news.note),
            (Throttle(CLEANING_SECONDS), admin_sessions.expire),
            (Throttle(AUDIT_SECONDS), audit.tell_last),
        )

    def keep(self) -> None:
        """Do what is due, at the first call everything. Raises TryLater."""
        self._files.sweep()
        for throttle, chore in self._chores:
            if throttle.is_due():
                chore()

    def beat(self) -> None:
        """Note that somebody delivers, and notice a clock that went back."""
        now, set_backs = self._database.now(), self._database.set_backs
        count, back = set_backs.count(), set_backs.earliest(self._set_backs)
        last = int(self._database.run(partial(facts.read, name=facts.WORKER)) or 0)
        if back is None and last > now + CLOCK_SECONDS:  # by a clock that another process has seen
            back = SetBack(now, last - now)
        if back:
            log.warning(
                "clock.went_back", seconds=back.seconds, what="phones are told again what they may miss"
            )
            self._database.run(partial(sessions.forget_syncs_from, second=back.to))
        self._database.run(partial(facts.write, name=facts.WORKER, value=str(now)))
        self._set_backs = count

    def _clean(self) -> None:
        now = self._database.now()
        self._database.run(lambda tx: codes.purge(tx, now - CODES_KEPT_SECONDS))
        self._database.run(lambda tx: texts.purge(tx, now - TEXTS_KEPT_SECONDS))
        while self._database.write(gone_push_tokens.gather):
            pass
        self._database.run(lambda tx: gone_push_tokens.purge(tx, now - PUSH_KEPT_SECONDS))
        for purge in (counters.purge, contacts.purge, figures.purge, steps.purge, raised.purge):
            while self._database.run(partial(purge, now=now)):
                pass
        while self._database.write(figures.fold):
            pass
        self._sessions.expire()
        self._refresh_rosters()

    def _sweep(self) -> None:
        while self._database.run(partial(steps.sweep, now=self._database.now())):
            pass

    def _refresh_rosters(self) -> None:
        """Make syncs quick again for groups that an older version of this program has changed."""
        last = 0
        while gids := self._database.run(partial(rosters.stale, after=last, most=ROSTERS_AT_ONCE)):
            for last in gids:
                self._database.run(partial(rosters.refresh, gid=last))


class Worker:
    """The thread. `housekeeping` is done by it, too."""

    def __init__(self, runner: Runner, queued: threading.Event, housekeeping: Housekeeping) -> None:
        """`queued`: set when there may be something to do (`Database.queued`)."""
        self.housekeeping = housekeeping
        self._runner = runner
        self._queued = queued
        self._stopped = threading.Event()

    def start(self) -> threading.Thread:
        """Run in a thread of this process, which finishes the task at hand before the process ends."""
        thread = threading.Thread(target=self.run, name="outbox")
        thread.start()
        return thread

    def stop(self) -> None:
        """Let `run` return after the task at hand."""
        self._runner.stop()
        self._stopped.set()
        self._queued.set()

    def run(self) -> None:
        """Work until `stop` is called or the process comes to its end."""
        while self._runner.goes_on():
            if self._pass():
                self._queued.wait(IDLE_SECONDS)
            else:
                # Something is down: being woken by every request would only hammer it.
                self._stopped.wait(DOWN_SECONDS)
            self._queued.clear()

    def _pass(self) -> bool:
        try:
            self.housekeeping.keep()
            return self._runner.drain()
        except TryLater:
            return False
        except Exception:
            log.exception("outbox.fault")
            return False

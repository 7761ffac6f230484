"""What a worker sees to beside the outbox: that it is known to be there, that nothing is kept too long."""

from __future__ import annotations

import math
import time
from functools import partial

import structlog

from messenger_api.gateways.mesibo import MesiboClient
from messenger_api.services.account.sessions import Sessions
from messenger_api.services.groups.upkeep import Upkeep
from messenger_api.settings import Settings
from messenger_api.storage import codes, contacts, counters, facts, rosters, sessions, texts
from messenger_api.storage.db import Database

log = structlog.get_logger(__name__)

CODES_KEPT_SECONDS = 24 * 3600
# The bill of a month is looked at in the next.
TEXTS_KEPT_SECONDS = 62 * 24 * 3600
HOUSEKEEPING_SECONDS = 3600
UPKEEP_SECONDS = 60
ROSTERS_AT_ONCE = 20

# How often it is noted that somebody delivers; `/readyz` tells when nobody did for a minute.
BEAT_SECONDS = 10
# By more than that the clocks of two machines do not differ.
CLOCK_SECONDS = 5


class Housekeeping:
    """Done by every worker; together they do it as one would."""

    def __init__(self, settings: Settings, database: Database, mesibo: MesiboClient) -> None:
        self._database = database
        self._upkeep = Upkeep(database, mesibo)
        self._sessions = Sessions(settings, database)
        # Since when is unknown: the first look comes at once, however short ago the machine was started.
        self._cleaned_at = self._beat_at = self._looked_at = -math.inf

    def keep(self) -> None:
        """Do what is due. Raises TryLater."""
        if time.monotonic() - self._beat_at > BEAT_SECONDS:
            self._beat_at = time.monotonic()
            self.beat()
        if time.monotonic() - self._cleaned_at > HOUSEKEEPING_SECONDS:
            self._cleaned_at = time.monotonic()
            self._clean()
        if time.monotonic() - self._looked_at > UPKEEP_SECONDS:
            self._looked_at = time.monotonic()
            self._upkeep.pass_over()

    def beat(self) -> None:
        """Note that somebody delivers, and notice a clock that went back."""
        now = self._database.now()
        last = int(self._database.run(partial(facts.read, name=facts.WORKER)) or 0)
        if last > now + CLOCK_SECONDS:
            log.warning(
                "clock.went_back", seconds=last - now, what="phones are told again what they may miss"
            )
            self._database.run(partial(sessions.forget_future_syncs, now=now))
        self._database.run(partial(facts.write, name=facts.WORKER, value=str(now)))

    def _clean(self) -> None:
        now = self._database.now()
        self._database.run(lambda tx: codes.purge(tx, now - CODES_KEPT_SECONDS))
        self._database.run(lambda tx: texts.purge(tx, now - TEXTS_KEPT_SECONDS))
        for purge in (counters.purge, contacts.purge):
            while self._database.run(partial(purge, now=now)):
                pass
        self._sessions.expire()
        self._refresh_rosters()

    def _refresh_rosters(self) -> None:
        """Make syncs quick again for groups that an older version of this program has changed."""
        last = 0
        while gids := self._database.run(partial(rosters.stale, after=last, most=ROSTERS_AT_ONCE)):
            for last in gids:
                self._database.run(partial(rosters.refresh, gid=last))

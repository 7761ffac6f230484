"""What a caller may do so many times a day."""

from __future__ import annotations

from sqlalchemy import Connection

from messenger_api.domain.limits import Window
from messenger_api.services.limits import DAY, Claim, Limits, Tally
from messenger_api.storage.db import Database
from messenger_api.storage.sessions import Caller


class Daily:
    """What each caller may do so many times a day, counted in the transaction that does it."""

    def __init__(self, limits: Limits, database: Database, limit: str, most: int) -> None:
        self._limits = limits
        self._database = database
        self._limit = limit
        self._rule = Window(most, DAY)

    def look(self, caller: Caller) -> None:
        """Count nothing. Raises TooMany: there is no room."""
        now = self._database.now()
        self._database.run(lambda tx: self._taken(tx, now, caller))

    def count(self, tx: Connection, now: int, caller: Caller) -> None:
        """Count once. Raises TooMany: there is no room."""
        self._taken(tx, now, caller).save()

    def _taken(self, tx: Connection, now: int, caller: Caller) -> Tally:
        claim = Claim(self._limit, str(caller.uid), self._rule)
        tally = self._limits.open(tx, now, [claim])
        tally.take([claim])
        return tally

"""The most that a limit allows now: as configured, or more, where an operator has raised it until a time.

Whoever counts, judges or shows asks here. Each process keeps the raised limits in memory, so that a call
costs no statement: servers and workers read them every five seconds (`bookkeeping`), and whoever reports,
each time. The end is known beforehand and holds to the second.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from messenger_api.settings import Settings
from messenger_api.settings.limits import RAISABLE
from messenger_api.storage import raised
from messenger_api.storage.db import Database
from messenger_api.storage.raised import Raised

# A raise is at most so many times what is configured: also after less is configured, and 0 is 0.
MOST_TIMES = 10


class Allowed:
    """Asked by the names of the keys, in lower case: those of `settings.limits.RAISABLE`."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._configured: Mapping[str, float] = {name: getattr(settings, name) for name in RAISABLE}
        self._database = database
        self._raised: Mapping[str, Raised] = {}

    def most(self, name: str) -> float:
        """How much is allowed now, as far as this process knows. Asks nobody."""
        known = self.raised(name)
        configured = self.configured(name)
        return max(configured, min(known.most, self.highest(name))) if known else configured

    def highest(self, name: str) -> float:
        """As far as it may be raised."""
        return self.configured(name) * MOST_TIMES

    def configured(self, name: str) -> float:
        """How much the settings allow."""
        return self._configured[name]

    def raised(self, name: str) -> Raised | None:
        """What an operator has said of it, while it holds."""
        known = self._raised.get(name)
        return known if known and self._database.now() < known.ends_at else None

    def read(self, connection: Connection) -> None:
        """Learn what all processes are to know."""
        self._raised = {each.name: each for each in raised.every(connection)}

    def refresh(self) -> None:
        """The same, in a transaction of its own. Raises TryLater."""
        self._database.run(self.read)

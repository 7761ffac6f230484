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


class Allowed:
    """Asked by the names of the keys, in lower case: those of `settings.limits.RAISABLE`."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._configured: Mapping[str, float] = {name: getattr(settings, name) for name in RAISABLE}
        self._database = database
        self._raised: Mapping[str, Raised] = {}

    def most(self, name: str) -> float:
        """How much is allowed now, as far as this process knows. Asks nobody."""
        known = self.raised(name)
        return max(known.most, self.configured(name)) if known else self.configured(name)

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

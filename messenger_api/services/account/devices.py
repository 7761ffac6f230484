"""Devices: where a user is logged in."""

from __future__ import annotations

from dataclasses import dataclass

from messenger_api.domain.times import DAY_SECONDS
from messenger_api.settings import Settings
from messenger_api.storage import sessions
from messenger_api.storage.db import Database


@dataclass(frozen=True)
class LoggedIn:
    """A session as its owner sees it; times are unix seconds. `push`: it can be woken."""

    sid: int
    appid: str
    device: str
    device_type: int
    created_at: int
    seen_at: int
    push: bool


class Devices:
    """Lists sessions that are alive: used within `SESSION_IDLE_DAYS`."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database

    def of(self, uid: int) -> list[LoggedIn]:
        """A user's sessions, newest first. Raises TryLater."""
        since = self.alive_since()
        rows = self._database.run(lambda tx: sessions.of_user(tx, uid, seen_since=since))
        return [LoggedIn(*row) for row in rows]

    def alive_since(self) -> int:
        """The unix second before which a session that was last used is idle."""
        return self._database.now() - self._settings.session_idle_days * DAY_SECONDS

"""Callers: whose session a request's token is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

from messenger_api.domain.counting import Accumulator
from messenger_api.domain.errors import AuthFail, TryLater
from messenger_api.domain.figures import USERS_ACTIVE
from messenger_api.domain.secrets import token_hash
from messenger_api.domain.times import DAY_SECONDS
from messenger_api.settings import Settings
from messenger_api.storage import sessions
from messenger_api.storage.db import Database
from messenger_api.storage.sessions import Caller

T = TypeVar("T")


class Callers:
    """Finds the session of a request, and notes once a day that it is in use."""

    def __init__(self, settings: Settings, database: Database, figures: Accumulator) -> None:
        self._idle_seconds = settings.session_idle_days * DAY_SECONDS
        self._database = database
        self._figures = figures

    def find(self, token: str) -> Caller:
        """The session of a request. One statement, and once a day a note.

        Two more where the node of a cluster may lag behind.

        Raises:
            AuthFail: there is no such session, or its user may not come in.
        """
        caller = self._find(token, sessions.caller)
        self._note_seen(caller)
        return caller

    def find_with(self, token: str, look: Callable[..., tuple[Caller, T] | None]) -> tuple[Caller, T]:
        """As `find`, and what `look` finds in the same statement (`storage.sessions.beside`)."""
        found = self._find(token, look)
        self._note_seen(found[0])
        return found

    def _find(self, token: str, look: Callable[..., T | None]) -> T:
        since = self._database.now() - self._idle_seconds
        look = partial(look, token_hash=token_hash(token), seen_since=since)
        found = self._database.find(look) if token else None
        if found is None:
            raise AuthFail
        return found

    def _note_seen(self, caller: Caller) -> None:
        """A failure costs nothing: the next request notes it."""
        now = self._database.now()
        if caller.seen_at > (since := now - DAY_SECONDS):
            return
        with suppress(TryLater):
            if self._database.run(lambda tx: sessions.note_seen(tx, now, caller, since=since)):
                self._figures.count(USERS_ACTIVE)

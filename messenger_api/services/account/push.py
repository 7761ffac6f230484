"""Push tokens: where to wake a sleeping app."""

from __future__ import annotations

from functools import partial

from messenger_api.domain.secrets import token_hash
from messenger_api.services.account.sessions import DAY_SECONDS
from messenger_api.storage import sessions
from messenger_api.storage.db import Database
from messenger_api.storage.sessions import Caller


class Push:
    """Stores each session's push token."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set_token(self, session: str, token: str, *, device_type: int, production: bool, fcm: bool) -> bool:
        """Store a push token for the session whose own token this is, in one statement.

        False, and nothing is stored, unless there is such a session and its use was noted within the last day
        (`Sessions.caller`).
        """
        now = self._database.now()
        stored = partial(
            sessions.set_push_token,
            now=now,
            session=token_hash(session),
            noted_after=now - DAY_SECONDS,
            token_hash=token_hash(token),
            token=token,
            device_type=device_type,
            production=int(production),
            fcm=int(fcm),
        )
        return self._database.run(stored)

    def remove_token(self, caller: Caller) -> None:
        """Remove the session's push token."""
        self._database.run(lambda tx: sessions.remove_push_token(tx, caller.sid))

"""Push tokens: where to wake a sleeping app."""

from __future__ import annotations

from sqlalchemy import Connection

from messenger_api.domain.secrets import token_hash
from messenger_api.storage import sessions
from messenger_api.storage.db import Database
from messenger_api.storage.sessions import Caller


class Push:
    """Stores each session's push token."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set_token(self, caller: Caller, token: str, *, device_type: int, production: bool, fcm: bool) -> None:
        """Store the session's token; "" removes it."""
        hashed = token_hash(token)

        def work(tx: Connection) -> None:
            if not token:
                sessions.remove_push_token(tx, caller.sid)
                return
            sessions.set_push_token(
                tx,
                self._database.now(),
                caller.sid,
                hashed,
                token=token,
                device_type=device_type,
                production=int(production),
                fcm=int(fcm),
            )

        self._database.run(work)

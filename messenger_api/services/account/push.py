"""Push tokens: where to wake a sleeping app."""

from __future__ import annotations

from sqlalchemy import Connection

from messenger_api.domain.secrets import Keys, token_hash
from messenger_api.domain.times import DAY_SECONDS
from messenger_api.storage import push_tokens
from messenger_api.storage.db import Database
from messenger_api.storage.push_tokens import NewPushToken
from messenger_api.storage.sessions import Caller


class Push:
    """Stores each session's push token, and remembers for a while those that went (`storage.push_tokens`)."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys

    def set_token(self, session: str, token: str, *, device_type: int, production: bool, fcm: bool) -> bool:
        """Store a push token for the session whose own token this is.

        One statement for a token that the session has handed over within the last day, another for the first
        one, and a transaction where a token goes.

        False, and nothing is stored, unless there is such a session and its use was noted within the last day
        (`Callers.find`).
        """
        now, hashed = self._database.now(), token_hash(token)
        new = NewPushToken(
            session=token_hash(session),
            noted_after=now - DAY_SECONDS,
            token=token,
            token_hash=hashed,
            token_key=self._keys.push_token_key(token),
            device_type=device_type,
            production=int(production),
            fcm=int(fcm),
            now=now,
        )
        found = self._database.run(lambda tx: push_tokens.look(tx, **new))
        if found is None or found.fresh:
            return found is not None
        if found.own in (None, hashed) and found.holder is None:
            return self._database.run(lambda tx: push_tokens.store(tx, **new))

        def work(tx: Connection, now: int) -> bool:
            push_tokens.note_displaced(tx, now, found, hashed)
            return push_tokens.store(tx, **new)

        return self._database.write(work)

    def remove_token(self, caller: Caller) -> None:
        """Remove the session's push token."""
        self._database.write(lambda tx, now: push_tokens.remove(tx, now, caller.sid))

"""Push tokens: where to wake a sleeping app."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError

from messenger_api.domain.errors import TryLater
from messenger_api.domain.secrets import Keys, token_hash
from messenger_api.domain.times import DAY_SECONDS
from messenger_api.storage import push_tokens
from messenger_api.storage.db import Database
from messenger_api.storage.push_tokens import NewPushToken, Opened


class Push:
    """Stores each session's push token; those that went are noted (`storage.gone_push_tokens`)."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys

    def set_token(self, session: str, token: str, *, device_type: int, production: bool, fcm: bool) -> bool:
        """Store a push token for the session whose own token this is.

        One statement, another for the first token of a session, and a transaction where another session
        has this token.

        False, and nothing is stored, unless there is such a session and its use was noted within the last day
        (`Callers.find`).
        """
        now = self._database.now()
        new = NewPushToken(
            session=token_hash(session),
            noted_after=now - DAY_SECONDS,
            token=token,
            token_hash=token_hash(token),
            token_key=self._keys.push_token_key(token),
            device_type=device_type,
            production=int(production),
            fcm=int(fcm),
            now=now,
        )
        try:
            return self._database.run(lambda tx: push_tokens.store(tx, **new))
        except IntegrityError:
            return self._take(new)

    def _take(self, new: NewPushToken) -> bool:
        try:
            return self._database.write(lambda tx, _now: push_tokens.take(tx, **new))
        except IntegrityError as error:
            raise TryLater from error

    def remove_token(self, session: str) -> bool:
        """Remove the push token of such a session. False: there is none."""
        noted_after = self._database.now() - DAY_SECONDS
        of = Opened(session=token_hash(session), noted_after=noted_after)
        return self._database.write(lambda tx, now: push_tokens.remove(tx, now, **of))

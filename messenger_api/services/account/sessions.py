"""Sessions: every way in which one ends.

mesibo's tokens belong to a user and an app, not to a device: one is only deleted when the last session of
that app has ended.
"""

from __future__ import annotations

from sqlalchemy import Connection
from sqlalchemy.sql import ColumnElement

from messenger_api.domain.counting import Accumulator
from messenger_api.domain.figures import SESSIONS_ENDED
from messenger_api.services.account.devices import Devices
from messenger_api.services.account.tasks import token_gone
from messenger_api.storage import outbox, sessions
from messenger_api.storage.db import Database
from messenger_api.storage.gone_push_tokens import Why
from messenger_api.storage.models import Session
from messenger_api.storage.sessions import AppOfUser, Caller

# Idle sessions that one transaction ends, and transactions in a row: housekeeping comes again.
BATCH = 200
BATCHES = 50


class Sessions:
    """Ends sessions."""

    def __init__(self, database: Database, devices: Devices, figures: Accumulator) -> None:
        self._database = database
        self._devices = devices
        self._figures = figures

    def end(self, caller: Caller) -> None:
        """End the caller's own session with its push token; mesibo's token follows when it is free."""

        def work(tx: Connection, now: int) -> None:
            sessions.remove(tx, now, [caller.sid], Why.LOGGED_OUT)
            if not sessions.count(tx, caller.uid, caller.appid):
                outbox.add(tx, now, [token_gone(_app_of(caller))])

        self._database.write(work)
        self._figures.count(SESSIONS_ENDED, "logout")

    def revoke(self, uid: int, sid: int) -> int:
        """End one session of this user; returns how many ended. Another user's is left alone."""
        return self._end((Session.uid == uid) & (Session.sid == sid), Why.REVOKED)

    def revoke_others(self, caller: Caller) -> int:
        """End every session of the caller but this one; returns how many ended."""
        return self._end((Session.uid == caller.uid) & (Session.sid != caller.sid), Why.REVOKED)

    def revoke_all(self, uid: int) -> int:
        """End every session of a user; returns how many ended."""
        return self._end(Session.uid == uid, Why.REVOKED)

    def expire(self) -> int:
        """End the sessions that no app has used for `SESSION_IDLE_DAYS`, in batches; returns how many."""
        ended = 0
        for _ in range(BATCHES):
            some = self._expire_some()
            ended += some
            if some < BATCH:
                break
        return ended

    def _expire_some(self) -> int:
        since = self._devices.alive_since()
        sids = self._database.run(lambda tx: sessions.idle(tx, since, BATCH))
        if sids:
            # Read before and ended after: whoever comes back at this very moment stays.
            self._end(Session.sid.in_(sids) & (Session.seen_at < since), Why.IDLE)
        return len(sids)

    def _end(self, condition: ColumnElement[bool], why: Why) -> int:
        ended = self._database.write(lambda tx, now: end_sessions(tx, now, condition, why))
        self._figures.count(SESSIONS_ENDED, why, by=ended)
        return ended


def end_sessions(tx: Connection, now: int, condition: ColumnElement[bool], why: Why) -> int:
    """End these sessions inside a transaction; the tokens of their apps follow, by the outbox.

    The worker looks whether another session of the same app is left before it deletes a token.
    """
    apps = sessions.apps(tx, condition)
    ended = sessions.remove_where(tx, now, condition, why)
    outbox.add(tx, now, map(token_gone, apps))
    return ended


def _app_of(caller: Caller) -> AppOfUser:
    return AppOfUser(caller.uid, caller.address, caller.mesibo_uid, caller.contact_key, caller.appid)

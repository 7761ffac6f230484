"""Closing accounts: on their owner's wish, on the operator's, and when a number has gone to somebody else.

An account is unusable at once. The outbox does the rest (see `departures`) within moments; a login with the
number that comes in between does it at once, and meets a fresh account.
"""

from __future__ import annotations

from sqlalchemy import Connection

from messenger_api.domain.errors import BadUser, TryLater
from messenger_api.services.sessions import DAY_SECONDS, end_sessions
from messenger_api.services.updates import account_closed, gone_lane
from messenger_api.services.worker import Worker
from messenger_api.settings import Settings
from messenger_api.storage import closing, groups, outbox
from messenger_api.storage.closing import Standing
from messenger_api.storage.db import Database
from messenger_api.storage.models import Session

# How long a login works at making room before it asks to come back.
FINISH_SECONDS = 3.0
RETRY_SECONDS = 5


class Closing:
    """Ends accounts, and keeps them out."""

    def __init__(self, settings: Settings, database: Database, worker: Worker) -> None:
        self._settings = settings
        self._database = database
        self._worker = worker

    def close(self, uid: int) -> None:
        """Make an account unusable now; its groups, its rows and its pictures go by the outbox."""

        def work(tx: Connection, now: int) -> None:
            found = closing.alive(tx, uid)
            if found is not None:
                closing.forget_proofs(tx, found)
                _close(tx, now, uid, found.contact_key)

        self._database.write(work)

    def finish_now(self, uid: int) -> None:
        """Do now what a closed account left to the outbox, its contacts and mesibo included.

        Raises:
            TryLater: it takes longer, or mesibo is down; the outbox goes on with it.
        """
        found = self._database.run(lambda tx: closing.closed(tx, uid))
        if found is not None:
            self._finish(found.contact_key, uid)

    def make_room(self, contact_key: bytes, *, force: bool = False) -> str | None:
        """See to it that whoever has proven this number meets their own account, or none.

        An account that was closed is finished. So is one that nobody used for
        `ACCOUNT_RECYCLED_AFTER_DAYS`, since its number may be another person's by now; and, with `force`,
        any. One statement for an account that stays, two when there is none.

        Returns:
            The address of the account that stays; None when there is none.

        Raises:
            BadUser: the operator keeps the account out.
            TryLater: the former account is not gone yet.
        """
        found = self._database.run(lambda tx: closing.standing(tx, contact_key))
        if found is None:
            if self._is_under_way(contact_key):
                self._finish(contact_key)
        elif found.closed:
            self._finish(contact_key, found.uid)
        elif found.blocked:
            raise BadUser
        elif force or self._is_recycled(found):
            # The code and the password are those of the person who comes in.
            self._database.write(lambda tx, now: _close(tx, now, found.uid, contact_key))
            self._finish(contact_key, found.uid)
        else:
            return found.address
        return None

    def has_account(self, contact_key: bytes) -> bool:
        """Whether somebody has this number, or is just leaving it."""
        found = self._database.run(lambda tx: closing.standing(tx, contact_key))
        return found is not None or self._is_under_way(contact_key)

    def keep_out(self, uid: int) -> None:
        """End a user's sessions and refuse their logins, for the operator."""

        def work(tx: Connection, now: int) -> None:
            closing.set_blocked(tx, uid, blocked=True)
            end_sessions(tx, now, Session.uid == uid)

        self._database.write(work)

    def let_in(self, uid: int) -> None:
        """Take `keep_out` back."""
        self._database.run(lambda tx: closing.set_blocked(tx, uid, blocked=False))

    def _is_recycled(self, found: Standing) -> bool:
        days = self._settings.account_recycled_after_days
        phones = self._settings.login_method == "otp"
        return phones and bool(days) and found.seen_at < self._database.now() - days * DAY_SECONDS

    def _is_under_way(self, contact_key: bytes) -> bool:
        return self._database.run(lambda tx: outbox.waits(tx, gone_lane(contact_key)))

    def _finish(self, contact_key: bytes, uid: int = 0) -> None:
        lanes = [gone_lane(contact_key)]
        if uid:
            gids = self._database.run(lambda tx: groups.gids(tx, uid))
            lanes += [f"user:{uid}", f"token:{uid}", *(f"group:{gid}" for gid in gids)]
        self._worker.drain(lanes, seconds=FINISH_SECONDS)
        left = self._database.run(lambda tx: closing.standing(tx, contact_key))
        if left is not None or self._is_under_way(contact_key):
            raise TryLater(retry_after=RETRY_SECONDS)


def _close(tx: Connection, now: int, uid: int, contact_key: bytes) -> None:
    if closing.close(tx, now, uid):
        end_sessions(tx, now, Session.uid == uid, gone_lane(contact_key))
        outbox.add(tx, now, [account_closed(uid)])

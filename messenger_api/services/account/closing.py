"""Closing accounts: on their owner's wish, on the operator's, and when a number has gone to somebody else.

An account is unusable at once. The outbox does the rest (`tasks`) within moments; a login with the
number that comes in between does it at once, and meets a fresh account.
"""

from __future__ import annotations

import time

from sqlalchemy import Connection

from messenger_api.domain.errors import BadUser, TryLater
from messenger_api.domain.times import DAY_SECONDS
from messenger_api.domain.trace import Step
from messenger_api.outbox.runner import Runner
from messenger_api.services.account.sessions import end_sessions
from messenger_api.services.account.tasks import AccountClosed
from messenger_api.settings import Settings
from messenger_api.storage import closing, groups, intentions, lanes, outbox
from messenger_api.storage.closing import AccountState
from messenger_api.storage.db import Database
from messenger_api.storage.gone_push_tokens import Why
from messenger_api.storage.models import Session

# How long a login works at making room before it asks to come back.
FINISH_SECONDS = 3
RETRY_SECONDS = 5
LOOK_SECONDS = 0.1


class Closing:
    """Ends accounts, and keeps them out."""

    def __init__(self, settings: Settings, database: Database, runner: Runner) -> None:
        self._settings = settings
        self._database = database
        self._runner = runner

    def close(self, uid: int) -> None:
        """Make an account unusable now; its groups, its rows and its pictures go by the outbox."""

        def work(tx: Connection, now: int) -> None:
            found = closing.alive(tx, uid)
            if found is not None:
                closing.forget_proofs(tx, found)
                close_account(tx, now, uid)

        self._database.write(work)

    def finish_now(self, uid: int) -> None:
        """Do now what a closed account left to the outbox, its contacts and mesibo included.

        Raises:
            TryLater: it takes longer, or mesibo is down; the outbox goes on with it.
        """
        found = self._database.run(lambda tx: closing.closed(tx, uid))
        if found is not None:
            self._finish(found.contact_key, uid, closed=True)

    def make_room(self, contact_key: bytes, *, recycles: bool = True) -> AccountState | None:
        """See to it that whoever has proven this number meets their own account, or none.

        An account that was closed is finished. With `recycles` one that nobody used for
        `ACCOUNT_RECYCLED_AFTER_DAYS` is closed first, since its number may be another person's by now. One
        statement for an account that stays, two when there is none.

        Returns:
            The account that stays; None when there is none.

        Raises:
            BadUser: the operator keeps the account out.
            TryLater: the number's past is not over yet.
        """
        found = self._database.run(lambda tx: closing.state(tx, contact_key))
        if found is not None and found.closed:
            self._finish(contact_key, found.uid, closed=True)
            return None
        if found is not None and found.blocked:
            raise BadUser(why=Step.BLOCKED)
        if found is not None and recycles and self._is_recycled(found):
            # The code and the password are those of the person who comes in.
            self._database.write(lambda tx, now: close_account(tx, now, found.uid))
            self._finish(contact_key, found.uid, closed=True)
            return None
        if found is None:
            self.finish_past(contact_key)
        return found

    def finish_past(self, contact_key: bytes, uid: int = 0) -> None:
        """See to it that nothing is left to do about the past of a number. Raises TryLater."""
        if not self._look(contact_key)[1]:
            self._finish(contact_key, uid)

    def entrance(self, contact_key: bytes, *, recycles: bool) -> tuple[AccountState | None, bool]:
        """The account with this number, and whether a session may be opened in it, or in a new one, at once.

        One statement.
        """
        found, over = self._look(contact_key)
        if found is not None and (found.closed or found.blocked or (recycles and self._is_recycled(found))):
            return found, False
        return found, over

    def keep_out(self, uid: int) -> None:
        """End a user's sessions and refuse their logins, for the operator."""

        def work(tx: Connection, now: int) -> None:
            closing.set_blocked(tx, uid, blocked=True)
            end_sessions(tx, now, Session.uid == uid, Why.BLOCKED)

        self._database.write(work)

    def let_in(self, uid: int) -> None:
        """Take `keep_out` back."""
        self._database.run(lambda tx: closing.set_blocked(tx, uid, blocked=False))

    def _is_recycled(self, found: AccountState) -> bool:
        days = self._settings.account_recycled_after_days
        phones = self._settings.texts_codes
        return phones and bool(days) and found.seen_at < self._database.now() - days * DAY_SECONDS

    def _look(self, contact_key: bytes) -> tuple[AccountState | None, bool]:
        """How the account with this number stands, and whether its past is over."""
        past = {"gone": lanes.gone(contact_key), "intent": lanes.intent(contact_key)}
        seen: list[tuple[AccountState | None, bool]] = []

        def look(tx: Connection) -> bool | None:
            seen[:] = [closing.entrance(tx, contact_key, **past)]
            return None if seen[0][1] else False

        self._database.find(look)  # what another node of a cluster has committed counts
        return seen[0]

    def _is_under_way(self, past: list[str]) -> bool:
        soon = self._database.now() + FINISH_SECONDS
        return self._database.run(lambda tx: intentions.under_way(tx, self._database.now(), soon, past))

    def _finish(self, contact_key: bytes, uid: int = 0, *, closed: bool = False) -> None:
        """Do what is left to do about a number's past, or wait until whoever is doing it has done it."""
        past = [lanes.gone(contact_key), *([lanes.tokens(uid)] if uid else [])]
        if closed:
            gids = self._database.run(lambda tx: groups.gids(tx, uid))
            past += [lanes.user(uid), *map(lanes.group, gids)]
        until = time.monotonic() + FINISH_SECONDS
        while self._runner.drain(past, seconds=until - time.monotonic()):
            left = closed and self._database.run(lambda tx: closing.closed(tx, uid)) is not None
            if not left and self._look(contact_key)[1]:
                return
            if time.monotonic() + LOOK_SECONDS > until or not self._is_under_way(past):
                break
            time.sleep(LOOK_SECONDS)
        raise TryLater(retry_after=RETRY_SECONDS)


def close_account(tx: Connection, now: int, uid: int) -> None:
    """Close an account inside a transaction; the outbox does the rest."""
    if closing.close(tx, now, uid):
        end_sessions(tx, now, Session.uid == uid, Why.CLOSED)
        outbox.add(tx, now, [AccountClosed(uid).draft()])

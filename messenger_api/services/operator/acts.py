"""What operators do, on the console or by a command: each act is noted in the audit, and then done.

Noted first: what was done is always in the audit, and what is there may have failed half-way, as its log
line says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row
from sqlalchemy.exc import NoResultFound

from messenger_api.domain.errors import TryLater
from messenger_api.services.account.closing import Closing
from messenger_api.services.account.sessions import Sessions
from messenger_api.services.operator.audit import Audit
from messenger_api.services.operator.events import (
    COMMAND,
    Closed,
    ReportClosed,
    SessionsEnded,
    UserAccess,
    UserDeleted,
)
from messenger_api.storage import blocks, users
from messenger_api.storage import sessions as stored_sessions
from messenger_api.storage.blocks import Complaint
from messenger_api.storage.db import Database


class NoSuchUser(LookupError):
    """The account is gone."""


@dataclass(frozen=True)
class _User:
    """Whom an act is about."""

    address: str
    blocked: bool

    @classmethod
    def of(cls, row: Row[*tuple[Any, ...]]) -> _User:
        return cls(row.address, bool(row.blocked))


class Acts:
    """Acts of `by`, an administrator; None is a command on the server.

    All raise TryLater, and those about a user NoSuchUser.
    """

    def __init__(self, database: Database, audit: Audit, closing: Closing, sessions: Sessions) -> None:
        self._database = database
        self._audit = audit
        self._closing = closing
        self._sessions = sessions

    def keep_out(self, uid: int, *, by: str | None = None, reason: str = COMMAND) -> None:
        """End a user's sessions and refuse their logins."""
        self._access(uid, by, reason, blocked=True)
        self._closing.keep_out(uid)

    def let_in(self, uid: int, *, by: str | None = None, reason: str = COMMAND) -> None:
        """Take `keep_out` back."""
        self._access(uid, by, reason, blocked=False)
        self._closing.let_in(uid)

    def delete(self, uid: int, *, by: str | None = None, reason: str = COMMAND) -> bool:
        """Delete a user's account. False: it is closed, and the outbox goes on with the rest."""
        event = UserDeleted(uid=uid, reason=reason)
        self._audit.note(event, by=by, user=self._user(uid).address)
        self._closing.close(uid)
        try:
            self._closing.finish_now(uid)
        except TryLater:
            return False
        return True

    def end_session(self, sid: int, *, by: str | None = None, reason: str = COMMAND) -> int:
        """End a session; returns how many ended."""
        uid = self._database.run(lambda tx: stored_sessions.owner(tx, sid))
        if not uid:
            return 0
        self._note_ended(uid, sid, by, reason)
        return self._sessions.revoke(uid, sid)

    def end_sessions(self, uid: int, *, by: str | None = None, reason: str = COMMAND) -> int:
        """End every session of a user; returns how many ended."""
        self._note_ended(uid, 0, by, reason)
        return self._sessions.revoke_all(uid)

    def act_on_report(self, report: int, *, by: str, reason: str) -> bool:
        """Keep the reported user out, and close the report. Whether it was there, and open."""
        found = self._close(report, "acted on", by, reason)
        if found is not None:
            self.keep_out(found.reported_uid, by=by, reason=f"report {report}: {reason}")
        return found is not None

    def dismiss_report(self, report: int, *, by: str, reason: str) -> bool:
        """Close a report, and do nothing else. Whether it was there, and open."""
        return self._close(report, "dismissed", by, reason) is not None

    def _close(self, report: int, new: Closed, by: str, reason: str) -> Complaint | None:
        found = self._database.run(lambda tx: blocks.complaint(tx, report))
        if found is None or found.closed_at:
            return None
        event = ReportClosed(report=report, old="open", new=new, reason=reason)
        self._audit.note(event, by=by, user=found.reported)
        self._database.write(lambda tx, now: blocks.close_report(tx, now, report))
        return found

    def _access(self, uid: int, by: str | None, reason: str, *, blocked: bool) -> None:
        user = self._user(uid)
        event = UserAccess(
            uid=uid,
            old="blocked" if user.blocked else "open",
            new="blocked" if blocked else "open",
            reason=reason,
        )
        self._audit.note(event, by=by, user=user.address)

    def _note_ended(self, uid: int, sid: int, by: str | None, reason: str) -> None:
        self._audit.note(SessionsEnded(uid=uid, sid=sid, reason=reason), by=by, user=self._user(uid).address)

    def _user(self, uid: int) -> _User:
        try:
            return self._database.run(lambda tx: _User.of(users.record(tx, uid)))
        except NoResultFound:
            raise NoSuchUser(uid) from None

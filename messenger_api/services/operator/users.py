"""Accounts as an operator looks at them: lists, one account by what was typed, and what users report."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import msgspec

from messenger_api.domain.times import iso
from messenger_api.services.identities import Identities
from messenger_api.storage import blocks, contacts, gone_push_tokens, groups, sessions, users
from messenger_api.storage.blocks import Complaint
from messenger_api.storage.db import Database
from messenger_api.storage.users import Listed

# Accounts that one statement reads.
EXPORTED_AT_ONCE = 1000
# Reports that stand beside the user they are about.
COMPLAINTS = 20


class ListedUser(msgspec.Struct, frozen=True):
    """A line of the list; times are unix seconds."""

    uid: int
    address: str
    name: str
    country: str
    created_at: int
    changed_at: int


class ExportedUser(msgspec.Struct, frozen=True):
    """An account as files hold it. Times are ISO 8601 in UTC."""

    address: str
    name: str
    status: str
    blocked: bool
    uid: int
    country: str
    photo: str
    created: str
    seen: str


class ShownSession(msgspec.Struct, frozen=True):
    """A logged-in app: never its token. `push`: it can be woken."""

    sid: int
    appid: str
    device: str
    device_type: int
    created_at: int
    push: bool


class GonePushToken(msgspec.Struct, frozen=True):
    """A push token that went within 90 days; times are unix seconds. `why`: `storage.gone_push_tokens.Why`.

    `token`: the same for the same token, whoever had it; "" for one that an older program stored.
    """

    token: str
    device_type: int
    production: bool
    fcm: bool
    registered_at: int
    gone_at: int
    why: str


class Membership(msgspec.Struct, frozen=True):
    """A group of the user; `role` is member, admin or owner, `members` their number."""

    gid: int
    name: str
    role: str
    members: int


class ShownUser(msgspec.Struct, frozen=True):
    """All that is known of an account; its phone book is stored blind, so that only its size is.

    `blocked`: kept out by the operator; `closed`: being deleted. Times are unix seconds.
    """

    uid: int
    address: str
    name: str
    status: str
    photo: str
    country: str
    created_at: int
    changed_at: int
    seen_at: int
    blocked: bool
    closed: bool
    contacts: int
    sessions: list[ShownSession]
    groups: list[Membership]
    gone_push_tokens: list[GonePushToken]


class ListedReport(msgspec.Struct, frozen=True):
    """A report; `created_at` in unix seconds, `gid` 0 when it is about no group."""

    id: int
    reporter: str
    reported: str
    gid: int
    reason: str
    text: str
    created_at: int


class UserPage(msgspec.Struct, frozen=True):
    """A user with what others said of them; `blocks`: how many numbers they have blocked."""

    user: ShownUser
    blocks: int
    reports: list[Complaint]


class UserQueries:
    """Reads accounts and reports. Every method raises TryLater when the database does not answer."""

    def __init__(self, database: Database, identities: Identities) -> None:
        self._database = database
        self._identities = identities

    def page(self, *, after: int, limit: int) -> list[ListedUser]:
        """Up to `limit` accounts whose uid is greater than `after`, in the order of their uids."""
        rows = self._database.run(lambda tx: users.page(tx, after=after, limit=limit))
        return [ListedUser(*row) for row in rows]

    def exported(self) -> Iterator[ExportedUser]:
        """Every account but those that are being deleted, in the order of their uids."""
        after = 0
        while rows := self._database.run(partial(users.listed, after=after, limit=EXPORTED_AT_ONCE)):
            yield from map(_exported, rows)
            after = rows[-1].uid

    def find(self, typed: str) -> ListedUser | None:
        """The account that this number or address logs in to; None if there is none.

        It is read as the configured login method reads it, in DEFAULT_COUNTRY, so that no other account is
        found than the one whose owner would type this. What the method cannot read is compared with addresses
        as it stands: accounts of an earlier LOGIN_METHOD have such.
        """
        run, key = self._database.run, self._identities.key_at_login(typed)
        if key is None:
            # MySQL would not even compare other letters with an address.
            address = typed if typed.isascii() else ""
        else:
            address = next((account.address for account in run(lambda tx: users.accounts(tx, [key]))), "")
        rows = run(lambda tx: users.page(tx, after=0, limit=1, address=address)) if address else []
        return next((ListedUser(*row) for row in rows), None)

    def show(self, typed: str) -> ShownUser | None:
        """All that is known of the account that `find` finds."""
        return self._shown(self.find(typed))

    def by_uid(self, uid: int) -> ListedUser | None:
        """The account with this uid."""
        rows = self._database.run(lambda tx: users.page(tx, after=uid - 1, limit=1))
        return next((ListedUser(*row) for row in rows if row.uid == uid), None)

    def page_of(self, uid: int) -> UserPage | None:
        """All that is known of the account with this uid, and of what others said of it."""
        shown, run = self._shown(self.by_uid(uid)), self._database.run
        if shown is None:
            return None
        about = run(lambda tx: blocks.complaints_about(tx, uid, COMPLAINTS))
        return UserPage(shown, run(lambda tx: blocks.count(tx, uid)), about)

    def complaints(self, *, before: int, limit: int, closed: bool) -> list[Complaint]:
        """Up to `limit` reports that are open, or closed, newest first; with `before` those of lesser ids."""
        return self._database.run(lambda tx: blocks.complaints(tx, closed=closed, before=before, most=limit))

    def _shown(self, found: ListedUser | None) -> ShownUser | None:
        profile = self._database.run(lambda tx: users.find_profile(tx, found.uid)) if found else None
        if found is None or profile is None:
            return None
        record = self._database.run(lambda tx: users.record(tx, found.uid))
        return ShownUser(
            uid=profile.uid,
            address=profile.address,
            name=profile.name,
            status=profile.status,
            photo=profile.photo,
            country=found.country,
            created_at=found.created_at,
            changed_at=profile.changed_at,
            seen_at=record.seen_at,
            blocked=bool(record.blocked),
            closed=bool(record.closed_at),
            contacts=self._database.run(lambda tx: contacts.count(tx, found.uid)),
            sessions=self._sessions(found.uid),
            groups=self._memberships(found.uid),
            gone_push_tokens=self._gone_push_tokens(found.uid),
        )

    def reports(self, *, before: int, limit: int) -> list[ListedReport]:
        """Up to `limit` reports, newest first; with `before` only those of a lesser id."""
        rows = self._database.run(lambda tx: blocks.reports(tx, before=before, most=limit))
        return [ListedReport(*row) for row in rows]

    def _sessions(self, uid: int) -> list[ShownSession]:
        rows = self._database.run(lambda tx: sessions.of_user(tx, uid))
        return [
            ShownSession(row.sid, row.appid, row.device, row.device_type, row.created_at, bool(row.push))
            for row in rows
        ]

    def _gone_push_tokens(self, uid: int) -> list[GonePushToken]:
        return [
            GonePushToken(
                token=gone.token_key.hex() if gone.token_key else "",
                device_type=gone.device_type,
                production=bool(gone.production),
                fcm=bool(gone.fcm),
                registered_at=gone.registered_at,
                gone_at=gone.gone_at,
                why=gone.why,
            )
            for gone in self._database.run(lambda tx: gone_push_tokens.of_user(tx, uid))
        ]

    def _memberships(self, uid: int) -> list[Membership]:
        found = self._database.run(lambda tx: groups.of_user(tx, uid))
        return [
            Membership(group.gid, group.name, member.role.name.lower(), len(group.roster.members))
            for group in found
            for member in group.roster.members
            if member.uid == uid
        ]


def _exported(row: Listed) -> ExportedUser:
    return ExportedUser(
        address=row.address,
        name=row.name,
        status=row.status,
        blocked=bool(row.blocked),
        uid=row.uid,
        country=row.country,
        photo=row.photo,
        created=iso(row.created_at),
        seen=iso(row.seen_at),
    )

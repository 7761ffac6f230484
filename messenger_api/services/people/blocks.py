"""Blocking people, and reporting them to the operator.

A block works both ways: neither finds the other, and neither hears of changes in the other's profile.
Groups and their messages go on as they are. A number is blocked whether or not it has an account.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Connection

from messenger_api.domain.errors import BadGroup, BadPhone, BadValue, NotMember, TooMany
from messenger_api.domain.members import Role
from messenger_api.services.identities import Identities
from messenger_api.settings import Settings
from messenger_api.storage import blocks, groups, sessions, users
from messenger_api.storage.db import Database
from messenger_api.storage.sessions import Caller
from messenger_api.storage.users import Account

# Numbers in one call: an app blocks people one by one, and its list when it moves to us.
MOST_PER_CALL = 1000
REPORTS_A_DAY = 20

Allow = Callable[[Caller], None]
"""Raises TooMany when the caller has done something too often."""


def always(_caller: Caller) -> None:
    """Allow it whoever the caller is."""


@dataclass(frozen=True)
class Blocked:
    """Whom a user has blocked: those with an account, and how many in all."""

    addresses: Sequence[str] = field(repr=False)
    count: int


class Blocks:
    """Keeps whom a user does not want to hear of or be found by."""

    def __init__(self, settings: Settings, database: Database, identities: Identities) -> None:
        self._settings = settings
        self._database = database
        self._identities = identities

    def block(self, caller: Caller, entries: Sequence[str]) -> None:
        """Block numbers. What cannot be read, and the caller's own, are passed over.

        Raises:
            TooMany: more numbers than one call takes.
            BadValue: more than `MAX_BLOCKED` in all.
        """
        self.block_keys(caller, self._contact_keys(caller, entries))

    def block_keys(self, caller: Caller, keys: Sequence[bytes]) -> None:
        """Block these contact keys. Raises BadValue."""

        def work(tx: Connection, now: int) -> None:
            blocks.add(tx, now, caller.uid, keys)
            if blocks.count(tx, caller.uid) > self._settings.max_blocked:
                wanted = f"at most {self._settings.max_blocked} numbers in all"
                raise BadValue(properties=("phones",), field="phones", wanted=wanted)

        if keys:
            self._database.write(work)

    def unblock(self, caller: Caller, entries: Sequence[str]) -> None:
        """Take blocks back. Both sides' next syncs tell what they have missed. Raises TooMany."""
        keys = self._contact_keys(caller, entries)

        def work(tx: Connection, _now: int) -> None:
            if blocks.remove(tx, caller.uid, keys):
                others = [account.uid for account in users.accounts(tx, keys)]
                sessions.sync_all_again(tx, [caller.uid, *others])

        if keys:
            self._database.write(work)

    def of(self, uid: int) -> Blocked:
        """Whom a user has blocked."""
        found, count = self._database.run(lambda tx: (blocks.accounts(tx, uid), blocks.count(tx, uid)))
        return Blocked([address for _uid, address in found], count)

    def _contact_keys(self, caller: Caller, entries: Sequence[str]) -> list[bytes]:
        if len(entries) > MOST_PER_CALL:
            raise TooMany("phones_many", retry_after=1, limit=MOST_PER_CALL)
        keys = set(self._identities.keys(entries, caller.country))
        # In order, so that two calls of one user lock the same rows in the same order.
        return sorted(keys - {caller.contact_key})


class Reports:
    """Keeps what users tell the operator about others."""

    def __init__(
        self, database: Database, identities: Identities, block: Blocks, allow: Allow = always
    ) -> None:
        self._database = database
        self._identities = identities
        self._blocks = block
        self._allow = allow

    def add(
        self, caller: Caller, entry: str, gid: int, *, reason: str, text: str, block: bool = False
    ) -> None:
        """Report the person with this number, or without one the owner of the group.

        A number without an account is answered alike and not kept: whether it has one is not told.

        Raises:
            BadPhone: the number cannot be read, or is the caller's own.
            NotMember: the caller is not in the group.
            BadGroup: the caller owns the group and names nobody.
            TooMany: too many reports.
        """
        self._allow(caller)
        if gid and self._role(gid, caller.uid) is None:
            raise NotMember
        key = self._key_of(caller, entry) if entry else self._owner(caller, gid).contact_key
        if block:
            self._blocks.block_keys(caller, [key])
        found = self._database.run(lambda tx: users.open_accounts(tx, [key]))
        if found:
            report = partial(
                blocks.add_report,
                now=self._database.now(),
                reporter=caller.uid,
                reported=found[0].uid,
                gid=gid,
                reason=reason,
                text=text,
            )
            self._database.run(report)

    def _key_of(self, caller: Caller, entry: str) -> bytes:
        keys = [key for key in self._identities.keys([entry], caller.country) if key != caller.contact_key]
        if not keys:
            raise BadPhone(properties=("phone",))
        return keys[0]

    def _role(self, gid: int, uid: int) -> Role | None:
        return self._database.run(lambda tx: groups.role(tx, gid, uid))

    def _owner(self, caller: Caller, gid: int) -> Account:
        owner = self._database.run(lambda tx: groups.owner(tx, gid))
        if owner is None or owner.uid == caller.uid:
            raise BadGroup
        return owner

"""Accounts that an operator brings: made here and at mesibo, or changed; each by the way of a first login.

mesibo makes the user before the account stands here: contacts find an account at once, and mesibo refuses
groups and messages that name somebody whom it does not know. The user gets no token; a login makes one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from messenger_api.domain.errors import AuthFail, BadPhone, BadUser, Refused, TryLater
from messenger_api.domain.identity import Identity
from messenger_api.domain.names import cleaned
from messenger_api.services.account.closing import Closing
from messenger_api.services.account.entrances import Entrance, Entrances
from messenger_api.services.identities import Identities
from messenger_api.services.people.profiles import Wanted, change
from messenger_api.services.people.tasks import UserChanged
from messenger_api.storage import closing, outbox, users
from messenger_api.storage.db import Database
from messenger_api.storage.models import NAME_LENGTH, STATUS_LENGTH
from messenger_api.storage.users import Listed

# Keys that one statement looks for.
KEYS_AT_ONCE = 500


class NotImported(ValueError):
    """An account that cannot be brought, and why; others can."""


@dataclass(frozen=True)
class Brought:
    """An account as it shall be. None leaves what there is."""

    who: Identity
    key: bytes = field(repr=False)
    wanted: Wanted = field(repr=False)
    blocked: bool | None = None

    def is_so(self, found: Listed) -> bool:
        """Whether nothing is to be changed."""
        return not self.wanted.beside(found) and self.blocked in (None, bool(found.blocked))


class Imports:
    """Brings accounts, one at a time. The database tells what is done: to begin again does nothing twice."""

    def __init__(
        self, database: Database, identities: Identities, entrances: Entrances, closing: Closing
    ) -> None:
        self._database = database
        self._identities = identities
        self._entrances = entrances
        self._closing = closing

    def read(
        self, address: str, *, name: str | None = None, status: str | None = None, blocked: bool | None = None
    ) -> Brought:
        """An account of what was written: the address as at login, texts as the API takes them.

        Raises:
            NotImported: nobody logs in with this address, or a text is too long.
        """
        if name is not None and len(name := cleaned(name)) > NAME_LENGTH:
            raise NotImported(f"name: longer than {NAME_LENGTH} characters")
        if status is not None and len(status := cleaned(status, lines=True)) > STATUS_LENGTH:
            raise NotImported(f"status: longer than {STATUS_LENGTH} characters")
        try:
            who = self._identities.at_login(address)
        except BadPhone:
            raise NotImported("address: nobody can log in with this") from None
        # What is left empty when nothing in it can be seen was not given.
        wanted = Wanted(name or None, status or None)
        return Brought(who, self._identities.contact_key(who), wanted, blocked)

    def outstanding(self, accounts: Sequence[Brought]) -> Iterator[bool]:
        """For each account, whether it is to be made or changed. Raises TryLater."""
        for start in range(0, len(accounts), KEYS_AT_ONCE):
            part = accounts[start : start + KEYS_AT_ONCE]
            found = self._found([account.key for account in part])
            for account in part:
                there = found.get(account.key)
                yield there is None or not account.is_so(there)

    def bring(self, account: Brought) -> None:
        """Make the account, or change what is otherwise.

        Raises:
            NotImported: mesibo refuses the user, or the account cannot be made for a reason of its own.
            TryLater: mesibo or the database is away.
        """
        there = self._found([account.key]).get(account.key)
        try:
            if there is not None:
                self._change(there.uid, account)
            else:
                self._make(account)
        except Refused as refusal:
            raise NotImported(f"mesibo refuses the user: {refusal.code}") from refusal
        except (AuthFail, BadUser):
            raise NotImported("somebody has just closed or blocked the account") from None
        except IntegrityError:
            raise NotImported(
                "another account has this address, or it was made just now: import it again"
            ) from None
        except TryLater as error:
            if error.__cause__ is not None:
                raise
            raise NotImported(
                "a former account is still being deleted, or much is going on: import it again"
            ) from None

    def _found(self, keys: Sequence[bytes]) -> dict[bytes, Listed]:
        return self._database.run(lambda tx: users.listed_of(tx, keys))

    def _change(self, uid: int, account: Brought) -> None:
        self._database.write(lambda tx, now: change(tx, now, uid=uid, wanted=account.wanted))
        if account.blocked:
            self._closing.keep_out(uid)
        elif account.blocked is not None:
            self._closing.let_in(uid)

    def _make(self, account: Brought) -> None:
        # Whoever has this address, it is not for an import to say that somebody else has it now.
        with self._entrances.to(account.key, account.who.address, recycles=False) as entrance:
            name = account.wanted.name or ""
            mesibo_uid = self._entrances.make_user(entrance, name)
            self._database.write(lambda tx, now: self._add(tx, now, account, entrance, mesibo_uid))

    def _add(self, tx: Connection, now: int, account: Brought, entrance: Entrance, mesibo_uid: int) -> None:
        uid = users.add(
            tx,
            now,
            address=entrance.address,
            contact_key=account.key,
            mesibo_uid=mesibo_uid,
            name=account.wanted.name or "",
            country=account.who.region,
        )
        users.change(tx, now, uid, status=account.wanted.status or "")
        closing.set_blocked(tx, uid, blocked=bool(account.blocked))
        self._entrances.settle(tx, now, entrance)
        outbox.add(tx, now, [UserChanged(uid).draft()])

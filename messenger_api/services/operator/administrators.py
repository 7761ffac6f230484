"""Administrators: made, given other proofs and kept out by commands on the server."""

from __future__ import annotations

from functools import cached_property

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from messenger_api.domain.administrators import Role, name_of
from messenger_api.domain.secrets import Keys
from messenger_api.services.login.hashes import Hashes
from messenger_api.services.operator.audit import Audit
from messenger_api.services.operator.events import (
    AdministratorDisabled,
    AdministratorMade,
    AdministratorReset,
)
from messenger_api.services.operator.second_factor import Enrolment, enrolment
from messenger_api.storage import administrators
from messenger_api.storage.administrators import KnownAdministrator
from messenger_api.storage.db import Database

SHORTEST_PASSWORD = 12
HASH_PATIENCE = 5.0


class NoSuchAdministrator(LookupError):
    """Nobody has this name."""


class ListedAdministrator(msgspec.Struct, frozen=True):
    """A line of the list; times are unix seconds, `seen_at` 0 before the first login."""

    name: str
    role: str
    disabled: bool
    created_at: int
    seen_at: int


class Administrators:
    """Makes administrators and keeps them out.

    Every method raises TryLater when the database does not answer, and those that make proofs ImportError
    where the extra `console` is not installed.
    """

    def __init__(self, database: Database, keys: Keys, audit: Audit) -> None:
        self._database = database
        self._keys = keys
        self._audit = audit
        self._some = False

    @cached_property
    def _hashes(self) -> Hashes:
        return Hashes(HASH_PATIENCE)

    def exist(self) -> bool:
        """Whether there is one: the console is off until then. None is ever removed."""
        self._some = self._some or self._database.run(administrators.exist)
        return self._some

    def every(self) -> list[ListedAdministrator]:
        """All of them, by name."""
        found = self._database.run(administrators.every)
        return [
            ListedAdministrator(one.name, one.role, bool(one.disabled), one.created_at, one.seen_at)
            for one in found
        ]

    def create(self, typed: str, role: Role, password: str) -> Enrolment:
        """Make an administrator.

        Raises:
            ValueError: the name or the password cannot be used, or the name is taken; the text says why.
        """
        name = name_of(typed)
        if name is None:
            raise ValueError(
                "a name has up to 64 of a-z, 0-9, '.', '_' and '-', and begins with one of the first"
            )
        hashed, new = self._made(password), enrolment(name)

        def work(tx: Connection, now: int) -> None:
            made = administrators.add(tx, now, name=name, role=role.word)
            administrators.set_proofs(tx, made, password=hashed, totp=self._sealed(new.secret, made))

        try:
            self._database.write(work)
        except IntegrityError:
            raise ValueError(f"there is an administrator {name}: messenger-api admin reset {name}") from None
        self._audit.note(AdministratorMade(role=role.word), by=None, administrator=name)
        return new

    def reset(self, typed: str, password: str) -> Enrolment:
        """Give an administrator another password and secret, and let them in; their sessions end.

        Raises:
            NoSuchAdministrator: nobody has this name.
            ValueError: the password cannot be used.
        """
        known = self._known(typed)
        hashed, new = self._made(password), enrolment(known.name)
        event = AdministratorReset(old="disabled" if known.disabled else "active")
        self._audit.note(event, by=None, administrator=known.name)

        def work(tx: Connection, _now: int) -> None:
            totp = self._sealed(new.secret, known.id)
            administrators.set_proofs(tx, known.id, password=hashed, totp=totp)
            administrators.end_sessions(tx, known.id)

        self._database.write(work)
        return new

    def disable(self, typed: str) -> None:
        """Keep an administrator out; their sessions end. Raises NoSuchAdministrator."""
        known = self._known(typed)
        event = AdministratorDisabled(old="disabled" if known.disabled else "active")
        self._audit.note(event, by=None, administrator=known.name)

        def work(tx: Connection, _now: int) -> None:
            administrators.disable(tx, known.id)
            administrators.end_sessions(tx, known.id)

        self._database.write(work)

    def _known(self, typed: str) -> KnownAdministrator:
        name = name_of(typed)
        known = self._database.run(lambda tx: administrators.find(tx, name)) if name else None
        if known is None:
            raise NoSuchAdministrator(typed)
        return known

    def _made(self, password: str) -> str:
        try:
            return self._hashes.made_of(password, shortest=SHORTEST_PASSWORD)
        except ValueError as error:
            raise ValueError(f"this password cannot be used: {error}") from None

    def _sealed(self, secret: str, administrator: int) -> bytes:
        return self._keys.seal(secret.encode(), about(administrator))


def about(administrator: int) -> bytes:
    """What an administrator's sealed secret is bound to."""
    return f"administrator {administrator}".encode()

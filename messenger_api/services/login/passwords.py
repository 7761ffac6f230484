"""Logging in with passwords that are kept here."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from messenger_api.domain.errors import TryLater
from messenger_api.gateways.login import Denied, LoginMethod, Person, Unavailable
from messenger_api.services.login.hashes import Hashes
from messenger_api.settings import Settings
from messenger_api.storage import passwords
from messenger_api.storage.db import Database

if TYPE_CHECKING:
    from argon2 import PasswordHasher


class PasswordMethod(LoginMethod):
    """Compares with the hash in the database. `messenger-api users password` sets it."""

    name = "password"

    def __init__(self, settings: Settings, database: Database, hasher: PasswordHasher | None = None) -> None:
        super().__init__(settings)
        self._database = database
        self._hashes = Hashes(settings.login_timeout, hasher)

    def check(self) -> None:
        """See that the table can be read."""
        self._find("messenger-api-check")

    def set(self, address: str, password: str) -> None:
        """Set a person's password.

        Raises:
            ValueError: it is too short or too long; the text says what is accepted.
            TryLater: the database does not answer.
        """
        hashed = self._hashes.made_of(password)
        self._database.write(lambda tx, now: passwords.put(tx, now, address, hashed))

    def remove(self, address: str) -> bool:
        """Remove a person's password, who cannot log in without. Whether there was one.

        Raises:
            TryLater: the database does not answer.
        """
        return self._database.write(lambda tx, _now: passwords.remove(tx, address))

    def _authenticate(self, address: str, secret: str) -> Person:
        known = self._find(address)
        if not self._hashes.fits(known, secret) or known is None:
            raise Denied("no such person, or another password")
        # The login does not depend on it.
        if new := self._hashes.renewed(known, secret):
            with suppress(TryLater):
                self._database.write(lambda tx, _now: passwords.rehash(tx, address, known, new))
        return Person(address)

    def _find(self, address: str) -> str | None:
        try:
            return self._database.run(lambda tx: passwords.find(tx, address))
        except TryLater:
            raise Unavailable("the database does not answer, or lacks the table") from None

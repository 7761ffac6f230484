"""Logging in with passwords that are kept here, as Argon2id hashes (RFC 9106)."""

from __future__ import annotations

import secrets
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from messenger_api.domain.errors import TryLater
from messenger_api.gateways.login import Denied, LoginMethod, Person, Unavailable
from messenger_api.settings import Settings
from messenger_api.storage import passwords
from messenger_api.storage.db import Database

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST, LONGEST = 8, 128

# Each hash takes 64 MiB and four threads while it is made: so many at a time in a process, whoever asks.
MOST_HASHES = 2
_places = threading.BoundedSemaphore(MOST_HASHES)


class PasswordMethod(LoginMethod):
    """Compares with the hash in the database. `messenger-api users password` sets it."""

    name = "password"

    def __init__(self, settings: Settings, database: Database, hasher: PasswordHasher | None = None) -> None:
        # Optional: whoever keeps no passwords needs no library for them.
        from argon2 import PasswordHasher

        super().__init__(settings)
        self._patience = settings.login_timeout
        self._database = database
        self._hasher = hasher or PasswordHasher()
        # Compared with when there is no such person: the time that it takes must not tell.
        self._nobodys = self._hasher.hash(secrets.token_hex())

    def check(self) -> None:
        """See that the table can be read."""
        self._find("messenger-api-check")

    def set(self, address: str, password: str) -> None:
        """Set a person's password.

        Raises:
            ValueError: it is too short or too long; the text says what is accepted.
            TryLater: the database does not answer.
        """
        normal = _normal(password)
        if not SHORTEST <= len(normal) <= LONGEST:
            raise ValueError(f"accepted are {SHORTEST} to {LONGEST} characters")
        hashed = self._hasher.hash(_bytes(normal))
        self._database.write(lambda tx, now: passwords.put(tx, now, address, hashed))

    def remove(self, address: str) -> bool:
        """Remove a person's password, who cannot log in without. Whether there was one.

        Raises:
            TryLater: the database does not answer.
        """
        return self._database.write(lambda tx, _now: passwords.remove(tx, address))

    def _authenticate(self, address: str, secret: str) -> Person:
        normal = _normal(secret)
        if len(normal) > LONGEST:
            raise Denied("longer than any password here")
        known, password = self._find(address), _bytes(normal)
        with self._place():
            if not self._fits(known or self._nobodys, password) or known is None:
                raise Denied("no such person, or another password")
            if self._hasher.check_needs_rehash(known):
                self._rehash(address, known, password)
        return Person(address)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not _places.acquire(timeout=self._patience):
            raise Unavailable("too many passwords are being judged")
        try:
            yield
        finally:
            _places.release()

    def _find(self, address: str) -> str | None:
        try:
            return self._database.run(lambda tx: passwords.find(tx, address))
        except TryLater:
            raise Unavailable("the database does not answer, or lacks the table") from None

    def _fits(self, hashed: str, password: bytes) -> bool:
        from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

        try:
            return self._hasher.verify(hashed, password)
        except VerifyMismatchError:
            return False
        except (InvalidHashError, VerificationError):
            raise Unavailable("a hash in the database cannot be read") from None

    def _rehash(self, address: str, old: str, password: bytes) -> None:
        """Follow the library's newer parameters. The login does not depend on it."""
        new = self._hasher.hash(password)
        try:
            self._database.write(lambda tx, _now: passwords.rehash(tx, address, old, new))
        except TryLater:
            return


def _normal(password: str) -> str:
    """The same whichever keyboard typed the letters (RFC 8265, section 4.2: NFC)."""
    return unicodedata.normalize("NFC", password)


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")

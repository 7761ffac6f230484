"""Passwords as Argon2id hashes (RFC 9106): made and compared, few at a time."""

from __future__ import annotations

import secrets
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from messenger_api.gateways.login import Unavailable

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST, LONGEST = 8, 128

# Each hash takes 64 MiB and four threads while it is made: so many at a time in a process, whoever asks.
MOST_HASHES = 2
_places = threading.BoundedSemaphore(MOST_HASHES)


class Hashes:
    """Makes hashes and compares with them. Raises ImportError: the library is not installed.

    `patience`: seconds that a comparison waits for those before it.
    """

    def __init__(self, patience: float, hasher: PasswordHasher | None = None) -> None:
        # Optional: whoever keeps no passwords needs no library for them.
        from argon2 import PasswordHasher

        self._patience = patience
        self._hasher = hasher or PasswordHasher()
        # Compared with when there is no such person: the time that it takes must not tell.
        self._nobodys = self._hasher.hash(secrets.token_hex())

    def made_of(self, password: str, *, shortest: int = SHORTEST) -> str:
        """The hash to keep.

        Raises:
            ValueError: it is too short or too long; the text says what is accepted.
        """
        normal = _normal(password)
        if not shortest <= len(normal) <= LONGEST:
            raise ValueError(f"accepted are {shortest} to {LONGEST} characters")
        return self._hasher.hash(_bytes(normal))

    def fits(self, known: str | None, password: str) -> bool:
        """Whether a hash is that of this password; None, nobody's, takes as long.

        Raises:
            Unavailable: too many are being judged, or the hash cannot be read.
        """
        normal = _normal(password)
        if len(normal) > LONGEST:
            return False
        with self._place():
            return self._verified(known or self._nobodys, _bytes(normal)) and known is not None

    def renewed(self, known: str, password: str) -> str | None:
        """A new hash of the same password, where the library's parameters have become others."""
        if not self._hasher.check_needs_rehash(known):
            return None
        with self._place():
            return self._hasher.hash(_bytes(_normal(password)))

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not _places.acquire(timeout=self._patience):
            raise Unavailable("too many passwords are being judged")
        try:
            yield
        finally:
            _places.release()

    def _verified(self, hashed: str, password: bytes) -> bool:
        from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

        try:
            return self._hasher.verify(hashed, password)
        except VerifyMismatchError:
            return False
        except (InvalidHashError, VerificationError):
            raise Unavailable("a hash in the database cannot be read") from None


def _normal(password: str) -> str:
    """The same whichever keyboard typed the letters (RFC 8265, section 4.2: NFC)."""
    return unicodedata.normalize("NFC", password)


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")

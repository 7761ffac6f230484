"""Keyed hashes and random values: what is stored instead of codes, tokens and phone books.

Every purpose has a key of its own, derived from the installation's `SECRET_KEY`, so that a value made
for one purpose says nothing in another.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

from messenger_api.domain.phone import Phone, match_key

# 128 bits: a collision among a billion numbers has odds of one in 10^20.
CONTACT_KEY_BYTES = 16


@dataclass(frozen=True)
class Keys:
    """The derived keys of one installation."""

    contacts: bytes = field(repr=False)
    codes: bytes = field(repr=False)

    @classmethod
    def derive(cls, secret_key: str) -> Keys:
        """Derive every key from `SECRET_KEY`."""
        return cls(contacts=_derived(secret_key, b"contacts"), codes=_derived(secret_key, b"codes"))

    def contact_key(self, phone: Phone) -> bytes:
        """The blind form of a number: equal for equal numbers, unreadable without the key."""
        digest = hmac.digest(self.contacts, match_key(phone).encode(), "sha256")
        return digest[:CONTACT_KEY_BYTES]

    def code_hash(self, contact_key: bytes, code: str) -> bytes:
        """What is stored of a one-time code; bound to the number that it was sent to."""
        return hmac.digest(self.codes, contact_key + code.encode(), "sha256")


def _derived(secret_key: str, purpose: bytes) -> bytes:
    return hmac.digest(secret_key.encode(), b"messenger-api/" + purpose, "sha256")


def token_hash(token: str) -> bytes:
    """What is stored of a session token. Tokens are long and random, so a plain hash suffices."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def same(a: bytes, b: bytes) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(a, b)


def new_code(length: int) -> str:
    """A one-time code of `length` digits, leading zeros kept."""
    return f"{secrets.randbelow(10**length):0{length}d}"


def new_secret_key() -> str:
    """A fresh `SECRET_KEY`: 256 random bits in hexadecimal."""
    return secrets.token_hex(32)

"""Keyed hashes and random values: what is stored instead of codes, tokens and phone books.

Every purpose has a key of its own, derived from the installation's `SECRET_KEY`, so that a value made
for one purpose says nothing in another.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from functools import cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from messenger_api.domain.identity import Identity

# 128 bits: a collision among a billion numbers has odds of one in 10^20.
CONTACT_KEY_BYTES = 16
# What AES-GCM asks for (NIST SP 800-38D, 8.2).
NONCE_BYTES = 12


@dataclass(frozen=True)
class Keys:
    """The derived keys of one installation."""

    contacts: bytes = field(repr=False)
    codes: bytes = field(repr=False)
    limits: bytes = field(repr=False)
    sealing: bytes = field(repr=False)
    console: bytes = field(repr=False)
    push: bytes = field(repr=False)

    @classmethod
    def derive(cls, secret_key: str) -> Keys:
        """Derive every key from `SECRET_KEY`."""
        names = ("contacts", "codes", "limits", "sealing", "console", "push")
        return cls(*(_derived(secret_key, name.encode()) for name in names))

    @property
    def fingerprint(self) -> str:
        """What tells this key from others, and not what it is: 32 hexadecimal digits."""
        return self.subject("the key of this installation")

    def contact_key(self, who: Identity) -> bytes:
        """The blind form of a number or address: equal for equal ones, unreadable without the key."""
        inner, outer = self._contact_states
        inner, outer = inner.copy(), outer.copy()
        inner.update(who.match.encode())
        outer.update(inner.digest())
        return outer.digest()[:CONTACT_KEY_BYTES]

    @cached_property
    def _contact_states(self) -> tuple[hashlib._Hash, hashlib._Hash]:
        """HMAC-SHA-256 (RFC 2104) under the key of contacts, before the message.

        A phone book takes thousands, and `hmac.digest` sets the key up for each: 7 µs in the place of 1.
        """
        key = self.contacts.ljust(hashlib.sha256().block_size, b"\0")
        inner, outer = (bytes(byte ^ pad for byte in key) for pad in (0x36, 0x5C))
        return hashlib.sha256(inner), hashlib.sha256(outer)

    def code_hash(self, contact_key: bytes, code: str) -> bytes:
        """What is stored of a one-time code; bound to the number that it was sent to."""
        return hmac.digest(self.codes, contact_key + code.encode(), "sha256")

    def push_token_key(self, token: str) -> bytes:
        """What is remembered of a push token that went."""
        return hmac.digest(self.push, token.encode("utf-8", "surrogatepass"), "sha256")[:CONTACT_KEY_BYTES]

    def subject(self, *parts: str | bytes) -> str:
        """Whom a limit counts, without saying who that is: 32 hexadecimal digits."""
        text = b"\0".join(part if isinstance(part, bytes) else part.encode() for part in parts)
        return hmac.digest(self.limits, text, "sha256")[:16].hex()

    def for_console(self, purpose: str, value: bytes) -> bytes:
        """What stands for a random value of the console: a session in the database, a form on its page."""
        return hmac.digest(self.console, purpose.encode() + b"\0" + value, "sha256")

    def seal(self, text: bytes, about: bytes) -> bytes:
        """`text` so that only this installation can read it, and only together with `about`."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + AESGCM(self.sealing).encrypt(nonce, text, about)

    def unseal(self, sealed: bytes, about: bytes) -> bytes:
        """What `seal` was given.

        Raises:
            ValueError: it was sealed with another key, about something else, or was changed.
        """
        try:
            return AESGCM(self.sealing).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about)
        except InvalidTag:
            raise ValueError("sealed by somebody else") from None


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


def matching_nothing() -> bytes:
    """In the place of a code's hash: no code has it."""
    return secrets.token_bytes(hashlib.sha256().digest_size)


def new_secret_key() -> str:
    """A fresh `SECRET_KEY`: 256 random bits in hexadecimal."""
    return secrets.token_hex(32)

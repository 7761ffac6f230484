"""Keyed hashes and random values: what is stored instead of codes, tokens and phone books.

Every purpose has a key of its own, derived from the installation's `SECRET_KEY`, so that a value made
for one purpose says nothing in another.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from messenger_api.domain.identity import Identity

# 128 bits: a collision among a billion numbers has odds of one in 10^20.
CONTACT_KEY_BYTES = 16
# What AES-GCM asks for (NIST SP 800-38D, 8.2).
NONCE_BYTES = 12


class KeyedHash:
    """HMAC-SHA-256 (RFC 2104) under one key.

    A phone book takes thousands, a call several, and `hmac.digest` sets the key up anew for each: two to ten
    times the processor time.
    """

    def __init__(self, key: bytes) -> None:
        """`key`: of any length."""
        size = hashlib.sha256().block_size
        padded = (hashlib.sha256(key).digest() if len(key) > size else key).ljust(size, b"\0")
        self._inner, self._outer = (
            hashlib.sha256(bytes(byte ^ pad for byte in padded)) for pad in (0x36, 0x5C)
        )

    def digest(self, message: bytes) -> bytes:
        """The hash of a message, 32 bytes: HMAC (RFC 2104) with SHA-256 under this key."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()


@dataclass(frozen=True)
class Keys:
    """The derived keys of one installation."""

    contacts: KeyedHash
    codes: KeyedHash
    limits: KeyedHash
    console: KeyedHash
    push: KeyedHash
    sealing: bytes = field(repr=False)

    @classmethod
    def derive(cls, secret_key: str) -> Keys:
        """Derive every key from `SECRET_KEY`."""
        root = KeyedHash(secret_key.encode())

        def key(purpose: str) -> bytes:
            return root.digest(f"messenger-api/{purpose}".encode())

        purposes = ("contacts", "codes", "limits", "console", "push")
        contacts, codes, limits, console, push = (KeyedHash(key(purpose)) for purpose in purposes)
        return cls(contacts, codes, limits, console, push, key("sealing"))

    @property
    def fingerprint(self) -> str:
        """What tells this key from others, and not what it is: 32 hexadecimal digits."""
        return self.subject("the key of this installation")

    def contact_key(self, who: Identity) -> bytes:
        """The blind form of a number or address: equal for equal ones, unreadable without the key."""
        return self.contacts.digest(who.match.encode())[:CONTACT_KEY_BYTES]

    def code_hash(self, contact_key: bytes, code: str) -> bytes:
        """What is stored of a one-time code; bound to the number that it was sent to."""
        return self.codes.digest(contact_key + code.encode())

    def push_token_key(self, token: str) -> bytes:
        """What is remembered of a push token that went."""
        return self.push.digest(token.encode("utf-8", "surrogatepass"))[:CONTACT_KEY_BYTES]

    def subject(self, *parts: str | bytes) -> str:
        """Whom a limit counts, without saying who that is: 32 hexadecimal digits."""
        text = b"\0".join(part if isinstance(part, bytes) else part.encode() for part in parts)
        return self.limits.digest(text)[:16].hex()

    def for_console(self, purpose: str, value: bytes) -> bytes:
        """What stands for a random value of the console: a session in the database, a form on its page."""
        return self.console.digest(purpose.encode() + b"\0" + value)

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

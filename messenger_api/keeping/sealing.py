"""The SECRET_KEY under a passphrase: scrypt (RFC 7914) makes the key of AES-256-GCM of it."""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from messenger_api.domain.secrets import NONCE_BYTES
from messenger_api.keeping.manifest import KeepingError

SHORTEST_PASSPHRASE = 12

_HEAD = b"messenger-api secret_key 1\n"
_SALT_BYTES = 16
# 128 MB and some tenths of a second for each guess: what OWASP's cheat sheet on storing passwords asks for.
_COST = 2**17


def sealed(key: str, passphrase: str) -> bytes:
    """The key, readable with the passphrase alone."""
    salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(NONCE_BYTES)
    return _HEAD + salt + nonce + _cipher(salt, passphrase).encrypt(nonce, key.encode(), _HEAD)


def unsealed(data: bytes, passphrase: str) -> str:
    """What `sealed` was given. Raises KeepingError: by another passphrase, or changed."""
    salt = data[len(_HEAD) :][:_SALT_BYTES]
    nonce, text = (
        data[len(_HEAD) + _SALT_BYTES :][:NONCE_BYTES],
        data[len(_HEAD) + _SALT_BYTES + NONCE_BYTES :],
    )
    try:
        return _cipher(salt, passphrase).decrypt(nonce, text, data[: len(_HEAD)]).decode()
    except (InvalidTag, ValueError):
        raise KeepingError("The passphrase is not the one that the key was sealed with") from None


def _cipher(salt: bytes, passphrase: str) -> AESGCM:
    return AESGCM(Scrypt(salt=salt, length=32, n=_COST, r=8, p=1).derive(passphrase.encode()))

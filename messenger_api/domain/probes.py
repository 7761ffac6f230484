"""A question of the doctor to a running server; the installation's key proves that it may be asked."""

from __future__ import annotations

import hmac

# The doctor and the server may run on two machines, whose clocks differ.
FRESH_SECONDS = 300


def probe(secret_key: str, now: int) -> str:
    """What the doctor sends: the unix second, and an HMAC of it."""
    return f"{now}.{_mac(secret_key, now)}"


def is_probe(text: str, secret_key: str, now: int) -> bool:
    """Whether somebody who has `SECRET_KEY` made this lately."""
    second = text.partition(".")[0]
    # Eleven digits reach beyond the year 5000; the length bounds what int() has to read.
    if not (second.isascii() and second.isdigit() and len(second) <= 11):
        return False
    made = int(second)
    genuine = hmac.compare_digest(text.encode("utf-8", "replace"), probe(secret_key, made).encode())
    return genuine and abs(now - made) <= FRESH_SECONDS


def _mac(secret_key: str, now: int) -> str:
    return hmac.digest(secret_key.encode(), b"messenger-api/probe/%d" % now, "sha256").hex()

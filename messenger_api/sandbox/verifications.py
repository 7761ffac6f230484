"""Verifications of Twilio Verify: a code each, good for ten minutes, five checks and one approval."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

from messenger_api.sandbox.store import SandboxStore

# https://www.twilio.com/docs/verify/api/rate-limits-and-timeouts
LIFETIME = 600
MOST_SENDS = 5
MOST_CHECKS = 5
DIGITS = 6


class TooManyTries(Exception):
    """The code was sent, or checked, as often as it may be."""


class NoVerification(Exception):
    """There is no such verification, or not any more."""


@dataclass(frozen=True)
class Verification:
    """A verification that waits for its code. `to` has a plus, times are Unix seconds."""

    sid: str
    to: str
    channel: str
    code: str
    sends: int
    checks: int
    created: int


def now() -> float:
    """The time; tests move it."""
    return time.time()


def start(store: SandboxStore, to: str, channel: str) -> Verification:
    """Begin a verification, or go on with the one that waits for this number, with the same code.

    Raises:
        TooManyTries: it was sent five times already.
    """
    with store.writing() as db:
        second = int(now())
        db.execute("DELETE FROM verifications WHERE created <= ?", (second - LIFETIME,))
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
        db.execute(
            "INSERT INTO verifications VALUES (?, ?, ?, ?, 0, 0, ?) ON CONFLICT (recipient) DO NOTHING",
            ("VE" + secrets.token_hex(16), to, channel, code, second),
        )
        row = db.execute(
            "UPDATE verifications SET sends = sends + 1, channel = ? WHERE recipient = ? AND sends < ?"
            " RETURNING *",
            (channel, to, MOST_SENDS),
        ).fetchall()
    if not row:
        raise TooManyTries
    return Verification(*row[0])


def check(store: SandboxStore, sid: str, to: str, code: str) -> tuple[Verification, bool]:
    """The verification of this id or number, and whether this is its code; a right one ends it.

    Raises:
        TooManyTries: it was checked five times already.
        NoVerification: none waits: it is unknown, expired or was approved.
    """
    with store.writing() as db:
        where = ("(sid = ? OR recipient = ?) AND created > ?", (sid, to, int(now()) - LIFETIME))
        found = db.execute(f"SELECT * FROM verifications WHERE {where[0]}", where[1]).fetchone()  # noqa: S608
        verification = Verification(*found) if found else None
        right = verification is not None and secrets.compare_digest(verification.code, code)
        spent = verification is not None and verification.checks >= MOST_CHECKS
        if verification and not spent:
            end = "DELETE FROM verifications" if right else "UPDATE verifications SET checks = checks + 1"
            db.execute(f"{end} WHERE sid = ?", (verification.sid,))
    if verification is None:
        raise NoVerification
    if spent:
        raise TooManyTries
    return verification, right

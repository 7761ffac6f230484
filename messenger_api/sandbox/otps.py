"""mesibo's one-time passwords: the last one of each address, good for so many tries and seconds."""

from __future__ import annotations

import secrets
import time

from messenger_api.sandbox.store import SandboxStore

DIGITS = 6
# What mesibo's demo sends; its own defaults are not documented.
TRIES, SECONDS = 5, 300


def now() -> float:
    """The time; tests move it."""
    return time.time()


def make(
    store: SandboxStore, address: str, *, tries: int = TRIES, expiry: int = SECONDS, reuse: bool = False
) -> str:
    """A password for an address, in the place of an earlier one; `expiry` in seconds."""
    code = f"{1 + secrets.randbelow(10**DIGITS - 1):0{DIGITS}d}"
    values = (address, code, tries, reuse, int(now()) + expiry)
    with store.writing() as db:
        db.execute("INSERT OR REPLACE INTO otps VALUES (?, ?, ?, ?, ?)", values)
    return code


def check(store: SandboxStore, address: str, code: str) -> bool:
    """Whether this is the address's password; a right one is used up unless it may be used again."""
    with store.writing() as db:
        db.execute("DELETE FROM otps WHERE ends <= ? OR tries <= 0", (int(now()),))
        row = db.execute("SELECT * FROM otps WHERE address = ?", (address,)).fetchone()
        right = row is not None and secrets.compare_digest(str(row["code"]).encode(), code.encode())
        if not right:
            db.execute("UPDATE otps SET tries = tries - 1 WHERE address = ?", (address,))
        elif not row["reuse"]:
            db.execute("DELETE FROM otps WHERE address = ?", (address,))
    return right

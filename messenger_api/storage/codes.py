"""One-time codes. Every decision about a code is one conditional UPDATE, so that parallel requests cannot
use a code twice or guess more often than allowed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from messenger_api.storage.models import OneTimeCode


@dataclass(frozen=True)
class Code:
    """The live code of a number."""

    code_hash: bytes
    name: str
    attempts: int
    used: bool
    sent_at: int
    expires_at: int


_CODE = select(
    OneTimeCode.code_hash,
    OneTimeCode.name,
    OneTimeCode.attempts,
    OneTimeCode.used_at,
    OneTimeCode.sent_at,
    OneTimeCode.expires_at,
).where(OneTimeCode.contact_key == bindparam("key"))


def find(connection: Connection, key: bytes) -> Code | None:
    """The code last made for a number, dead or alive."""
    row = connection.execute(_CODE, {"key": key}).one_or_none()
    return None if row is None else Code(row[0], row[1], row[2], bool(row[3]), row[4], row[5])


def put(
    connection: Connection, now: int, key: bytes, *, code_hash: bytes, name: str, ttl: int, gap: int
) -> bool:
    """Make this the number's live code unless one was sent less than `gap` seconds ago and is unused.

    Returns whether it was made. Of several requests at once, one makes it.
    """
    values = {
        "code_hash": code_hash,
        "name": name,
        "attempts": 0,
        "used_at": 0,
        "sent_at": now,
        "expires_at": now + ttl,
    }
    replaceable = (OneTimeCode.sent_at <= now - gap) | (OneTimeCode.used_at > 0)
    changed = connection.execute(
        update(OneTimeCode).where(OneTimeCode.contact_key == key, replaceable).values(values)
    )
    if changed.rowcount:
        return True
    if find(connection, key) is not None:
        return False
    try:
        connection.execute(insert(OneTimeCode).values(contact_key=key, **values))
    except IntegrityError:
        return False
    return True


def claim_attempt(connection: Connection, now: int, key: bytes, *, most: int) -> bool:
    """Take one of the code's attempts. False when it is used, expired, or has none left."""
    taken = connection.execute(
        update(OneTimeCode)
        .where(
            OneTimeCode.contact_key == key,
            OneTimeCode.used_at == 0,
            OneTimeCode.attempts < most,
            OneTimeCode.expires_at > now,
        )
        .values(attempts=OneTimeCode.attempts + 1)
    )
    return taken.rowcount == 1


def use(connection: Connection, key: bytes, code_hash: bytes) -> bool:
    """Mark the code as used. Of several requests at once, one succeeds."""
    used = connection.execute(
        update(OneTimeCode)
        .where(OneTimeCode.contact_key == key, OneTimeCode.used_at == 0, OneTimeCode.code_hash == code_hash)
        .values(used_at=OneTimeCode.expires_at)
    )
    return used.rowcount == 1


def give_back(connection: Connection, key: bytes, code_hash: bytes) -> None:
    """Undo `claim_attempt` and `use`: the code was right but the login could not be finished."""
    connection.execute(
        update(OneTimeCode)
        .where(OneTimeCode.contact_key == key, OneTimeCode.code_hash == code_hash)
        .values(used_at=0, attempts=OneTimeCode.attempts - 1)
    )


def forget(connection: Connection, key: bytes, code_hash: bytes) -> None:
    """Remove a code that could not be sent."""
    connection.execute(
        delete(OneTimeCode).where(OneTimeCode.contact_key == key, OneTimeCode.code_hash == code_hash)
    )


def purge(connection: Connection, before: int) -> int:
    """Remove codes that expired before this second."""
    return connection.execute(delete(OneTimeCode).where(OneTimeCode.expires_at < before)).rowcount

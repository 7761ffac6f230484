"""Passwords, as hashes."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from messenger_api.storage.models import Password

_HASH = select(Password.hash).where(Password.address == bindparam("address"))


def find(connection: Connection, address: str) -> str | None:
    """The hash of this person's password."""
    found: str | None = connection.execute(_HASH, {"address": address}).scalar_one_or_none()
    return found


def put(connection: Connection, now: int, address: str, hashed: str) -> None:
    """Set this person's password."""
    values = {"hash": hashed, "changed_at": now}
    changed = connection.execute(update(Password).where(Password.address == address).values(values))
    if not changed.rowcount:
        connection.execute(insert(Password).values(address=address, **values))


def rehash(connection: Connection, address: str, old: str, new: str) -> None:
    """Put a new hash of the same password in the place of the old one, unless it was changed meanwhile."""
    same = (Password.address == address, Password.hash == old)
    connection.execute(update(Password).where(*same).values(hash=new))


def remove(connection: Connection, address: str) -> bool:
    """Remove this person's password. Whether there was one."""
    return connection.execute(delete(Password).where(Password.address == address)).rowcount > 0

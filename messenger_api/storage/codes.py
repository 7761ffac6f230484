"""One-time codes: one row an address, locked by whoever decides about it, so that parallel requests
cannot use a code twice or guess more often than allowed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, func, insert, literal_column, select, update

from messenger_api.storage.models import OneTimeCode
from messenger_api.storage.packed import packed, unpack
from messenger_api.storage.statements import execute, text


@dataclass(frozen=True)
class Code:
    """The code last made for an address, dead or alive; see `models.OneTimeCode`."""

    code_hash: bytes
    name: str
    sends: int
    providers: str
    verification: str
    attempts: int
    wait_until: int
    used_at: int
    reply_to: bytes | None
    reply: bytes | None
    sent_at: int
    expires_at: int


# A code without a reply has neither of the two.
_REPLY_TO, _REPLY = (
    func.coalesce(func.hex(column), literal_column("''"))
    for column in (OneTimeCode.reply_to, OneTimeCode.reply)
)
_CODE = packed(
    OneTimeCode.code_hash,
    OneTimeCode.name,
    OneTimeCode.sends,
    OneTimeCode.providers,
    OneTimeCode.verification,
    OneTimeCode.attempts,
    OneTimeCode.wait_until,
    OneTimeCode.used_at,
    _REPLY_TO,
    _REPLY,
    OneTimeCode.sent_at,
    OneTimeCode.expires_at,
)
_LOCKED = select(_CODE).where(OneTimeCode.contact_key == bindparam("key")).with_for_update()
# What they write stands in their values: one written form is kept for each set of columns.
_ADD = insert(OneTimeCode)
_CHANGE = update(OneTimeCode).where(OneTimeCode.contact_key == bindparam("key"))
_CHANGE_SAME = _CHANGE.where(OneTimeCode.code_hash == bindparam("same"))


def lock(connection: Connection, key: bytes) -> Code | None:
    """The code of an address, which nobody else changes before this transaction ends."""
    found = text(connection, _LOCKED, {"key": key})
    if found is None:
        return None
    code_hash, name, sends, providers, verification, *numbers, reply_to, reply, sent_at, expires_at = unpack(
        found
    )
    attempts, wait_until, used_at = map(int, numbers)
    return Code(
        bytes.fromhex(code_hash),
        name,
        int(sends),
        providers,
        verification,
        attempts,
        wait_until,
        used_at,
        bytes.fromhex(reply_to) or None,
        bytes.fromhex(reply) or None,
        int(sent_at),
        int(expires_at),
    )


def put(connection: Connection, key: bytes, before: Code | None, **columns: object) -> None:
    """Make a new code the live one in the place of `before`; what is not named starts anew.

    Raises:
        IntegrityError: somebody else made the address's first code at the same moment.
    """
    if before is None:
        execute(connection, _ADD, {"contact_key": key, **columns})
        return
    fresh: dict[str, object] = {
        "providers": "",
        "verification": "",
        "attempts": 0,
        "wait_until": 0,
        "used_at": 0,
        "reply_to": None,
        "reply": None,
    }
    change(connection, key, **{**fresh, **columns})


def change(connection: Connection, key: bytes, **columns: object) -> None:
    """Change the code of an address, which this transaction has locked."""
    execute(connection, _CHANGE, {"key": key, **columns})


def change_same(connection: Connection, key: bytes, code_hash: bytes, **columns: object) -> bool:
    """Change a code unless another has taken its place; returns whether it is still there."""
    return execute(connection, _CHANGE_SAME, {"key": key, "same": code_hash, **columns}).changed == 1


def forget(connection: Connection, key: bytes) -> None:
    """Remove the code of an address."""
    connection.execute(delete(OneTimeCode).where(OneTimeCode.contact_key == key))


def purge(connection: Connection, before: int) -> int:
    """Remove codes that expired before this second."""
    return connection.execute(delete(OneTimeCode).where(OneTimeCode.expires_at < before)).rowcount

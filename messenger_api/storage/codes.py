"""One-time codes: one row an address, locked by whoever decides about it, so that parallel requests
cannot use a code twice or guess more often than allowed.

The row is about the code last made, and names those before it that have not run out either (`earlier`). They
stand after the hash of the one that they precede: a version that does not know the column makes them void by
replacing that one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, func, insert, literal_column, select, update

from messenger_api.storage.models import OneTimeCode
from messenger_api.storage.packed import packed, unpack
from messenger_api.storage.statements import execute, text

# So many codes of an address are good at a time, the one last made among them.
MOST_LIVE = 3


@dataclass(frozen=True)
class Made:
    """A code, and the second until which it is good."""

    code_hash: bytes
    expires_at: int


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
    earlier: tuple[Made, ...]

    def live(self, now: int) -> list[Made]:
        """The codes that we made and that may be entered; what a provider made, it judges itself."""
        last = [] if self.verification else [Made(self.code_hash, self.expires_at)]
        return [made for made in (*last, *self.earlier) if made.expires_at > now and not self.used_at]


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
    OneTimeCode.earlier,
)
_SEEN = select(_CODE).where(OneTimeCode.contact_key == bindparam("key"))
_LOCKED = _SEEN.with_for_update()
# What they write stands in their values: one written form is kept for each set of columns.
_ADD = insert(OneTimeCode)
_CHANGE = update(OneTimeCode).where(OneTimeCode.contact_key == bindparam("key"))
_CHANGE_SAME = _CHANGE.where(OneTimeCode.code_hash == bindparam("same"))


def lock(connection: Connection, key: bytes) -> Code | None:
    """The code of an address, which nobody else changes before this transaction ends."""
    return _read(text(connection, _LOCKED, {"key": key}))


def look(connection: Connection, key: bytes) -> Code | None:
    """The code of an address as it is at this moment."""
    return _read(text(connection, _SEEN, {"key": key}))


def _read(found: str | None) -> Code | None:
    if found is None:
        return None
    (
        code_hash,
        name,
        sends,
        providers,
        verification,
        *numbers,
        reply_to,
        reply,
        sent_at,
        expires_at,
        earlier,
    ) = unpack(found)
    attempts, wait_until, used_at = map(int, numbers)
    last = bytes.fromhex(code_hash)
    return Code(
        last,
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
        _read_earlier(earlier, last),
    )


def _read_earlier(written: str, last: bytes) -> tuple[Made, ...]:
    after, *entries = written.split(" ")
    if after != last.hex():
        return ()
    pairs = (entry.split(":") for entry in entries)
    return tuple(Made(bytes.fromhex(code_hash), int(expires_at)) for code_hash, expires_at in pairs)


def _write_earlier(earlier: Sequence[Made], last: bytes) -> str:
    entries = [f"{made.code_hash.hex()}:{made.expires_at}" for made in earlier]
    return " ".join([last.hex(), *entries]) if entries else ""


def put(
    connection: Connection,
    key: bytes,
    before: Code | None,
    *,
    code_hash: bytes,
    earlier: Sequence[Made] = (),
    **columns: object,
) -> None:
    """Make a new code the last one in the place of `before`; what is not named starts anew.

    Raises:
        IntegrityError: somebody else made the address's first code at the same moment.
    """
    if before is None:
        execute(connection, _ADD, {"contact_key": key, "code_hash": code_hash, **columns})
        return
    fresh: dict[str, object] = {
        "providers": "",
        "verification": "",
        "attempts": 0,
        "wait_until": 0,
        "used_at": 0,
        "reply_to": None,
        "reply": None,
        "earlier": _write_earlier(earlier, code_hash),
    }
    change(connection, key, **{**fresh, "code_hash": code_hash, **columns})


def put_theirs(connection: Connection, key: bytes, ours: Code, last: bytes, **columns: object) -> None:
    """A provider has made a code of its own beside ours, which is from now on one before the last."""
    earlier = [Made(ours.code_hash, ours.expires_at), *ours.earlier][: MOST_LIVE - 1]
    change(connection, key, code_hash=last, earlier=_write_earlier(earlier, last), **columns)


def put_back(connection: Connection, key: bytes, before: Code, **columns: object) -> None:
    """Let an address have the code again that it had before; what is named is otherwise."""
    earlier = _write_earlier(before.earlier, before.code_hash)
    change(connection, key, **{**vars(before), "earlier": earlier, **columns})


def use(connection: Connection, now: int, key: bytes, code: Code, used: Made, reply_to: bytes) -> None:
    """Note that one of the live codes was entered: it stands in the row then, and the others are dead."""
    columns: dict[str, object] = {}
    if used.code_hash != code.code_hash:
        others = [made for made in code.live(now) if made != used]
        columns = {
            "code_hash": used.code_hash,
            "expires_at": used.expires_at,
            "verification": "",
            "earlier": _write_earlier(others, used.code_hash),
        }
    change(connection, key, **columns, used_at=now, reply_to=reply_to, reply=None)


def change(connection: Connection, key: bytes, **columns: object) -> None:
    """Change the code of an address, which this transaction has locked."""
    execute(connection, _CHANGE, {"key": key, **columns})


def change_same(connection: Connection, key: bytes, same: bytes, **columns: object) -> bool:
    """Change the code that has the hash `same`, if it is still there; returns whether it is."""
    return execute(connection, _CHANGE_SAME, {"key": key, "same": same, **columns}).changed == 1


def forget(connection: Connection, key: bytes) -> None:
    """Remove the code of an address."""
    connection.execute(delete(OneTimeCode).where(OneTimeCode.contact_key == key))


def purge(connection: Connection, before: int) -> int:
    """Remove codes that expired before this second."""
    return connection.execute(delete(OneTimeCode).where(OneTimeCode.expires_at < before)).rowcount

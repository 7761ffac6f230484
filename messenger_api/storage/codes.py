"""One-time codes: one row an address, locked by whoever decides about it, so that parallel requests
cannot use a code twice or guess more often than allowed.

The row is about the code last made, and names those before it that have not run out either (`earlier`). They
stand after the hash of the one that they precede: a version that does not know the column makes them void by
replacing that one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypedDict, Unpack

from msgspec import Struct
from msgspec.structs import asdict, replace
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from messenger_api.storage.models import OneTimeCode
from messenger_api.storage.packed import PackedRow
from messenger_api.storage.statements import execute

# So many codes of an address are good at a time, the one last made among them.
MOST_LIVE = 3


@dataclass(frozen=True)
class Made:
    """A code, and the second until which it is good."""

    code_hash: bytes
    expires_at: int


class Code(Struct, frozen=True, array_like=True):
    """The code last made for an address, dead or alive; see `models.OneTimeCode`."""

    code_hash: Annotated[bytes, OneTimeCode.code_hash]
    name: Annotated[str, OneTimeCode.name]
    sends: Annotated[int, OneTimeCode.sends]
    providers: Annotated[str, OneTimeCode.providers]
    verification: Annotated[str, OneTimeCode.verification]
    attempts: Annotated[int, OneTimeCode.attempts]
    wait_until: Annotated[int, OneTimeCode.wait_until]
    used_at: Annotated[int, OneTimeCode.used_at]
    reply_to: Annotated[bytes | None, OneTimeCode.reply_to]
    reply: Annotated[bytes | None, OneTimeCode.reply]
    sent_at: Annotated[int, OneTimeCode.sent_at]
    expires_at: Annotated[int, OneTimeCode.expires_at]
    earlier: Annotated[str, OneTimeCode.earlier]

    def live(self, now: int) -> list[Made]:
        """The codes that we made and that may be entered; what a provider made, it judges itself."""
        return [made for made in self.enterable(now) if not self.verification or made != self.last]

    def enterable(self, now: int) -> list[Made]:
        """The codes that may be entered, whoever made the last one."""
        every = [self.last, *self.before()]
        return [made for made in every if made.expires_at > now and not self.used_at]

    @property
    def last(self) -> Made:
        """The code last made."""
        return Made(self.code_hash, self.expires_at)

    def before(self) -> list[Made]:
        """The codes that `earlier` names, those that have run out among them."""
        after, *entries = self.earlier.split(" ")
        if after != self.code_hash.hex():
            return []
        pairs = (entry.split(":") for entry in entries)
        return [Made(bytes.fromhex(code_hash), int(expires_at)) for code_hash, expires_at in pairs]


class Changes(TypedDict, total=False):
    """What changes of a code between its making and its end."""

    code_hash: bytes
    providers: str
    verification: str
    attempts: int
    wait_until: int
    used_at: int
    reply_to: bytes | None
    reply: bytes | None
    expires_at: int
    earlier: str


CODE = PackedRow(Code)

_SEEN = select(CODE.column).where(OneTimeCode.contact_key == bindparam("key"))
_LOCKED = _SEEN.with_for_update()
# What they write stands in their values: one written form is kept for each set of columns.
_ADD = insert(OneTimeCode)
_CHANGE = update(OneTimeCode).where(OneTimeCode.contact_key == bindparam("key"))
_CHANGE_SAME = _CHANGE.where(OneTimeCode.code_hash == bindparam("same"))


def lock(connection: Connection, key: bytes) -> Code | None:
    """The code of an address, which nobody else changes before this transaction ends."""
    return CODE.first(connection, _LOCKED, {"key": key})


def look(connection: Connection, key: bytes) -> Code | None:
    """The code of an address as it is at this moment."""
    return CODE.first(connection, _SEEN, {"key": key})


def _write_earlier(earlier: Sequence[Made], last: bytes) -> str:
    entries = [f"{made.code_hash.hex()}:{made.expires_at}" for made in earlier]
    return " ".join([last.hex(), *entries]) if entries else ""


def put(
    connection: Connection,
    key: bytes,
    before: Code | None,
    *,
    code_hash: bytes,
    name: str,
    sends: int,
    sent_at: int,
    expires_at: int,
    providers: str = "",
    verification: str = "",
    earlier: Sequence[Made] = (),
) -> None:
    """Make a new code the last one in the place of `before`; what is not named starts anew.

    Raises:
        IntegrityError: somebody else made the address's first code at the same moment.
    """
    made = {
        "code_hash": code_hash,
        "name": name,
        "sends": sends,
        "providers": providers,
        "verification": verification,
        "sent_at": sent_at,
        "expires_at": expires_at,
    }
    if before is None:
        execute(connection, _ADD, {"contact_key": key, **made})
        return
    fresh = {
        "attempts": 0,
        "wait_until": 0,
        "used_at": 0,
        "reply_to": None,
        "reply": None,
        "earlier": _write_earlier(earlier, code_hash),
    }
    execute(connection, _CHANGE, {"key": key, **made, **fresh})


def put_theirs(
    connection: Connection, key: bytes, ours: Code, last: bytes, *, providers: str, verification: str
) -> None:
    """A provider has made a code of its own beside ours, which is from now on one before the last."""
    earlier = _write_earlier([Made(ours.code_hash, ours.expires_at), *ours.before()][: MOST_LIVE - 1], last)
    change(connection, key, code_hash=last, earlier=earlier, providers=providers, verification=verification)


def put_back(connection: Connection, key: bytes, before: Code, *, attempts: int, wait_until: int) -> None:
    """Let an address have the code again that it had before, with these wrong tries at it."""
    again = replace(before, attempts=attempts, wait_until=wait_until)
    execute(connection, _CHANGE, {"key": key, **asdict(again)})


def use(connection: Connection, now: int, key: bytes, code: Code, used: Made, reply_to: bytes) -> None:
    """Note that one of the live codes was entered: it stands in the row then, and the others are dead."""
    columns: Changes = {}
    if used.code_hash != code.code_hash:
        others = [made for made in code.live(now) if made != used]
        columns = {
            "code_hash": used.code_hash,
            "expires_at": used.expires_at,
            "verification": "",
            "earlier": _write_earlier(others, used.code_hash),
        }
    columns |= {"used_at": now, "reply_to": reply_to, "reply": None}
    change(connection, key, **columns)


def change(connection: Connection, key: bytes, **columns: Unpack[Changes]) -> None:
    """Change the code of an address, which this transaction has locked."""
    execute(connection, _CHANGE, {"key": key, **columns})


def change_same(connection: Connection, key: bytes, same: bytes, **columns: Unpack[Changes]) -> bool:
    """Change the code that has the hash `same`, if it is still there; returns whether it is."""
    return execute(connection, _CHANGE_SAME, {"key": key, "same": same, **columns}).changed == 1


def forget(connection: Connection, key: bytes) -> None:
    """Remove the code of an address."""
    connection.execute(delete(OneTimeCode).where(OneTimeCode.contact_key == key))


def forget_all(connection: Connection) -> None:
    """Remove the codes of all addresses."""
    connection.execute(delete(OneTimeCode))


def purge(connection: Connection, before: int) -> int:
    """Remove codes that expired before this second."""
    return connection.execute(delete(OneTimeCode).where(OneTimeCode.expires_at < before)).rowcount

"""What became of push tokens that are gone, for a while: of each a keyed hash, never itself.

Who takes a token away notes it in the same transaction. The commonest way, a phone that hands over another
one, needs none: the statement that stores the new one writes a line about the former into the row
(`PushToken.replaced`). Lines go into the table with what takes the row away, or within the hour.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

from msgspec import Struct, structs
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    String,
    bindparam,
    delete,
    desc,
    func,
    insert,
    literal_column,
    select,
    type_coerce,
    update,
)

from messenger_api.domain.times import DAY_SECONDS
from messenger_api.storage.inserts import insert_rows
from messenger_api.storage.models import GonePushToken, PushToken, Session
from messenger_api.storage.packed import columns

# Of an account so many a day that its phones replace; one that hands over tokens without end fills no table.
MOST_A_DAY = 20
# Of an account so many are told, the newest.
MOST_TOLD = 100
AT_ONCE = 100


class Why(StrEnum):
    """Why a push token went."""

    REPLACED = "replaced"
    """The phone handed over another one."""
    REMOVED = "removed"
    """The phone took it back."""
    MOVED = "moved"
    """Another session of the same account brought it."""
    OTHER_ACCOUNT = "other_account"
    """Another account brought it: somebody else logged in on this phone."""
    LOGGED_OUT = "logged_out"
    SUPERSEDED = "superseded"
    """A login took the place of its session."""
    REVOKED = "revoked"
    """The owner or the operator ended its session."""
    IDLE = "idle"
    """No app used its session for SESSION_IDLE_DAYS."""
    BLOCKED = "blocked"
    """The operator keeps the account out."""
    NUMBER_CHANGED = "number_changed"
    """The account moved to another number; the phone that did it keeps its token."""
    CLOSED = "closed"
    """The account is being deleted, and this with it."""


class Gone(Struct, frozen=True):
    """A push token that went. `token_key`: its keyed hash, None for one of an older version of this program.

    `registered_at`: when the phone last handed it over.
    """

    token_key: Annotated[bytes | None, GonePushToken.token_key]
    device_type: Annotated[int, GonePushToken.device_type]
    production: Annotated[int, GonePushToken.production]
    fcm: Annotated[int, GonePushToken.fcm]
    registered_at: Annotated[int, GonePushToken.registered_at]
    gone_at: Annotated[int, GonePushToken.gone_at]
    why: Annotated[str, GonePushToken.why]


class _Held(NamedTuple):
    """A push token that a session has. `noted`: how many of its account are noted within a day."""

    sid: int
    uid: int
    noted: int
    lines: str
    token_key: bytes | None
    device_type: int
    production: int
    fcm: int
    changed_at: int


_NO_KEY = "-"
_TOKEN = (
    *(PushToken.token_key, PushToken.device_type, PushToken.production, PushToken.fcm),
    PushToken.changed_at,
)
_NOTED = (
    select(func.count())
    .where(GonePushToken.uid == Session.uid, GonePushToken.gone_at > bindparam("since"))
    .scalar_subquery()
)
_HELD = (
    select(PushToken.sid, Session.uid, _NOTED, PushToken.replaced, *_TOKEN)
    .join(Session, Session.sid == PushToken.sid)
    .with_for_update()
)
_HAS_LINES = PushToken.replaced > ""
_ADD = insert(GonePushToken)

_NOTHING = literal_column("''", String)
_OF_USER = (
    select(*columns(Gone), GonePushToken.id, _NOTHING.label("lines"))
    .where(GonePushToken.uid == bindparam("uid"))
    .union_all(
        # No line of a row is younger than its `changed_at`.
        select(*_TOKEN, PushToken.changed_at, _NOTHING, PushToken.sid, PushToken.replaced)
        .join(Session, Session.sid == PushToken.sid)
        .where(Session.uid == bindparam("uid"), _HAS_LINES)
    )
    .order_by(desc("gone_at"), desc("id"))
    .limit(MOST_TOLD)
)

# SQLite makes '' of hex(NULL).
_KEY = func.nullif(func.hex(PushToken.token_key), _NOTHING)
LINE: ColumnElement[str] = func.coalesce(_KEY, literal_column(f"'{_NO_KEY}'"))
"""What is noted in `PushToken.replaced` of the row's token when it is replaced at the second `now`."""
for _value in (*_TOKEN[1:], bindparam("now", type_=BigInteger)):
    LINE = LINE + literal_column("' '", String) + type_coerce(_value, String)
LINE = LINE + literal_column("'\n'", String)


def _read(lines: str) -> Iterator[Gone]:
    for line in lines.splitlines():
        key, *numbers = line.split(" ")
        device_type, production, fcm, registered_at, gone_at = map(int, numbers)
        token_key = None if key == _NO_KEY else bytes.fromhex(key)
        yield Gone(token_key, device_type, production, fcm, registered_at, gone_at, str(Why.REPLACED))


def note(connection: Connection, now: int, why: Why, condition: ColumnElement[bool]) -> list[int]:
    """Note the push tokens of the sessions for which this holds, before they go; returns these sessions.

    In the transaction that takes them away. One statement where there are none.
    """
    held = _held(connection, now, _HELD.where(condition))
    gone = []
    for one in held:
        last = Gone(one.token_key, one.device_type, one.production, one.fcm, one.changed_at, now, str(why))
        gone += [(one.uid, each) for each in (*_read(one.lines), last)]
    _add(connection, held, gone)
    return [one.sid for one in held]


def gather(connection: Connection, now: int) -> bool:
    """Move lines about replaced tokens into the table, in a transaction; False: there were none."""
    held = _held(connection, now, _HELD.where(_HAS_LINES).limit(AT_ONCE))
    if held:
        _add(connection, held, [(one.uid, each) for one in held for each in _read(one.lines)])
        of = PushToken.sid.in_([one.sid for one in held])
        connection.execute(update(PushToken).where(of).values(replaced=""))
    return bool(held)


def _held(connection: Connection, now: int, query: Select[*tuple[Any, ...]]) -> list[_Held]:
    return [_Held(*row) for row in connection.execute(query, {"since": now - DAY_SECONDS})]


def _add(connection: Connection, held: Sequence[_Held], gone: Sequence[tuple[int, Gone]]) -> None:
    noted = {one.uid: one.noted for one in held}
    rows = []
    for uid, one in gone:
        if one.why != Why.REPLACED or noted[uid] < MOST_A_DAY:
            rows.append({"uid": uid, **structs.asdict(one)})
            noted[uid] += 1
    for first in range(0, len(rows), AT_ONCE):
        insert_rows(connection, _ADD, rows[first : first + AT_ONCE])


def of_user(connection: Connection, uid: int) -> Sequence[Gone]:
    """What became of a user's push tokens, the last one first."""
    told: list[Gone] = []
    for *one, _id, lines in connection.execute(_OF_USER, {"uid": uid}):
        told += reversed([*_read(lines)]) if lines else [Gone(*one)]
    return sorted(told, key=lambda one: -one.gone_at)[:MOST_TOLD]


def purge(connection: Connection, before: int) -> int:
    """Forget those that went before this second."""
    return connection.execute(delete(GonePushToken).where(GonePushToken.gone_at < before)).rowcount

"""What is measured: one case a row of the tables. Together they cover every op."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import insert, select, update

from benchmarks import dataset as sets
from benchmarks.databases import Database, batches
from benchmarks.dataset import Dataset
from benchmarks.load import Request
from messenger_api.domain.members import Member, Role, Roster
from messenger_api.domain.secrets import token_hash
from messenger_api.ops.examples import APPID, EXAMPLES
from messenger_api.sandbox import SandboxStore
from messenger_api.storage import groups
from messenger_api.storage.groups import GroupState
from messenger_api.storage.models import Contact, OneTimeCode, Session, User

CODE = "123456"
# Numbers whose readings a server process keeps (domain.phone) would be more than it meets in a year; a few
# callers who ask again and again find all of theirs there.
WARM_CALLERS = 16
ROWS_A_STATEMENT = 5_000
OTHERS_CHANGED = 2_000
# Longer than any change takes until all can see it (`storage.db.SETTLE_SECONDS`), and what follows it.
CHANGED_SECONDS_AGO = 60


@dataclass
class World:
    """Where a run takes place. What cases make is numbered through, so that nothing is made twice."""

    database: Database
    sandbox: SandboxStore
    made: int = 0
    edited: list[tuple[int, int]] = field(default_factory=list)

    @property
    def data(self) -> Dataset:
        return self.database.data

    def fresh(self, count: int) -> range:
        """So many numbers that no case got before."""
        first, self.made = self.made, self.made + count
        return range(first, self.made)

    def insert(self, model: Any, rows: Sequence[dict[str, object]]) -> None:
        """Put rows into a table, many a statement."""
        with self.database.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            for some in batches(rows, ROWS_A_STATEMENT):
                connection.execute(insert(model), some)
            connection.exec_driver_sql("COMMIT")


Requests = Callable[[World, int], Sequence[Request]]


@dataclass(frozen=True)
class Case:
    """One row: what it is called, the op behind it, and the requests.

    `once`: a request works once only; about so many are made for each second of the run. Otherwise the same
    ones are sent round and round. `entries`: how many the first answer must have. `replays`: whether the
    statements do the same work when they are sent again. `plain`: whether `benchmarks.plain` answers it.
    `scene`: what happens to the database before, for this case and all after it.
    """

    name: str
    op: str
    requests: Requests
    once: int = 0
    expected: str = '"result":"OK"'
    entries: Callable[[Dataset], int] | None = None
    replays: bool = True
    plain: bool = False
    scene: Callable[[Database], None] | None = None
    aim: float = 0.0
    reach: float = 0.0


def call(op: str, token: str = "", **fields: object) -> Request:
    """A request in JSON, as the current apps send it."""
    members = {"op": op, **({"token": token} if token else {}), **fields}
    return Request(msgspec.json.encode(members))


def by_callers(op: str, **fields: Any) -> Requests:
    """The same call by every caller; a field that can be called is given the data set and the caller."""

    def requests(world: World, _count: int) -> list[Request]:
        return [
            call(op, world.data.token(uid), **{k: _value(v, world.data, uid) for k, v in fields.items()})
            for uid in world.data.callers
        ]

    return requests


def as_shown(op: str) -> Requests:
    """The good call that tests and docs show, by every caller: for ops that name nobody and nothing."""
    return by_callers(op, **EXAMPLES[op].fields)


def _value(value: Any, data: Dataset, uid: int) -> object:
    return value(data, uid) if callable(value) else value


def _now(_data: Dataset, _uid: int) -> int:
    return int(time.time())


def _book(data: Dataset, uid: int) -> list[str]:
    return data.phone_book(uid)


def _first_group(data: Dataset, uid: int) -> int:
    return data.gid(uid, 0)


def _few(requests: Requests) -> Requests:
    """Only the first callers."""
    return lambda world, count: requests(world, count)[:WARM_CALLERS]


def _no_op(_world: World, _count: int) -> list[Request]:
    return [Request(method="GET")]


def _others_changed(database: Database) -> None:
    """Accounts that stand in no caller's phone book changed, and nobody was told anything since."""
    data = database.data
    friends = {friend for uid in data.callers for friend in data.friends(uid)}
    changed = list(islice((uid for uid in data.others if uid not in friends), OTHERS_CHANGED))
    at = int(time.time()) - CHANGED_SECONDS_AGO
    with database.engine.begin() as connection:
        connection.execute(update(User).where(User.uid.in_(changed)).values(changed_at=at))


def _unknown_token(_world: World, _count: int) -> list[Request]:
    return [call("getcontacts", f"{index:064}") for index in range(1000)]


def _new_names(world: World, _count: int) -> list[Request]:
    """Every caller takes a new name with every call of a long run."""
    names = [f"Name {index}" for index in range(20)]
    return [call("profile", world.data.token(uid), name=name) for name in names for uid in world.data.callers]


def _push_tokens(world: World, _count: int) -> list[Request]:
    """Another token each time, as after an app was installed anew."""
    return [_push_token(world, uid, kind) for kind in ("one", "another") for uid in world.data.callers]


def _same_push_tokens(world: World, _count: int) -> list[Request]:
    """The token that the session has, as apps hand it over whenever they start."""
    return [_push_token(world, uid, "same") for uid in world.data.callers]


def _push_token(world: World, uid: int, kind: str) -> Request:
    return call("setnotify", world.data.token(uid), notifytoken=f"{kind}-{uid}-" + "p" * 140, dt=1, fcm=1)


def _ask_for_codes(world: World, _count: int) -> list[Request]:
    """More numbers than a round asks for: a phone does not ask again within the same second."""
    uids = range(world.data.others[0], world.data.others[0] + 5000)
    return [call("login", phone=world.data.number(uid), appid=APPID) for uid in uids]


def _log_in(world: World, count: int) -> list[Request]:
    """Accounts that exist, each with a live code."""
    data, now = world.data, int(time.time())
    uids = [data.others[index % len(data.others)] for index in world.fresh(count)]
    rows = [_live_code(data, data.number(uid), now) for uid in dict.fromkeys(uids)]
    with world.database.engine.begin() as connection:
        keys = [row["contact_key"] for row in rows]
        for some in batches(keys, ROWS_A_STATEMENT):
            connection.execute(OneTimeCode.__table__.delete().where(OneTimeCode.contact_key.in_(some)))  # type: ignore[attr-defined]
    world.insert(OneTimeCode, rows)
    return [
        call("login", phone=data.number(uid), appid=APPID, otp=CODE, device="phone")
        for uid in dict.fromkeys(uids)
    ]


def _live_code(data: Dataset, number: str, now: int) -> dict[str, object]:
    key = data.key(number)
    hashed = data.keys.code_hash(key, CODE)
    return {"contact_key": key, "code_hash": hashed, "sent_at": now, "expires_at": now + 3600}


def _log_out(world: World, count: int) -> list[Request]:
    indexes = world.fresh(count)
    tokens = [f"leaving{index:08}" for index in indexes]
    uids = [world.data.others[index % len(world.data.others)] for index in indexes]
    now = int(time.time())
    rows: list[dict[str, object]] = [
        {"uid": uid, "token_hash": token_hash(token), "appid": APPID, "created_at": now, "seen_at": now}
        for uid, token in zip(uids, tokens, strict=True)
    ]
    world.insert(Session, rows)
    return [call("logout", token) for token in tokens]


def _newcomers(world: World, count: int) -> list[tuple[str, str]]:
    """Accounts that nobody needs, each logged in: (number, token)."""
    indexes, now = world.fresh(count), int(time.time())
    people = [(sets.new_number(index), f"newcomer{index:08}") for index in indexes]
    world.insert(User, [_account(world.data, number, now) for number, _token in people])
    with world.database.engine.connect() as connection:
        keys = [world.data.key(number) for number, _token in people]
        found = {
            row.contact_key: row.uid
            for some in batches(keys, ROWS_A_STATEMENT)
            for row in connection.execute(
                select(User.uid, User.contact_key).where(User.contact_key.in_(some))
            )
        }
    rows: list[dict[str, object]] = [
        {
            "uid": found[key],
            "token_hash": token_hash(token),
            "appid": APPID,
            "created_at": now,
            "seen_at": now,
        }
        for key, (_number, token) in zip(keys, people, strict=True)
    ]
    world.insert(Session, rows)
    return people


def _account(data: Dataset, number: str, now: int) -> dict[str, object]:
    times = {"created_at": now, "changed_at": now, "seen_at": now}
    return {"address": number, "contact_key": data.key(number), **times}


def _delete_accounts(world: World, count: int) -> list[Request]:
    return [call("deleteaccount", token) for _number, token in _newcomers(world, count)]


def _change_numbers(world: World, count: int) -> list[Request]:
    """To numbers that nobody has, each with a live code."""
    people, now = _newcomers(world, count), int(time.time())
    numbers = [sets.new_number(index) for index in world.fresh(count)]
    world.insert(OneTimeCode, [_live_code(world.data, number, now) for number in numbers])
    return [
        call("changenumber", token, phone=number, otp=CODE)
        for number, (_old, token) in zip(numbers, people, strict=True)
    ]


def _a_friend(data: Dataset, uid: int) -> str:
    return data.number(data.friends(uid)[0])


def _forget_numbers(world: World, count: int) -> list[Request]:
    """Ten numbers a call, which stand in the phone book."""
    data, rows, requests = world.data, [], []
    for index in world.fresh(count):
        uid = data.callers[index % len(data.callers)]
        numbers = [sets.new_number(index * 10 + digit) for digit in range(10)]
        rows += [{"owner": uid, "contact_key": data.key(number)} for number in numbers]
        requests.append(call("delcontacts", data.token(uid), phones=numbers))
    world.insert(Contact, rows)
    return requests


def _new_groups(world: World, _count: int) -> list[Request]:
    data = world.data
    return [
        call("setgroup", data.token(uid), gid=0, name=f"A group {group}", m=_addresses(data, uid, group))
        for group in range(data.size.groups)
        for uid in data.callers
    ]


def _addresses(data: Dataset, uid: int, group: int) -> list[str]:
    return [data.number(member) for member in data.group_members(uid, group)[1:]]


def _edits(op: str, on: dict[str, object], off: dict[str, object]) -> Requests:
    """One friend in and out, in a group of every caller's that only such cases change."""

    def requests(world: World, _count: int) -> list[Request]:
        world.edited = world.edited or _make_groups(world, len(world.data.callers))
        made = [(uid, gid, _friend(world.data, uid, op)) for uid, gid in world.edited]
        return [
            call(op, world.data.token(uid), gid=gid, m=[friend], **fields)
            for fields in (on, off)
            for uid, gid, friend in made
        ]

    return requests


def _friend(data: Dataset, uid: int, op: str) -> str:
    """For `setadmin` somebody who is in the group, for `editmembers` somebody who is not."""
    members = data.group_members(uid, 0)
    if op == "setadmin":
        return data.number(members[1])
    return data.number(next(friend for friend in data.friends(uid) if friend not in members))


def _delete_groups(world: World, count: int) -> list[Request]:
    return [call("delgroup", world.data.token(uid), gid=gid) for uid, gid in _make_groups(world, count)]


def _make_groups(world: World, count: int) -> list[tuple[int, int]]:
    """Groups here and at mesibo, each the copy of its owner's first one: (owner, gid)."""
    data, made = world.data, []
    with world.database.engine.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        for index in range(count):
            uid = data.callers[index % len(data.callers)]
            uids = data.group_members(uid, 0)
            members = [Member(one, data.number(one), Role.MEMBER) for one in uids[1:]]
            roster = Roster((Member(uid, data.number(uid), Role.OWNER), *members))
            gid = world.sandbox.add_group("To edit", roster.addresses()).gid
            groups.add(connection, sets.LONG_AGO, GroupState(gid, "To edit", "", "", 1, 0, roster))
            made.append((uid, gid))
        connection.exec_driver_sql("COMMIT")
    return made


def _attachments(world: World, _count: int) -> list[Request]:
    data = random.Random("attachment").randbytes(20_000)
    return [upload(world.data.token(uid), "notes.pdf", data) for uid in world.data.callers]


def _photos(world: World, _count: int) -> list[Request]:
    picture = sets.photo(random.Random("photo"))
    return [upload(world.data.token(uid), "photo.jpg", picture, profile="1") for uid in world.data.callers]


def upload(token: str, filename: str, data: bytes, **fields: str) -> Request:
    """A file in a multipart body, as the apps send it."""
    boundary = "benchboundary"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in {"op": "upload", "token": token, **fields}.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="photo"; filename="{filename}"\r\n\r\n'
    body = b"".join([*parts, head.encode(), data, f"\r\n--{boundary}--\r\n".encode()])
    return Request(body, f"multipart/form-data; boundary={boundary}")


# The calls that phones make most; `reach` and `aim` are in Y.
FIRST = (
    Case("no op", "", _no_op, expected='"NOOP"', plain=True, reach=0.65, aim=0.80),
    Case(
        "unknown token",
        "getcontacts",
        _unknown_token,
        expected='"AUTHFAIL"',
        plain=True,
        reach=0.28,
        aim=0.35,
    ),
    Case(
        "getcontacts, nothing new",
        "getcontacts",
        by_callers("getcontacts", ts=_now),
        entries=lambda _data: 0,
        plain=True,
        reach=0.17,
        aim=0.22,
    ),
    Case(
        "getcontacts, 2,000 others changed",
        "getcontacts",
        by_callers("getcontacts", ts=sets.LONG_AGO),
        scene=_others_changed,
        entries=lambda _data: 0,
    ),
    Case(
        "getcontacts from 0",
        "getcontacts",
        by_callers("getcontacts", ts=0),
        entries=lambda data: data.size.matched + data.size.groups,
        plain=True,
        reach=0.037,
        aim=0.055,
    ),
    Case(
        "getcontacts, all numbers again",
        "getcontacts",
        _few(by_callers("getcontacts", ts=_now, phones=_book)),
        entries=lambda data: data.size.matched,
        plain=True,
        reach=0.037,
        aim=0.055,
    ),
    Case("profile, a new name", "profile", _new_names, reach=0.12, aim=0.15),
    Case("setnotify", "setnotify", _push_tokens, reach=0.17, aim=0.22),
    Case("login, step one", "login", _ask_for_codes, reach=0.08, aim=0.12),
    Case("getgroup", "getgroup", by_callers("getgroup", gid=_first_group)),
    Case("setgroup, a new group", "setgroup", _new_groups, replays=False),
    Case("upload, profile photo", "upload", _photos, replays=False),
)

OTHERS = (
    Case("setnotify, the same again", "setnotify", _same_push_tokens),
    Case("login, step two", "login", _log_in, once=400, replays=False),
    Case("loginui", "loginui", lambda _world, _count: [call("loginui")]),
    Case("logout", "logout", _log_out, once=1500, replays=False),
    Case(
        "getcontacts, unread numbers",
        "getcontacts",
        by_callers("getcontacts", ts=_now, phones=_book),
        entries=lambda data: data.size.matched,
    ),
    Case(
        "getcontacts, a new phone book",
        "getcontacts",
        _few(by_callers("getcontacts", ts=0, reset=1, phones=_book)),
        entries=lambda data: data.size.matched,
    ),
    Case("delcontacts, 10 numbers", "delcontacts", _forget_numbers, once=1500, replays=False),
    Case("upload, attachment 20 kB", "upload", _attachments, expected='"result":true'),
    Case("editmembers", "editmembers", _edits("editmembers", {}, {"delete": 1}), replays=False),
    Case("setadmin", "setadmin", _edits("setadmin", {"admin": 1}, {"admin": 0}), replays=False),
    Case("delgroup", "delgroup", _delete_groups, once=400, replays=False),
    Case("sessions", "sessions", as_shown("sessions")),
    Case("revoke, all others", "revoke", as_shown("revoke")),
    Case("block", "block", as_shown("block")),
    Case("blocked", "blocked", as_shown("blocked")),
    Case("unblock", "unblock", as_shown("unblock")),
    Case("report", "report", by_callers("report", phone=_a_friend, reason="spam"), replays=False),
    Case("exportaccount", "exportaccount", as_shown("exportaccount")),
    Case("changenumber", "changenumber", _change_numbers, once=200, replays=False),
    Case("deleteaccount", "deleteaccount", _delete_accounts, once=400, replays=False),
)

CASES = FIRST + OTHERS


def covered() -> Iterator[str]:
    """The ops that some case measures."""
    yield from (case.op for case in CASES if case.op)

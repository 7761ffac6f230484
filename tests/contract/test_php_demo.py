"""The recorded exchanges with mesibo's PHP demo: same request, same answer, but for the table below.

`DIFFERENCES` names every place where this server answers, or calls mesibo, otherwise than the demo did. A
difference that is not in the table fails the test, and so does an entry that no longer occurs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product as pairs
from types import MappingProxyType
from typing import NamedTuple

import pytest

from tests.contract.recorder import RecordingMesibo
from tests.contract.replay import ABSENT, RECORDED_AT, SETTLED, SETTLED_AT, TN, Replay, exchanges
from tests.product import Product

ANN, BOB, CEE, DAN = "919876543210", "919876543211", "919876543212", "14155550123"
CODE = "123456"
MINTED = ("login-ok-919876543210", "login-ok-919876543211", "login-ok-919876543212", "login-ok-14155550123")

# What the contract lets us answer beyond the demo: section 2 of every op, section 3 of some.
ADDED = frozenset({"ts", "errtitle", "errmsg", "properties", "fileurl", "downloadurl", "uploadurl"})
ADDED_BY_OP: Mapping[str, frozenset[str]] = {
    "login": frozenset({"title", "message", "retry_after"}),
    "getcontacts": frozenset({"u"}),
    "profile": frozenset({"name", "status", "phone", "photo", "tn", "gid", "members"}),
    "upload": frozenset({"file", "url", "members"}),
}

LOGIN = {"op": "login", "appid": "com.mesibo.messenger", "code": CODE, "dt": "1"}


class Step(NamedTuple):
    """A call that the recording does not show; it names the answer's `member` with `name` later on."""

    fields: Mapping[str, str]
    files: Mapping[str, Mapping[str, object]] = MappingProxyType({})
    member: str = ""
    name: str = ""


# By the exchange before which they happened.
SET_UP: Mapping[str, Sequence[Step]] = {
    "getcontacts-profiles": [
        Step(
            {"op": "profile", "token": "<token 3>", "name": 'O\'Neil "x" \\ y', "status": "a\nb", "gid": "0"}
        )
    ],
    "getcontacts-photos": [
        Step(
            {"op": "upload", "token": "<token 2>", "profile": "1", "gid": "0"},
            {"photo": {"name": "bob.png", "type": "image/png", "bytes": 2000}},
        )
    ],
    "setgroup-nomembers": [
        Step({**LOGIN, "phone": BOB}, member="token", name="<token 5>"),
        Step(
            {"op": "setgroup", "token": "<token 5>", "name": "Café x", "gid": "0", "m": f"{CEE},{ANN}"},
            member="gid",
            name="5002",
        ),
    ],
}

# Rows of "Better on purpose", by the demo's side.
CC_ALWAYS_1 = 'row: `cc` always "1"'
OWN_CONTACT = "row: `getcontacts` returns the caller as his own contact"
CHANGES_LOST = "row: changes in the second of the last sync are lost"
LEADING_COMMA = "row: `to` starts with a comma; a call although there is nobody to tell"
REMOVED_NOT_TOLD = "row: removed members are not told"
OWNER_DEMOTED = "row: admins can demote or remove the owner"
PROFILE_WIPED = "row: a `profile` call without `name` or `status` wipes them"
OLD_PHOTO = "row: the message after a photo change shows the old photo"
WRONG_TYPES = "row: `phone` sometimes a number, `name`, `status` sometimes null, setgroup's `status` the time"
ONE_SIDE_ONLY = "row: mesibo first, database later, nothing undone"
UNKNOWN_OP = "row: op unknown and no token: AUTHFAIL"
CHAT_FILE = 'row: `upload` of a chat file: `"OK"`'
NAMELESS = "row: a group without a name"
GROUPS_ENDED = "row: groups end at mesibo after a year"
# Sections of the contract.
ERROR_ALWAYS = "section 2: FAIL always has a non-empty `error`"
CONTACTS_ALWAYS = "section 2: `contacts` is always an array"
NEVER_NULL = "section 2: never null"
PHOTO_HAS_TN = "section 3: `tn` with every photo"
LOGOUT_ENDS_TOKEN = "section 3: logout ends mesibo's token too"
ON_CHANGE_ONLY = "section 4: an update message follows an event; here nothing happened"

TO_MANY_EXCHANGES = "setgroup-new setgroup-photo setgroup-noname setadmin editmembers-add editmembers-remove"
SYNCS = "getcontacts-after getcontacts-profiles getcontacts-photos getcontacts-groups"
LATER_SYNCS = "getcontacts-afterdel get-method"


# How long a group shall live, and by how much activity extends that, in seconds.
TEN_YEARS = {"expiry": "315360000", "expiryext": "31536000"}


def call(op: str, **fields: object) -> dict[str, object]:
    return {"op": op, "token": "<app token>", **fields}


def group_message(**members: object) -> dict[str, object]:
    """The text of an update message about a group that has no photo."""
    fixed = {"subject": "", "msg": "", "type": 0, "action": 0, "phone": "", "status": "", "photo": ""}
    return {**fixed, "ts": SETTLED_AT, **members}


# Why, at which exchanges, in which members, and what stands there instead.
DIFFERENCES: Sequence[tuple[str, str, str, object]] = (
    (ERROR_ALWAYS, "login-short login-nophone", "error", "BADPHONE"),
    (ERROR_ALWAYS, "login-aktoken", "error", "BADAKTOKEN"),
    (WRONG_TYPES, " ".join(MINTED), "name status", ""),
    (CC_ALWAYS_1, " ".join(MINTED[:3]), "cc", "91"),
    (UNKNOWN_OP, "badop-noauth", "error", "BADOP"),
    (CHAT_FILE, "upload-plain", "result", True),
    (CONTACTS_ALWAYS, "getcontacts-empty", "contacts", {}),
    (OWN_CONTACT, f"{SYNCS} {LATER_SYNCS}", f"contacts/{ANN}", ABSENT),
    (
        CHANGES_LOST,
        f"getcontacts-phones {SYNCS}",
        f"contacts/{BOB}/ts contacts/{CEE}/ts",
        SETTLED,
    ),
    (
        CHANGES_LOST,
        f"getcontacts-phones-plus getcontacts-profiles getcontacts-photos getcontacts-groups {LATER_SYNCS}",
        f"contacts/{DAN}/ts",
        SETTLED,
    ),
    (
        CHANGES_LOST,
        f"getcontacts-groups {LATER_SYNCS}",
        "contacts/5001/ts contacts/5002/ts contacts/5004/ts",
        SETTLED,
    ),
    (
        CHANGES_LOST,
        f"profile-set profile-with-file {TO_MANY_EXCHANGES} profile-group upload-group delgroup-exit",
        "mesibo/message/msg/ts",
        SETTLED_AT,
    ),
    # Profiles and photos
    (WRONG_TYPES, "profile-set", "mesibo/message/msg/phone", BOB),
    (PROFILE_WIPED, "profile-empty", "mesibo/message", ABSENT),
    (WRONG_TYPES, "upload-profile-jpg", "phone", ANN),
    (WRONG_TYPES, "upload-profile-jpg", "name status", ""),
    (WRONG_TYPES, "profile-with-file", "mesibo/message/msg/phone", CEE),
    (OLD_PHOTO, "profile-with-file", "mesibo/message/msg/photo", "<photo>"),
    (OLD_PHOTO, "profile-with-file", "mesibo/message/msg/tn", TN),
    (PHOTO_HAS_TN, "getcontacts-photos getcontacts-groups", f"contacts/{CEE}/tn", TN),
    # Groups
    (NAMELESS, "setgroup-noname", "name mesibo/groupadd/name mesibo/message/msg/name", "Cee"),
    (NAMELESS, "setgroup-noname", "mesibo/message/msg/subject", "You have been added to group Cee"),
    (NAMELESS, f"getcontacts-groups {LATER_SYNCS}", "contacts/5004/name", "Cee"),
    (WRONG_TYPES, "setgroup-new setgroup-nomembers setgroup-noname setgroup-photo", "status", ""),
    (LEADING_COMMA, "setgroup-new", "mesibo/message/to", f"{BOB},{CEE}"),
    (LEADING_COMMA, "setgroup-nomembers", "mesibo/message", ABSENT),
    (LEADING_COMMA, "setgroup-nomembers", "mesibo/groupadd/m", CEE),
    (LEADING_COMMA, "setgroup-noname editmembers-remove", "mesibo/message/to", ANN),
    (LEADING_COMMA, "setgroup-photo", "mesibo/groupset/m", f"{DAN},{ANN},{BOB},{CEE}"),
    (LEADING_COMMA, "setgroup-photo setadmin", "mesibo/message/to", f"{DAN},{BOB},{CEE}"),
    (LEADING_COMMA, "editmembers-add", "mesibo/message/to", f"{DAN},{ANN},{CEE}"),
    (LEADING_COMMA, "profile-group upload-group", "mesibo/message/to", f"{DAN},{ANN},{CEE}"),
    (LEADING_COMMA, "delgroup-owner", "mesibo/message", ABSENT),
    (
        ONE_SIDE_ONLY,
        "setgroup-photo",
        "mesibo/groupeditmembers",
        call("groupeditmembers", gid="5001", m=DAN, delete="0"),
    ),
    (
        ONE_SIDE_ONLY,
        "profile-group",
        "mesibo/groupset",
        call("groupset", gid="5001", name="Renamed", flag="0", **TEN_YEARS),
    ),
    *(
        (GROUPS_ENDED, "setgroup-new setgroup-nomembers setgroup-noname", f"mesibo/groupadd/{name}", seconds)
        for name, seconds in TEN_YEARS.items()
    ),
    *((GROUPS_ENDED, "setgroup-photo", f"mesibo/groupset/{name}", s) for name, s in TEN_YEARS.items()),
    (
        REMOVED_NOT_TOLD,
        "editmembers-remove",
        "mesibo/message 2",
        call(
            "message",
            **{"from": BOB, "to": f"{DAN},{CEE}", "gid": "0", "channel": "0", "type": "1"},
            expiry="3600",
            flag="4",
            forced="1",
            msg=group_message(name="Café x", gid=5002, members=f"1:{BOB},{ANN}"),
        ),
    ),
    (WRONG_TYPES, "upload-group", "status", ""),
    (NEVER_NULL, "upload-group", "mesibo/message/msg/subject", ""),
    (ON_CHANGE_ONLY, "setadmin-revoke", "mesibo/message", ABSENT),
    # The owner stays the owner, and so in everything that follows.
    (OWNER_DEMOTED, "setadmin-revoke-owner", "mesibo/message", ABSENT),
    (OWNER_DEMOTED, "setadmin-revoke-owner getgroup-after-admin", "members", f"2:{ANN},{BOB},{DAN},{CEE}"),
    (
        OWNER_DEMOTED,
        "profile-group upload-group",
        "mesibo/message/msg/members",
        f"2:{ANN},{BOB},{DAN},{CEE}",
    ),
    (OWNER_DEMOTED, "getcontacts-groups", "contacts/5001/members", f"2:{ANN},{BOB},{DAN},{CEE}"),
    (OWNER_DEMOTED, "delgroup-exit", "mesibo/message/msg/members", f"2:{ANN},{BOB},{DAN}"),
    (OWNER_DEMOTED, LATER_SYNCS, "contacts/5001/members", f"2:{ANN},{BOB},{DAN}"),
    (OWNER_DEMOTED, "editmembers-remove-owner", "members", f"1:{BOB},{ANN}"),
    (OWNER_DEMOTED, "editmembers-remove-owner", "mesibo/groupeditmembers mesibo/message", ABSENT),
    (OWNER_DEMOTED, f"getcontacts-groups {LATER_SYNCS}", "contacts/5002/members", f"1:{BOB},{ANN}"),
    # mesibo numbers its users from 1001 in the sandbox.
    (
        LOGOUT_ENDS_TOKEN,
        "logout",
        "mesibo/usertoken",
        call("usertoken", uid="1001", appid="com.mesibo.messenger", delete="1"),
    ),
)


def expected() -> dict[str, dict[str, object]]:
    """The table by exchange and member."""
    found: dict[str, dict[str, object]] = {exchange["name"]: {} for exchange in exchanges()}
    for _why, names, members, ours in DIFFERENCES:
        for name, member in pairs(names.split(), _members(members)):
            assert member not in found[name], f"{name}: {member} stands twice in the table"
            found[name][member] = ours
    return found


def _members(text: str) -> list[str]:
    return [text] if text == "mesibo/message 2" else text.split()


@pytest.fixture(params=["form", "json"])
def mesibo(request: pytest.FixtureRequest) -> Iterator[RecordingMesibo]:
    """mesibo in each of its wire styles."""
    server = RecordingMesibo(request.param)
    yield server
    server.stop()


@pytest.fixture
def replay(make_product: Callable[..., Product], mesibo: RecordingMesibo) -> Replay:
    product = make_product(
        otp_test_numbers=dict.fromkeys((ANN, BOB, CEE, DAN), CODE),
        otp_test_numbers_until="2099-12-31",
        limits="off",
        google_map_key="Google Map Key",
        upload_url="https://s3.mesibo.com/api.php",
        download_url="https://appimages.mesibo.com/",
        **mesibo.settings,
    )
    product.services.database.clock = lambda: float(RECORDED_AT)
    return Replay(product, mesibo)


def test_every_recorded_exchange_is_answered_as_the_demo_did_but_for_the_named_differences(
    replay: Replay,
) -> None:
    found: dict[str, dict[str, object]] = {}
    for exchange in exchanges():
        for step in SET_UP.get(exchange["name"], ()):
            answer = replay.set_up(step.fields, files=step.files)
            if step.name:
                replay.names.learn(step.name, answer[step.member])
        op = exchange["request"]["fields"].get("op", "")
        added = ADDED | ADDED_BY_OP.get(op, frozenset())
        found[exchange["name"]] = replay.differences(exchange, added)
    assert found == expected()
    assert json.dumps(found, sort_keys=True) == json.dumps(expected(), sort_keys=True), "1, 1.0 or True"


def test_the_recording_is_complete() -> None:
    names = [exchange["name"] for exchange in exchanges()]
    assert len(names) == len(set(names)) == 62

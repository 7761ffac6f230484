"""Groups, tokens and messages by a clock that is moved: who sends, who receives, when."""

from __future__ import annotations

from typing import Any

import pytest

from messenger_api.sandbox import SandboxStore
from tests.sandbox.conftest import ADA, BOB, CHI, Caller, refused

DAY = 24 * 3600
YEAR = 365 * DAY


def group_of(caller: Caller, members: str = f"{ADA},{BOB},{CHI}", **facts: Any) -> int:
    made = caller.json("groupadd", group={"name": "g", "members": {"m": members}, **facts})
    return int(made["group"]["gid"])


def texts(store: SandboxStore, address: str) -> list[str]:
    return [message.text for message in store.inbox(address)]


def test_a_group_ends_after_a_year_unless_it_is_told_otherwise(caller: Caller, people: SandboxStore) -> None:
    usual, long, ever = group_of(caller), group_of(caller, expiry=2 * YEAR), group_of(caller, expiry=0)
    people.advance(YEAR - 60)
    assert people.count_groups() == 3
    people.advance(120)
    assert [group.gid for group in people.groups()] == [ever, long]
    assert refused(caller.json("groupgetmembers", group={"gid": usual}), "BADVALUE", "gid")
    assert refused(caller.json("groupdel", group={"gid": usual}), "BADVALUE", "gid")
    assert caller.json("groupset", group={"gid": long, "expiry": 60})["result"] is True
    people.advance(61)
    assert [group.gid for group in people.groups()] == [ever]


def test_activity_extends_a_group_that_says_so(caller: Caller, people: SandboxStore) -> None:
    lively = group_of(caller, expiry=DAY, expiryext=10 * DAY)
    group_of(caller, expiry=DAY)
    for _ in range(3):
        people.advance(DAY // 2)
        if people.group(lively):
            caller.message(to=None, gid=lively)
    assert [group.gid for group in people.groups()] == [lively]


def test_a_token_ends_by_its_minutes_or_never(caller: Caller, people: SandboxStore) -> None:
    def token(**facts: int) -> str:
        made = caller.json("useradd", user={"address": ADA, "token": {"appid": "app", **facts}})
        return str(made["user"]["token"])

    usual, short, ever = token(), token(expiry=10), token(expiry=0)

    def valid() -> list[bool]:
        return [bool(people.token(each)) for each in (usual, short, ever)]

    assert valid() == [True, True, True]
    people.advance(601)
    assert valid() == [True, False, True]
    people.advance(YEAR)
    assert valid() == [False, False, True]
    assert [each.token for each in people.tokens(ADA)] == [ever]


def test_a_user_who_is_not_active_is_kept_out_and_gets_what_waited_later(
    caller: Caller, people: SandboxStore
) -> None:
    token = people.mint_token(BOB, "app").token
    caller.json("userset", user={"address": BOB, "active": 0})
    assert people.token(token) is None
    assert people.connect(BOB) == []
    caller.message(message="waits")
    assert people.connect(BOB) == []
    # Without a word about it, useradd leaves a user as inactive as before.
    caller.json("useradd", user={"address": BOB})
    assert people.token(token) is None
    caller.json("useradd", user={"address": BOB, "active": True})
    assert people.token(token)
    assert [message.text for message in people.connect(BOB)] == ["waits"]


def test_a_message_waits_for_who_is_offline_until_it_ends(caller: Caller, people: SandboxStore) -> None:
    caller.message(message="short", expiry=60)
    caller.message(message="usual")
    caller.message(message="now or never", expiry=0)
    caller.message(message="transient", flags=4)
    people.advance(61)
    assert [message.text for message in people.connect(BOB)] == ["usual"]
    caller.message(message="now or never", expiry=0)
    people.disconnect(BOB)
    caller.message(message="missed", expiry=0)
    assert texts(people, BOB) == ["usual", "now or never"]
    caller.message(message="too late")
    people.advance(YEAR + 1)
    assert people.connect(BOB) == []


def test_a_message_of_later_comes_later(caller: Caller, people: SandboxStore) -> None:
    people.connect(BOB)
    caller.message(message="later", when=3600)
    caller.message(message="at once")
    assert texts(people, BOB) == ["at once"]
    people.advance(3601)
    assert texts(people, BOB) == ["at once", "later"]
    assert [message.when for message in people.messages()] == [0, 3600]


@pytest.mark.parametrize(
    ("flags", "rights", "allowed"),
    [
        (0, {}, [True, True, False]),
        (0, {"send": False}, [True, False, False]),
        (1, {}, [False, False, False]),
        (1, {"send": True}, [False, True, False]),
        (2, {}, [True, True, True]),
    ],
)
def test_flags_and_rights_say_who_may_send(
    flags: int, rights: dict[str, bool], allowed: list[bool], caller: Caller, people: SandboxStore
) -> None:
    gid = group_of(caller, f"{ADA},{BOB}", flags=flags)
    members = {"m": BOB, "permissions": rights}
    assert caller.json("groupeditmembers", group={"gid": gid, "members": members})["result"] is True
    for sender, may in zip((ADA, BOB, CHI), allowed, strict=True):
        answer = caller.message(**{"from": sender}, to=None, gid=gid)
        assert answer["result"] is may
        assert may or refused(answer, "BADVALUE", "from")
    listed = caller.json("groupgetmembers", group={"gid": gid})["members"]
    assert [bool(member["cansend"]) for member in listed] == allowed[:2]


@pytest.mark.parametrize(
    ("flags", "received"),
    [(0, (1, 3, 4)), (0x10, (0, 3, 0)), (0x20, (0, 2, 2)), (0x40, (1, 3, 0)), (0x80, (4, 4, 4))],
)
def test_flags_say_who_receives(
    flags: int, received: tuple[int, int, int], caller: Caller, people: SandboxStore
) -> None:
    gid = group_of(caller, flags=flags)
    members = {"m": BOB, "permissions": {"recv": True}}
    caller.json("groupeditmembers", group={"gid": gid, "members": members})
    people.connect(ADA)
    people.connect(BOB)
    for sender in (ADA, ADA, ADA, BOB):
        assert caller.message(**{"from": sender}, to=None, gid=gid)["result"] is True
    people.connect(CHI)
    assert tuple(len(people.inbox(address)) for address in (ADA, BOB, CHI)) == received


def test_a_group_that_is_not_active_takes_no_messages(caller: Caller, people: SandboxStore) -> None:
    gid = group_of(caller, active=0)
    assert refused(caller.message(to=None, gid=gid), "BADVALUE", "gid")
    caller.json("groupset", group={"gid": gid, "active": 1})
    assert caller.message(to=None, gid=gid)["result"] is True


def test_all_that_a_group_is_told_is_kept(caller: Caller, people: SandboxStore) -> None:
    members = {
        "m": ADA,
        "permissions": {"send": True, "recv": True, "pub": False, "sub": True, "list": False},
        "admin": {"owner": True},
    }
    facts = {"flags": 3, "expiry": 60, "expiryext": 30, "profile": {"image": "https://x/y.png"}}
    made = caller.json("groupadd", group={"name": "g", "members": members, **facts})
    group = people.group(made["group"]["gid"])
    assert group
    assert (group.flag, group.expiry, group.expiryext, group.image) == (3, 60, 30, "https://x/y.png")
    rights = group.rights[ADA]
    assert (rights.send, rights.pub, rights.list, rights.owner, rights.remuser) == (
        True,
        False,
        False,
        True,
        None,
    )
    assert caller.form("groupset", gid=group.gid, sflags=-1, pinned=1, cs=0)["result"] is True
    changed = people.group(group.gid)
    assert changed
    assert (changed.pinned, changed.sflags, changed.flag) == (1, -1, 3)
    # Rights are said of the members that a call names.
    assert changed.rights[ADA].send is True


def test_a_user_is_in_as_many_groups_as_useradd_says(caller: Caller, people: SandboxStore) -> None:
    caller.form("useradd", addr=BOB, appid="app", groups=1)
    first, second = group_of(caller), group_of(caller, ADA)
    assert refused(
        caller.json("groupeditmembers", group={"gid": second, "members": {"m": BOB}}), "BADVALUE", "m"
    )
    # Of the one group the user is a member already.
    again = caller.json("groupeditmembers", group={"gid": first, "members": {"m": BOB}})
    assert again["result"] is True
    caller.json("groupdel", group={"gid": first})
    joined = caller.json("groupeditmembers", group={"gid": second, "members": {"m": BOB}})
    assert joined["result"] is True


def test_the_clock_goes_forward_alone(people: SandboxStore) -> None:
    before = people.now()
    assert people.advance(3600) >= before + 3600
    with pytest.raises(ValueError, match="forward"):
        people.advance(-1)

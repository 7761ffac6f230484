"""A sync and a member's look tell the same of a group as the rows of its members, whatever its size."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, select, update

from messenger_api import configuration
from messenger_api.domain.members import Member, Role, Roster
from messenger_api.settings import SettingsError
from messenger_api.storage import groups, rosters, sessions, syncs
from messenger_api.storage.db import Database
from messenger_api.storage.groups import GroupState
from messenger_api.storage.models import ADDRESS_LENGTH, Group, GroupMember, Thumbnail, User
from messenger_api.storage.syncs import GroupEntry
from tests.properties.conftest import NewProduct

LARGEST = 5_000


def people(tx: Connection, first: int, count: int) -> list[Member]:
    """Accounts with the longest addresses, the later ones first in order."""
    uids = range(10**15 + first, 10**15 + first + count)
    addresses = [f"{uid}|%\\'".ljust(ADDRESS_LENGTH, "~") for uid in uids]
    rows = [
        {"uid": uid, "address": address, "contact_key": uid.to_bytes(16, "big")}
        | dict.fromkeys(("created_at", "changed_at", "seen_at"), 1)
        for uid, address in zip(uids, addresses, strict=True)
    ]
    tx.execute(insert(User), rows)
    return [Member(uid, address) for uid, address in zip(uids, addresses, strict=True)][::-1]


@dataclass(frozen=True)
class Read:
    """A group as it is read member by member, as a sync reads it, and as a member looks at it."""

    alone: GroupState | None
    synced: GroupEntry
    shown: GroupEntry | None


@pytest.fixture(scope="module")
def read(new_product: NewProduct) -> list[Read]:
    database = new_product().services.database

    def write(tx: Connection, now: int) -> int:
        everybody = people(tx, 0, LARGEST)
        me = everybody[-1]
        tx.execute(insert(Thumbnail).values(photo="a.jpg", tn="the thumbnail"))
        for gid, size in ((7, 1), (8, 30), (9, LARGEST)):
            ranks = [
                Member(m.uid, m.address, Role(index % 7 == 3)) for index, m in enumerate(everybody[-size:-1])
            ]
            roster = Roster.of([*ranks, Member(me.uid, me.address, Role.OWNER)])
            photo = "a.jpg" if gid == 8 else ""
            groups.add(tx, now, GroupState(gid, f"group, {gid}", photo, "", 0, now, roster))
        return me.uid

    # Not as one transaction, which may not take longer than a busy machine needs for so many rows.
    mine = database.run(lambda tx: write(tx, database.now()))
    synced = database.run(lambda tx: syncs.groups(tx, mine, 0))
    return database.run(
        lambda tx: [Read(groups.find(tx, one.gid), one, groups.shown(tx, one.gid, mine)) for one in synced]
    )


def entry(group: GroupState) -> GroupEntry:
    return GroupEntry(group.gid, group.name, group.photo, group.tn, group.changed_at, group.roster.wire())


def test_a_sync_and_a_look_tell_the_same_as_the_group_alone(read: list[Read]) -> None:
    assert [group.synced.members.count(",") + 1 for group in read] == [1, 30, LARGEST]
    assert [group.synced.tn for group in read] == ["", "the thumbnail", ""]
    for group in read:
        assert group.alone
        assert group.synced == group.shown == entry(group.alone)


STEPS = ("add", "remove", "promote", "demote", "rename", "outdate", "touch", "keep", "by an older version")
SOME = 5


@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(1, SOME - 1)), max_size=8))
def test_whatever_was_done_to_a_group_its_members_see_what_its_rows_say(
    some: tuple[Database, list[Member]], steps: list[tuple[str, int]]
) -> None:
    database, everybody = some

    def work(tx: Connection, now: int) -> None:
        alone = Roster((replace(everybody[0], role=Role.OWNER),))
        groups.add(tx, now, GroupState(7, "g", "", "", 1, now, alone))
        for step, place in steps:
            take(step, tx, now, everybody[place])
        group = groups.find(tx, 7)
        assert group
        for person in everybody:
            seen = None if group.roster.get(person.uid) is None else entry(group)
            assert groups.shown(tx, 7, person.uid) == seen
            assert by_session(tx, 7, person) == (person.uid, seen)
        assert groups.shown(tx, 8, everybody[0].uid) is None
        assert by_session(tx, 8, everybody[0]) == (everybody[0].uid, None)
        assert groups.shown_to_caller(tx, 7, token_hash=bytes(32), seen_since=0) is None

    with database.engine.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        try:
            work(connection, database.now())
        finally:
            connection.exec_driver_sql("ROLLBACK")


def by_session(tx: Connection, gid: int, who: Member) -> tuple[int, GroupEntry | None]:
    """Whose session it is, and what its statement shows."""
    found = groups.shown_to_caller(tx, gid, token_hash=token_of(who), seen_since=0)
    assert found
    caller, group = found
    return caller.uid, group


def token_of(who: Member) -> bytes:
    return who.uid.to_bytes(32, "big")


@pytest.fixture(scope="module")
def some(new_product: NewProduct) -> tuple[Database, list[Member]]:
    def write(tx: Connection) -> list[Member]:
        everybody = people(tx, 0, SOME)
        for who in everybody:
            sessions.add(tx, 1, uid=who.uid, token_hash=token_of(who), appid="app", device="", device_type=0)
        return everybody

    database = new_product().services.database
    return database, database.run(write)


def take(step: str, tx: Connection, now: int, who: Member) -> None:
    before = groups.find(tx, 7)
    assert before
    who = replace(who, address=tx.execute(select(User.address).where(User.uid == who.uid)).scalar_one())
    roster = before.roster
    if step in ("add", "remove", "promote", "demote", "rename"):
        after = {
            "add": replace(before, roster=roster.with_members([who])),
            "remove": replace(before, roster=roster.without([who.uid])),
            "promote": replace(before, roster=roster.with_role([who.uid], Role.ADMIN)),
            "demote": replace(before, roster=roster.with_role([who.uid], Role.MEMBER)),
            "rename": replace(before, name=f"{before.name}%"),
        }[step]
        assert groups.change(tx, now, before, after)
    elif step == "outdate":  # its members have changed, or their addresses
        tx.execute(update(User).where(User.uid == who.uid).values(address=f"{before.version}.{who.uid}"))
        groups.outdate(tx, now, [7])
    elif step == "touch":
        assert groups.touch(tx, before)
    elif step == "keep":
        rosters.refresh(tx, 7)
    else:  # which does not know that the row has a roster
        tx.execute(update(Group).values(version=before.version + 1))
        tx.execute(delete(GroupMember).where(GroupMember.uid == who.uid))


def test_the_largest_group_that_may_be_configured_is_the_one_tested() -> None:
    assert configuration.build(max_group_members=LARGEST, mesibo_max_body=10**6).max_group_members == LARGEST
    with pytest.raises(SettingsError):
        configuration.build(max_group_members=LARGEST + 1, mesibo_max_body=10**6)


OLD, NEW = "1415555010", "4930123456"
NEIGHBOURS = ("14155550101", "114155550101", "5551415555010")


@pytest.mark.parametrize("place", range(len(NEIGHBOURS) + 1))
def test_a_changed_number_is_found_among_numbers_that_contain_it(new_product: NewProduct, place: int) -> None:
    numbers = [*NEIGHBOURS[:place], OLD, *NEIGHBOURS[place:]]

    def work(tx: Connection, now: int) -> int:
        members = [Member(10**15 + index, number) for index, number in enumerate(numbers)]
        values = dict.fromkeys(("created_at", "changed_at", "seen_at"), 1)
        rows = [
            {"uid": m.uid, "address": m.address, "contact_key": m.uid.to_bytes(16, "big"), **values}
            for m in members
        ]
        tx.execute(insert(User), rows)
        roster = Roster.of([replace(members[0], role=Role.OWNER), *members[1:]])
        for gid, people in ((7, roster), (8, Roster(roster.members[:1]))):
            groups.add(tx, now, GroupState(gid, "", "", "", 0, now, people))
        tx.execute(update(User).where(User.address == OLD).values(address=NEW))
        groups.outdate(tx, now, [7, 8])
        return members[0].uid

    wanted = [NEW if number == OLD else number for number in numbers]
    database = new_product().services.database
    mine = database.write(work)
    told = database.run(lambda tx: syncs.groups(tx, mine, 0))
    assert [group.members for group in told] == [f"1:{','.join(wanted)}", f"1:{wanted[0]}"]

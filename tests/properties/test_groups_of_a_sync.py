"""A sync tells the same of a group as a look at that group alone, whatever its size."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Connection, insert, update

from messenger_api import configuration
from messenger_api.domain.members import Member, Role, Roster
from messenger_api.settings import SettingsError
from messenger_api.storage import groups, syncs
from messenger_api.storage.groups import GroupState
from messenger_api.storage.models import ADDRESS_LENGTH, Thumbnail, User
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


@pytest.fixture(scope="module")
def read(new_product: NewProduct) -> list[tuple[GroupState | None, GroupEntry]]:
    """Groups as they are read alone, and as a sync reads them."""
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
    synced = database.run(lambda tx: syncs.changed(tx, mine, b"nobody's key....", 0)).groups
    return [(database.run(lambda tx, gid=one.gid: groups.find(tx, gid)), one) for one in synced]  # type: ignore[misc]


def test_a_sync_tells_the_same_as_the_group_alone(read: list[tuple[GroupState | None, GroupEntry]]) -> None:
    assert [synced.members.count(",") + 1 for _, synced in read] == [1, 30, LARGEST]
    assert [synced.tn for _, synced in read] == ["", "the thumbnail", ""]
    for alone, synced in read:
        assert alone
        assert synced == GroupEntry(
            alone.gid,
            alone.name,
            alone.photo,
            alone.tn,
            alone.changed_at,
            alone.roster.wire(),
        )


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
    told = database.run(lambda tx: syncs.changed(tx, mine, b"nobody's key....", 0)).groups
    assert [group.members for group in told] == [f"1:{','.join(wanted)}", f"1:{wanted[0]}"]

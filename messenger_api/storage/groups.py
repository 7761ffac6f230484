"""Groups and their members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Row, bindparam, case, delete, func, insert, select, update

from messenger_api.domain.members import Member, Role, Roster
from messenger_api.storage import rosters, sessions
from messenger_api.storage.inserts import insert_rows
from messenger_api.storage.models import Group, GroupMember, Session, Thumbnail, User
from messenger_api.storage.models.base import aliased
from messenger_api.storage.sessions import Caller
from messenger_api.storage.statements import execute
from messenger_api.storage.syncs import GROUP_ENTRY, GroupEntry
from messenger_api.storage.users import Account


@dataclass(frozen=True)
class GroupState:
    """A group with its members, as it was when it was read."""

    gid: int
    name: str
    photo: str
    tn: str
    version: int
    changed_at: int
    roster: Roster

    @property
    def members(self) -> str:
        """The members as they stand on the wire."""
        return self.roster.wire()


_COLUMNS = (Group.gid, Group.name, Group.photo, Thumbnail.tn, Group.version, Group.changed_at)
_MEMBER_COLUMNS = (GroupMember.uid, User.address, GroupMember.role, GroupMember.position)
_IN_ORDER = (GroupMember.position, GroupMember.uid)

_ONE = (
    select(*_COLUMNS, *_MEMBER_COLUMNS)
    .join(GroupMember, GroupMember.gid == Group.gid)
    .join(User, User.uid == GroupMember.uid)
    .outerjoin(Thumbnail, (Thumbnail.photo == Group.photo) & (GroupMember.role == Role.OWNER))
    .where(Group.gid == bindparam("gid"))
    .order_by(*_IN_ORDER)
)
_mine = aliased(GroupMember)
_OF_USER = (
    select(*_COLUMNS, *_MEMBER_COLUMNS)
    .join(_mine, _mine.gid == Group.gid)
    .join(GroupMember, GroupMember.gid == Group.gid)
    .join(User, User.uid == GroupMember.uid)
    .outerjoin(Thumbnail, (Thumbnail.photo == Group.photo) & (GroupMember.role == Role.OWNER))
    .where(_mine.uid == bindparam("uid"))
    .order_by(Group.gid, *_IN_ORDER)
)
# A member's look at a group: one row, whose roster stands in it.
_SHOWN = (
    select(GROUP_ENTRY.column)
    .join(GroupMember, GroupMember.gid == Group.gid)
    .outerjoin(Thumbnail, Thumbnail.photo == Group.photo)
    .where(Group.gid == bindparam("gid"), GroupMember.uid == bindparam("uid"))
)
# The same of the session that asks; NULL for strangers.
_SHOWN_TO_CALLER = (
    sessions.beside(case((GroupMember.uid.is_not(None), GROUP_ENTRY.column)))
    .outerjoin(GroupMember, (GroupMember.uid == Session.uid) & (GroupMember.gid == bindparam("gid")))
    .outerjoin(Group, Group.gid == GroupMember.gid)
    .outerjoin(Thumbnail, Thumbnail.photo == Group.photo)
)
_ADD = insert(Group)
_ADD_MEMBERS = insert(GroupMember)


def find(connection: Connection, gid: int) -> GroupState | None:
    """A group with its members."""
    rows = connection.execute(_ONE, {"gid": gid}).all()
    return _group(rows) if rows else None


def shown(connection: Connection, gid: int, uid: int) -> GroupEntry | None:
    """A group as its member `uid` sees it; None: there is none, or this is no member of it."""
    found = GROUP_ENTRY.first(connection, _SHOWN, {"gid": gid, "uid": uid})
    if found is None or found.members:
        return found
    group = find(connection, gid)  # its roster does not count (`storage.rosters`)
    if group is None or group.roster.role(uid) is None:
        return None
    return GroupEntry(group.gid, group.name, group.photo, group.tn, group.changed_at, group.members)


def shown_to_caller(
    connection: Connection, gid: int, *, token_hash: bytes, seen_since: int
) -> tuple[Caller, GroupEntry | None] | None:
    """A caller, and a group as `shown` to that user: one statement, unless the roster does not count."""
    found = sessions.caller_beside(
        connection, _SHOWN_TO_CALLER, {"gid": gid}, token_hash=token_hash, seen_since=seen_since
    )
    if found is None:
        return None
    caller, text = found
    group = GROUP_ENTRY.read(text) if text else None
    return caller, shown(connection, gid, caller.uid) if group and not group.members else group


def role(connection: Connection, gid: int, uid: int) -> Role | None:
    """What `uid` is in this group; None for a stranger."""
    query = select(GroupMember.role).where(GroupMember.gid == gid, GroupMember.uid == uid)
    found = connection.execute(query).scalar()
    return None if found is None else Role(found)


def owner(connection: Connection, gid: int) -> Account | None:
    """The account that owns a group."""
    query = (
        select(User.uid, User.address, User.contact_key)
        .join(GroupMember, GroupMember.uid == User.uid)
        .where(GroupMember.gid == gid, GroupMember.role == Role.OWNER)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else Account(*row)


def gids(connection: Connection, uid: int) -> list[int]:
    """The groups of a user."""
    query = select(GroupMember.gid).where(GroupMember.uid == uid).order_by(GroupMember.gid)
    return list(connection.execute(query).scalars())


def gids_at(connection: Connection, address: str) -> list[int]:
    """The groups of whoever has this address."""
    query = select(GroupMember.gid).join(User, User.uid == GroupMember.uid).where(User.address == address)
    return list(connection.execute(query).scalars())


def of_user(connection: Connection, uid: int) -> list[GroupState]:
    """The groups of a user, with their members, in order of gid."""
    rows = connection.execute(_OF_USER, {"uid": uid}).all()
    return [_group(list(some)) for _gid, some in groupby(rows, key=itemgetter(0))]


def page(connection: Connection, *, after: int, limit: int) -> Sequence[Row[*tuple[Any, ...]]]:
    """Groups in the order of their gid, for the operator's lists."""
    of_group = GroupMember.gid == Group.gid
    members = select(func.count()).select_from(GroupMember).where(of_group)
    owners = (
        select(func.min(User.address))
        .join(GroupMember, GroupMember.uid == User.uid)
        .where(of_group, GroupMember.role == Role.OWNER)
    )
    query = (
        select(
            Group.gid,
            Group.name,
            func.coalesce(owners.correlate(Group).scalar_subquery(), ""),
            members.correlate(Group).scalar_subquery(),
            Group.created_at,
            Group.changed_at,
        )
        .where(Group.gid > after)
        .order_by(Group.gid)
        .limit(limit)
    )
    return connection.execute(query).all()


def _group(rows: Sequence[Any]) -> GroupState:
    """A group from its rows, one a member."""
    gid, name, photo, _tn, version, changed_at = rows[0][:6]
    people = (Member(uid, address, Role(role), position) for *_, uid, address, role, position in rows)
    roster = Roster.of(people)
    tn = next((row[3] for row in rows if row[3]), "")
    return GroupState(gid, name, photo, tn, version, changed_at, roster)


def add(connection: Connection, now: int, group: GroupState) -> None:
    """Make a group under the id that mesibo gave it."""
    row = {
        "gid": group.gid,
        "name": group.name,
        "photo": group.photo,
        "roster": group.members,
        "roster_version": group.version,
        "version": group.version,
        "created_at": now,
        "changed_at": now,
        "life_told": 1,
    }
    execute(connection, _ADD, row)
    _add_members(connection, group.gid, group.roster.members, 0)


def change(connection: Connection, now: int, before: GroupState, after: GroupState) -> bool:
    """Bring a group, with its members, to `after`: at most four statements.

    False when somebody has changed it since `before` was read; then nothing was done.
    """
    changed = connection.execute(
        update(Group)
        .where(Group.gid == before.gid, Group.version == before.version)
        .values(
            name=after.name,
            photo=after.photo,
            roster=after.members,
            roster_version=before.version + 1,
            version=before.version + 1,
            changed_at=now,
        )
    )
    if changed.rowcount != 1:
        return False
    _change_members(connection, before, after.roster)
    return True


def outdate(connection: Connection, now: int, gids: Sequence[int]) -> None:
    """Have syncs tell of these groups, whose members have changed or have other addresses, and gather them.

    Whoever edits one at this moment starts over. The members' texts are written anew by `rosters.keep`.
    """
    if gids:
        connection.execute(
            update(Group)
            .where(Group.gid.in_(gids))
            .values(roster_version=rosters.NEVER, version=Group.version + 1, changed_at=now)
        )


def leave_all(connection: Connection, now: int, uid: int) -> tuple[list[int], list[GroupState]]:
    """Take a user out of all groups: where it was owner or admin one by one, elsewhere with two statements.

    Returns:
        The groups that go on, and those that have ended with their last member.
    """
    query = select(GroupMember.gid, GroupMember.role).where(GroupMember.uid == uid)
    held = {gid: Role(role) for gid, role in connection.execute(query)}
    if not held:
        return [], []
    # Locked before they are read.
    outdate(connection, now, list(held))
    ended = [
        gone
        for gid, role in sorted(held.items())
        if role != Role.MEMBER and (gone := _hand_over(connection, now, uid, gid))
    ]
    connection.execute(delete(GroupMember).where(GroupMember.uid == uid))
    return sorted(held.keys() - {group.gid for group in ended}), ended


def _hand_over(connection: Connection, now: int, uid: int, gid: int) -> GroupState | None:
    """Take an owner or admin out of a group; the group, when nobody is left."""
    before = find(connection, gid)
    if before is None:
        return None
    after = replace(before, roster=before.roster.left_by(uid))
    if after.roster.members:
        change(connection, now, before, after)
        return None
    remove(connection, before)
    return before


def _change_members(connection: Connection, before: GroupState, after: Roster) -> None:
    old = {member.uid: member for member in before.roster.members}
    new = {member.uid: member for member in after.members}
    gone = [uid for uid in old if uid not in new]
    if gone:
        connection.execute(
            delete(GroupMember).where(GroupMember.gid == before.gid, GroupMember.uid.in_(gone))
        )
    come = [member for uid, member in new.items() if uid not in old]
    _add_members(connection, before.gid, come, before.version + 1)
    for role in Role:
        moved = [uid for uid, m in new.items() if uid in old and m.role == role != old[uid].role]
        if moved:
            connection.execute(
                update(GroupMember)
                .where(GroupMember.gid == before.gid, GroupMember.uid.in_(moved))
                .values(role=int(role))
            )


def known(connection: Connection, gids: Sequence[int]) -> set[int]:
    """Which of these groups there are."""
    return set(connection.execute(select(Group.gid).where(Group.gid.in_(gids))).scalars())


def life_untold(connection: Connection, *, after: int, most: int) -> list[int]:
    """Groups beyond the gid `after` of which mesibo does not know how long they shall live."""
    query = select(Group.gid).where(Group.gid > after, Group.life_told == 0).order_by(Group.gid).limit(most)
    return list(connection.execute(query).scalars())


def remove(connection: Connection, before: GroupState) -> bool:
    """Delete a group that nobody changed since `before` was read; False when somebody did."""
    deleted = connection.execute(
        delete(Group).where(Group.gid == before.gid, Group.version == before.version)
    )
    return deleted.rowcount == 1


def touch(connection: Connection, before: GroupState, *, life_told: bool = False) -> bool:
    """Make every edit that read the group before now start over; False when the group has changed.

    `life_told`: mesibo knows by now how long the group shall live.
    """
    as_read = (Group.gid == before.gid, Group.version == before.version)
    told = [(Group.life_told, 1)] if life_told else []
    touched = connection.execute(rosters.one_version_on(update(Group).where(*as_read), *told))
    return touched.rowcount == 1


def _add_members(connection: Connection, gid: int, members: Sequence[Member], position: int) -> None:
    # Those who join later stand after those who were there: the group's version only grows.
    rows = [
        {"gid": gid, "uid": m.uid, "role": int(m.role), "position": (position << 13) + index}
        for index, m in enumerate(members)
    ]
    insert_rows(connection, _ADD_MEMBERS, rows)

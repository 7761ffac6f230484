"""The members of a group as one text (`domain.members.Roster.wire`), ready for syncs, and when it counts.

`chat_groups.roster` is written with every edit of a group. It carries the group's `version` that it was made
for and counts for that alone; else a sync gathers it from `group_members`. So it is where an older version of
this program, which may run beside this one, has changed the members and does not know the column; and where
somebody has another number, or has left all groups at once, until the members are told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Row, Update, bindparam, case, func, literal_column, select, update

from messenger_api.domain.members import Member, Role, Roster
from messenger_api.storage.models import Group, GroupMember, User

NEVER = -1
"""The `roster_version` of a text that counts for no version of the group."""

READY = func.coalesce(case((Group.roster_version == Group.version, Group.roster)), literal_column("''"))
"""The text where it counts, else ""."""

_STALE = (
    select(Group.gid)
    .where(Group.roster_version != Group.version, Group.gid > bindparam("after"))
    .order_by(Group.gid)
    .limit(bindparam("most"))
)


def gathered(connection: Connection, gids: Sequence[int]) -> dict[int, str]:
    """The texts of these groups, from their members."""
    query = (
        select(GroupMember.gid, GroupMember.uid, User.address, GroupMember.role, GroupMember.position)
        .join(User, User.uid == GroupMember.uid)
        .where(GroupMember.gid.in_(gids))
        .order_by(GroupMember.gid, GroupMember.position, GroupMember.uid)
    )
    found = groupby(connection.execute(query).all(), key=itemgetter(0))
    return {gid: _wire(rows) for gid, rows in found}


def _wire(rows: Iterable[Row[int, int, str, int, int]]) -> str:
    people = (Member(uid, address, Role(role), position) for _gid, uid, address, role, position in rows)
    return Roster.of(people).wire()


def one_version_on(statement: Update, *more: tuple[Any, Any]) -> Update:
    """The same change of groups, to their next version; a roster that counted goes on counting.

    MySQL assigns from left to right, so what is read stands before what is written.
    """
    counted = case((Group.roster_version == Group.version, Group.version + 1), else_=NEVER)
    return statement.ordered_values(
        (Group.roster_version, counted), (Group.version, Group.version + 1), *more
    )


def stale(connection: Connection, *, after: int, most: int) -> list[int]:
    """Groups whose text does not count, in the order of their gid."""
    return list(connection.execute(_STALE, {"after": after, "most": most}).scalars())


def refresh(connection: Connection, gid: int) -> None:
    """Write a group's text anew, unless the group is changed meanwhile."""
    version = connection.execute(select(Group.version).where(Group.gid == gid)).scalar()
    text = gathered(connection, [gid]).get(gid)
    if version is not None and text is not None:
        keep(connection, gid, version, text)


def keep(connection: Connection, gid: int, version: int, text: str) -> None:
    """Write the text of a group's members at this version, unless the group has another one by now."""
    connection.execute(
        update(Group)
        .where(Group.gid == gid, Group.version == version)
        .values(roster=text, roster_version=version)
    )

"""What a sync reads: the caller's own profile, the contacts and the groups, in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Annotated

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, bindparam, select, union_all
from sqlalchemy.exc import NoResultFound

from messenger_api.storage import rosters
from messenger_api.storage.blocks import BLOCKED_BY_OWNER, HAS_BLOCKED_OWNER, NO_BLOCK, by_owner, of_owner
from messenger_api.storage.models import Contact, Group, GroupMember, Thumbnail, User
from messenger_api.storage.packed import PackedRow, unpack
from messenger_api.storage.statements import texts
from messenger_api.storage.users import PROFILE, THUMBNAIL, Profile


class GroupEntry(Struct, frozen=True, array_like=True):
    """A group as a sync tells of it; `members` as they stand on the wire (`Roster.wire`)."""

    gid: Annotated[int, Group.gid]
    name: Annotated[str, Group.name]
    photo: Annotated[str, Group.photo]
    tn: Annotated[str, THUMBNAIL]
    changed_at: Annotated[int, Group.changed_at]
    members: Annotated[str, rosters.READY]


GROUP_ENTRY = PackedRow(GroupEntry)


@dataclass(frozen=True)
class Found:
    """The caller's own profile, those of others, and groups; the oldest change first."""

    own: Profile
    contacts: list[Profile]
    groups: list[GroupEntry]


# What a row is about.
_OWN, _CONTACT, _GROUP = "own", "contact", "group"

_own = (
    select(PROFILE.tagged(_OWN))
    .outerjoin(Thumbnail, Thumbnail.photo == User.photo)
    .where(User.uid == bindparam("owner"))
)
_profiles = (
    select(PROFILE.tagged(_CONTACT))
    .outerjoin(Thumbnail, Thumbnail.photo == User.photo)
    .outerjoin(by_owner, BLOCKED_BY_OWNER)
    .outerjoin(of_owner, HAS_BLOCKED_OWNER)
    .where(User.uid != bindparam("owner"), User.closed_at == 0, NO_BLOCK)
)
_groups = (
    select(GROUP_ENTRY.tagged(_GROUP))
    .join(GroupMember, GroupMember.gid == Group.gid)
    .outerjoin(Thumbnail, Thumbnail.photo == Group.photo)
    .where(GroupMember.uid == bindparam("owner"), Group.changed_at > bindparam("since"))
)
_in_book = _profiles.join(Contact, Contact.contact_key == User.contact_key).where(
    Contact.owner == bindparam("owner")
)
# The database begins with whichever is less: the phone book, or the accounts that have changed.
_CHANGED = union_all(_own, _in_book.where(User.changed_at > bindparam("since")), _groups)
_BOOK = union_all(_own, _in_book)
_NAMED = union_all(_own, _profiles.where(User.contact_key.in_(bindparam("keys", expanding=True))))


def changed(connection: Connection, owner: int, own_key: bytes, since: int) -> Found:
    """The accounts in the owner's phone book, and the owner's groups, that changed after the second `since`.

    Whom the owner has blocked, or who has blocked the owner's `own_key`, is not among them.
    """
    values = {"owner": owner, "own_key": own_key, "since": since}
    found = _found(texts(connection, _CHANGED, values))
    waiting = [group.gid for group in found.groups if not group.members]
    if waiting:  # for their members: an older version of this program changed them
        members = rosters.gathered(connection, waiting)
        found.groups[:] = [
            replace(group, members=group.members or members.get(group.gid, "")) for group in found.groups
        ]
    return found


def named(connection: Connection, owner: int, own_key: bytes, keys: Sequence[bytes]) -> Found:
    """The accounts with one of these contact keys, without those that a block keeps apart."""
    values = {"owner": owner, "own_key": own_key, "keys": list(keys)}
    return _found(connection.execute(_NAMED, values).scalars().all())


def book(connection: Connection, owner: int, own_key: bytes) -> Found:
    """As `named`, with every key in the owner's phone book."""
    return _found(texts(connection, _BOOK, {"owner": owner, "own_key": own_key}))


def _found(rows: Sequence[str]) -> Found:
    owns: list[Profile] = []
    contacts: list[Profile] = []
    groups: list[GroupEntry] = []
    for row in rows:
        kind, *values = unpack(row)
        if kind == _GROUP:
            groups.append(GROUP_ENTRY.read(values))
        else:
            (owns if kind == _OWN else contacts).append(PROFILE.read(values))
    if not owns:  # the account has gone since its session was looked up
        raise NoResultFound
    [own] = owns
    contacts.sort(key=attrgetter("changed_at", "uid"))
    groups.sort(key=attrgetter("changed_at", "gid"))
    return Found(own, contacts, groups)

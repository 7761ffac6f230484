"""What a sync reads: whether there is anything new; the caller's own profile, the contacts and the groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Annotated

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, bindparam, case, exists, func, literal_column, select, union_all
from sqlalchemy.exc import NoResultFound

from messenger_api.storage import news, rosters, sessions
from messenger_api.storage.blocks import BLOCKED_BY_OWNER, HAS_BLOCKED_OWNER, NO_BLOCK, by_owner, of_owner
from messenger_api.storage.models import Contact, Group, GroupMember, Session, Thumbnail, User
from messenger_api.storage.models.base import aliased
from messenger_api.storage.packed import PackedRow, unpack
from messenger_api.storage.sessions import Caller
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


class Own(Profile, frozen=True, array_like=True):
    """The caller's own profile; the newest noted change of anybody in the phone book; how far is noted."""

    news_at: Annotated[int, User.news_at]
    place: Annotated[str, func.coalesce(news.PLACE, literal_column("''"))]


OWN = PackedRow(Own)


@dataclass(frozen=True)
class Found:
    """The caller's own profile, those of others, and groups; the oldest change first."""

    own: Own
    contacts: list[Profile]
    groups: list[GroupEntry]


# What a row is about.
_OWN, _CONTACT, _GROUP = "own", "contact", "group"

_own = (
    select(OWN.tagged(_OWN))
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
_mine_changed = (GroupMember.uid == bindparam("owner")) & (Group.changed_at > bindparam("since"))
_groups = (
    select(GROUP_ENTRY.tagged(_GROUP))
    .join(GroupMember, GroupMember.gid == Group.gid)
    .outerjoin(Thumbnail, Thumbnail.photo == Group.photo)
    .where(_mine_changed)
)
_in_book = _profiles.join(Contact, Contact.contact_key == User.contact_key).where(
    Contact.owner == bindparam("owner")
)
# The database begins with whichever is less: the phone book, or the accounts that have changed.
_CHANGED = union_all(_own, _in_book.where(User.changed_at > bindparam("since")), _groups)
_BOOK = union_all(_own, _in_book)
_NAMED = union_all(_own, _profiles.where(User.contact_key.in_(bindparam("keys", expanding=True))))

_somebody = aliased(User)
# MySQL sees that the condition on `abs` makes the outer join an inner one, and begins with whichever is less:
# what has changed, which is little behind the place, or the phone book. SQLite, which would always walk the
# phone book, does not see it, and begins with what has changed.
_in_my_book = (Contact.owner == Session.uid) & (Contact.contact_key == _somebody.contact_key)
_somebody_changed = exists(
    select(literal_column("1"))
    .select_from(_somebody)
    .outerjoin(Contact, _in_my_book)
    .where(
        _somebody.changed_at > bindparam("start"),
        _somebody.uid != Session.uid,
        func.abs(Contact.owner) > literal_column("0"),
    )
)
_told_to = case((Session.synced_to < bindparam("since"), Session.synced_to), else_=bindparam("since"))
_group_changed = exists(
    select(literal_column("1"))
    .select_from(GroupMember)
    .join(Group, Group.gid == GroupMember.gid)
    .where(GroupMember.uid == Session.uid, Group.changed_at > _told_to)
)


class Glance(Own, frozen=True, array_like=True):
    """Whether somebody in the phone book has changed behind the place, and a group."""

    somebody: Annotated[bool, _somebody_changed]
    group: Annotated[bool, _group_changed]


GLANCE = PackedRow(Glance)
_GLANCE = sessions.beside(GLANCE.column).outerjoin(Thumbnail, Thumbnail.photo == User.photo)


def glance(
    connection: Connection, since: int, start: int, *, token_hash: bytes, seen_since: int
) -> tuple[Caller, Glance] | None:
    """A caller, and whether `changed` may find something: else neither is true, `news_at` at most `since`.

    `since` is `synced_to` where that is earlier. Accounts are walked behind the second `start`.
    """
    values = {"since": since, "start": start}
    found = sessions.caller_beside(connection, _GLANCE, values, token_hash=token_hash, seen_since=seen_since)
    return (found[0], GLANCE.read(unpack(found[1]))) if found else None


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
    owns: list[Own] = []
    contacts: list[Profile] = []
    groups: list[GroupEntry] = []
    for row in rows:
        kind, *values = unpack(row)
        if kind == _GROUP:
            groups.append(GROUP_ENTRY.read(values))
        elif kind == _OWN:
            owns.append(OWN.read(values))
        else:
            contacts.append(PROFILE.read(values))
    if not owns:  # the account has gone since its session was looked up
        raise NoResultFound
    [own] = owns
    contacts.sort(key=attrgetter("changed_at", "uid"))
    groups.sort(key=attrgetter("changed_at", "gid"))
    return Found(own, contacts, groups)

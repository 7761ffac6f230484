"""What a sync reads: whether there is anything new; the caller's own profile, the contacts and the groups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Annotated

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, bindparam, case, exists, func, literal_column, select

from messenger_api.storage import news, rosters, sessions
from messenger_api.storage.blocks import BLOCKED_BY_OWNER, HAS_BLOCKED_OWNER, NO_BLOCK, by_owner, of_owner
from messenger_api.storage.models import Contact, Group, GroupMember, Session, Thumbnail, User
from messenger_api.storage.models.base import aliased
from messenger_api.storage.packed import PackedRow
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


# What is found has no statement in common: what a union finds MariaDB copies once more, and reads each byte.
_OWN = sessions.beside(OWN.column).outerjoin(Thumbnail, Thumbnail.photo == User.photo)
# Most have no photo: MariaDB would look for the thumbnail of each.
_has_thumbnail = (User.photo != literal_column("''")) & (Thumbnail.photo == User.photo)
_profiles = (
    select(PROFILE.column)
    .select_from(User)
    .outerjoin(Thumbnail, _has_thumbnail)
    .outerjoin(by_owner, BLOCKED_BY_OWNER)
    .outerjoin(of_owner, HAS_BLOCKED_OWNER)
    .where(User.uid != bindparam("owner"), User.closed_at == 0, NO_BLOCK)
)
# The database begins with whichever is less: the phone book, or the accounts that have changed.
_CHANGED = _profiles.join(Contact, Contact.contact_key == User.contact_key).where(
    Contact.owner == bindparam("owner"), User.changed_at > bindparam("since")
)
_NAMED = _profiles.where(User.contact_key.in_(bindparam("keys", expanding=True)))
_mine_changed = (GroupMember.uid == bindparam("owner")) & (Group.changed_at > bindparam("since"))
_GROUPS = (
    select(GROUP_ENTRY.column)
    .join(GroupMember, GroupMember.gid == Group.gid)
    .outerjoin(Thumbnail, Thumbnail.photo == Group.photo)
    .where(_mine_changed)
)

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


def own(connection: Connection, *, token_hash: bytes, seen_since: int) -> tuple[Caller, Own] | None:
    """A caller, and the own profile."""
    found = sessions.caller_beside(connection, _OWN, {}, token_hash=token_hash, seen_since=seen_since)
    return (found[0], OWN.read(found[1])) if found else None


def glance(
    connection: Connection, since: int, start: int, *, token_hash: bytes, seen_since: int
) -> tuple[Caller, Glance] | None:
    """As `own`, and whether there may be news: `somebody` or a `news_at` beyond `since` where `changed`
    may find something, `group` where `groups` does.

    `since` is `synced_to` where that is earlier. Accounts are walked behind the second `start`.
    """
    values = {"since": since, "start": start}
    found = sessions.caller_beside(connection, _GLANCE, values, token_hash=token_hash, seen_since=seen_since)
    return (found[0], GLANCE.read(found[1])) if found else None


def changed(connection: Connection, owner: int, own_key: bytes, since: int) -> list[Profile]:
    """The accounts in the owner's phone book that changed after the second `since`, the oldest change first.

    Whom the owner has blocked, or who has blocked the owner's `own_key`, is not among them.
    """
    values = {"owner": owner, "own_key": own_key, "since": since}
    return _in_order(texts(connection, _CHANGED, values))


def named(connection: Connection, owner: int, own_key: bytes, keys: Iterable[bytes]) -> list[Profile]:
    """As `changed`, the accounts with one of these contact keys, whenever they changed."""
    values = {"owner": owner, "own_key": own_key, "keys": list(keys)}
    return _in_order(connection.execute(_NAMED, values).scalars().all())


def groups(connection: Connection, owner: int, since: int) -> list[GroupEntry]:
    """The owner's groups that changed after the second `since`, the oldest change first."""
    found = GROUP_ENTRY.read_all(texts(connection, _GROUPS, {"owner": owner, "since": since}))
    waiting = [group.gid for group in found if not group.members]
    if waiting:  # for their members: an older version of this program changed them
        members = rosters.gathered(connection, waiting)
        found = [replace(group, members=group.members or members.get(group.gid, "")) for group in found]
    return sorted(found, key=attrgetter("changed_at", "gid"))


def _in_order(rows: Sequence[str]) -> list[Profile]:
    # Twice by a number takes a third of what it takes once by two.
    by_uid = sorted(PROFILE.read_all(rows), key=attrgetter("uid"))
    return sorted(by_uid, key=attrgetter("changed_at"))

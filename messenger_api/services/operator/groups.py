"""Groups as an operator looks at them."""

from __future__ import annotations

import msgspec

from messenger_api.storage import groups
from messenger_api.storage.db import Database


class ListedGroup(msgspec.Struct, frozen=True):
    """A line of the list; times are unix seconds. `owner` is a number."""

    gid: int
    name: str
    owner: str
    members: int
    created_at: int
    changed_at: int


class ShownMember(msgspec.Struct, frozen=True):
    """Somebody in a group; `role` is member, admin or owner."""

    uid: int
    address: str
    role: str


class ShownGroup(msgspec.Struct, frozen=True):
    """A group with its members, in the order in which apps show them."""

    gid: int
    name: str
    photo: str
    changed_at: int
    members: list[ShownMember]


class GroupQueries:
    """Reads groups. Every method raises TryLater when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, *, after: int, limit: int) -> list[ListedGroup]:
        """Up to `limit` groups whose gid is greater than `after`, in the order of their gids."""
        rows = self._database.run(lambda tx: groups.page(tx, after=after, limit=limit))
        return [ListedGroup(*row) for row in rows]

    def show(self, gid: int) -> ShownGroup | None:
        """A group; None if there is none with this gid."""
        group = self._database.run(lambda tx: groups.find(tx, gid))
        if group is None:
            return None
        members = [ShownMember(m.uid, m.address, m.role.name.lower()) for m in group.roster.members]
        return ShownGroup(group.gid, group.name, group.photo, group.changed_at, members)

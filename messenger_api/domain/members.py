"""The members of a group: roles, their order on the wire, and who may do what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import IntEnum


class Role(IntEnum):
    """What a member may do; a higher role includes the lower ones."""

    MEMBER = 0
    ADMIN = 1
    OWNER = 2


# Of a member who has not been written yet: behind everybody who has.
NEWEST = 2**63 - 1


@dataclass(frozen=True)
class Member:
    """A person in a group. `position` is the order of joining, in which newcomers are the last."""

    uid: int
    address: str
    role: Role = Role.MEMBER
    position: int = field(default=NEWEST, compare=False)


@dataclass(frozen=True)
class Roster:
    """The members of one group, owner first, then admins, then members, each by the time they joined."""

    members: tuple[Member, ...]

    @classmethod
    def of(cls, members: Iterable[Member]) -> Roster:
        """Sort by role, then by the order of joining; newcomers keep the order in which they come."""
        return cls(tuple(sorted(members, key=lambda member: (-member.role, member.position))))

    def get(self, uid: int) -> Member | None:
        """The member with this uid."""
        return next((member for member in self.members if member.uid == uid), None)

    def role(self, uid: int) -> Role | None:
        """What `uid` is in this group; None for a stranger."""
        member = self.get(uid)
        return member.role if member else None

    def addresses(self, *, but: int = 0) -> list[str]:
        """The members' addresses, without that of the uid `but`."""
        return [member.address for member in self.members if member.uid != but]

    def wire(self) -> str:
        """`"<number of admins>:<owner>,<other admins>,<members>"`; the owner counts as an admin."""
        admins = sum(member.role >= Role.ADMIN for member in self.members)
        return f"{admins}:{','.join(self.addresses())}"

    def with_members(self, added: Iterable[Member]) -> Roster:
        """The same group with more people; those who are in it already keep their role."""
        people = {member.uid: member for member in self.members}
        for member in added:
            people.setdefault(member.uid, member)
        return Roster.of(people.values())

    def without(self, uids: Iterable[int]) -> Roster:
        """The same group without these people. The owner stays whatever is asked."""
        gone = set(uids)
        return Roster(tuple(m for m in self.members if m.role == Role.OWNER or m.uid not in gone))

    def left_by(self, uid: int) -> Roster:
        """The same group without this person, whoever it is.

        When the owner goes, the oldest admin takes over, and where there is none the oldest member.
        """
        staying = [member for member in self.members if member.uid != uid]
        if staying and staying[0].role != Role.OWNER:
            staying[0] = replace(staying[0], role=Role.OWNER)
        return Roster(tuple(staying))

    def replaced(self, wanted: Iterable[Member], *, keep: int) -> Roster:
        """The same group with exactly these people, the owner and `keep`; who stays keeps the role."""
        people = list(wanted)
        staying = {keep, *(member.uid for member in people)}
        return self.without(m.uid for m in self.members if m.uid not in staying).with_members(people)

    def with_role(self, uids: Iterable[int], role: Role) -> Roster:
        """The same group with these members' role changed. The owner stays the owner."""
        named = set(uids)
        return Roster.of(
            replace(m, role=role) if m.uid in named and m.role != Role.OWNER else m for m in self.members
        )

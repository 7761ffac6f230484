"""Groups of the PHP demo and their members."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from messenger_api.domain.members import Member, Role, Roster
from messenger_api.moving.mended import Skipped
from messenger_api.moving.numbers import Numbers
from messenger_api.moving.people import BAD_NAME, Account, People, photo_of, plain, second
from messenger_api.moving.report import Report
from messenger_api.moving.rows import GroupRow, MemberRow
from messenger_api.moving.targets import Target
from messenger_api.moving.texts import readable
from messenger_api.storage.models import NAME_LENGTH

NO_GID = "no gid of mesibo's"
NO_MEMBERS = "none of its members has an account, or another row has this gid"
NO_GROUP = "no group with this gid"
NOBODY = "nobody with this number has an account"
NO_OWNER = "had no owner: the first admin, else the first member, is"
TWO_OWNERS = "had more than one owner: the first one is, the others are admins"


class Rooms:
    """Moves groups. Whoever has no account here is no member; each group that has members has one owner."""

    def __init__(self, people: People, numbers: Numbers, report: Report, skipped: Skipped, now: int) -> None:
        self._people = people
        self._numbers = numbers
        self._report = report
        self._skipped = skipped
        self._now = now
        self.photos: list[str] = []
        """Of the groups that were moved."""

    def move(self, groups: list[GroupRow], members: Iterable[MemberRow], target: Target) -> None:
        """Write every group with its members, in the order in which the source told them."""
        gids = {row.gid for row in groups if row.gid > 0}
        with self._report.timed("members"):
            rosters = self._rosters(members, gids)
        with self._report.timed("groups") as count:
            for row in groups:
                count.read += 1
                self._report.tell("groups")
                # Each roster once: a second group with its gid finds none.
                roster = rosters.pop(row.gid, None)
                if roster is None:
                    self._skip_group(row, NO_MEMBERS if row.gid > 0 else NO_GID)
                else:
                    count.moved += 1
                    self._write(row, self._with_one_owner(roster), target)
            target.flush("chat_groups")
        with self._report.timed("members"):
            target.flush("group_members")

    def _rosters(self, members: Iterable[MemberRow], gids: set[int]) -> dict[int, list[Member]]:
        """The members of each group: one for each account, with the highest of its roles."""
        count = self._report["members"]
        found: defaultdict[int, dict[int, Member]] = defaultdict(dict)
        for row in members:
            count.read += 1
            self._report.tell("members")
            account = self._account(row.phone) if row.gid in gids else None
            if account is None:
                self._skip_member(row, NOBODY if row.gid in gids else NO_GROUP)
                continue
            role = Role(row.role) if row.role in (0, 1, 2) else Role.MEMBER
            group = found[row.gid]
            known = group.get(account.uid)
            if known:
                count.merged += 1
                role = max(role, known.role)
            else:
                count.moved += 1
            position = known.position if known else len(group)
            group[account.uid] = Member(account.uid, account.address, role, position)
        return {gid: list(group.values()) for gid, group in found.items()}

    def _account(self, phone: str) -> Account | None:
        digits = plain(phone)
        if digits in self._people.by_phone:
            return self._people.by_phone[digits]
        who = self._numbers.at_login(digits) if digits else None
        return self._people.by_key.get(who.key) if who else None

    def _with_one_owner(self, members: list[Member]) -> Roster:
        notes = self._report["groups"].notes
        first, *others = Roster.of(members).members
        if first.role != Role.OWNER:
            notes[NO_OWNER] += 1
        elif others and others[0].role == Role.OWNER:
            notes[TWO_OWNERS] += 1
        owner = Member(first.uid, first.address, Role.OWNER, first.position)
        return Roster.of(
            [owner, *(Member(m.uid, m.address, min(m.role, Role.ADMIN), m.position) for m in others)]
        )

    def _write(self, row: GroupRow, roster: Roster, target: Target) -> None:
        photo = photo_of(row.photo)
        if photo:
            self.photos.append(photo)
        elif row.photo:
            self._report["groups"].notes[BAD_NAME] += 1
        changed_at = second(row.ts, self._now)
        name = readable(row.name, NAME_LENGTH)
        target.add("chat_groups", (row.gid, name, photo, changed_at, changed_at, roster.wire(), 0))
        for m in roster.members:
            target.add("group_members", (row.gid, m.uid, int(m.role), m.position))

    def _skip_group(self, row: GroupRow, reason: str) -> None:
        self._report["groups"].skipped[reason] += 1
        self._skipped.add("groups", str(row.gid), reason, gid=row.gid)

    def _skip_member(self, row: MemberRow, reason: str) -> None:
        self._report["members"].skipped[reason] += 1
        name = f"{row.gid}/{row.phone}"
        self._skipped.add("members", name, reason, gid=row.gid, phone=row.phone, role=row.role)

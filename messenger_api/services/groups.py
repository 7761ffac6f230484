"""Groups: made, edited, left and deleted here and at mesibo, with both sides agreeing afterwards.

What mesibo may refuse (making a group, its name, adding and removing members) is asked of mesibo first,
outside any transaction, then written. The intention stands in the outbox before mesibo is asked: if the
request does not get to its end, for whatever reason, the worker brings mesibo's copy back to what our
database says. Two admins who edit one group at once are told apart by the group's `version`; the second
reads again and starts over. What mesibo cannot refuse (leaving, deleting, a new name from a profile) is
written first and follows by the outbox.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog
from sqlalchemy import Connection

from messenger_api.domain.errors import ApiError, BadGroup, NotMember, TooMany, TryLater
from messenger_api.domain.members import Member, Role, Roster
from messenger_api.domain.phone import read
from messenger_api.domain.secrets import Keys
from messenger_api.gateways.mesibo import MesiboClient, MesiboError
from messenger_api.services.media import Media
from messenger_api.services.updates import (
    file_gone,
    group_gone,
    group_text,
    mirror,
    mirror_later,
    tell,
)
from messenger_api.services.upstream import chunks, translated
from messenger_api.settings import Settings
from messenger_api.storage import groups, outbox, users
from messenger_api.storage.db import Database, Uncertain
from messenger_api.storage.groups import GroupState
from messenger_api.storage.outbox import Draft
from messenger_api.storage.sessions import Caller

log = structlog.get_logger(__name__)

# How often an edit starts over because somebody else changed the group meanwhile.
EDIT_ATTEMPTS = 4


class Groups:
    """What a user can do with groups."""

    def __init__(
        self, settings: Settings, database: Database, keys: Keys, mesibo: MesiboClient, media: Media
    ) -> None:
        self._settings = settings
        self._database = database
        self._keys = keys
        self._mesibo = mesibo
        self._media = media

    def get(self, caller: Caller, gid: int) -> GroupState:
        """A group, for its members. Raises NotMember."""
        group = self._find(gid)
        if group is None or group.roster.role(caller.uid) is None:
            raise NotMember
        return group

    def create(
        self, caller: Caller, name: str, entries: Sequence[str], photo: bytes | None = None
    ) -> GroupState:
        """Make a group of the caller, its owner, and everyone among `entries` who has an account.

        Raises:
            TryLater: mesibo or the database is down; the group exists nowhere.
            Refused: mesibo said no.
            TooMany: more members than `MAX_GROUP_MEMBERS`.
        """
        owner = Member(caller.uid, caller.address, Role.OWNER)
        roster = Roster((owner,)).with_members(self._people(caller, entries))
        self._check_size(roster)
        new_photo = self._keep_photo(photo)

        def make() -> GroupState:
            gid = self._create_at_mesibo(name, roster)
            group = GroupState(gid, name, "", "", 1, 0, roster)
            return self._save_new(caller, replace(group, **new_photo))

        return self._keeping(new_photo, make)

    def edit(
        self,
        caller: Caller,
        gid: int,
        name: str,
        entries: Sequence[str] | None,
        photo: bytes | None = None,
    ) -> GroupState:
        """Give a group a name ("" keeps the old one), exactly these members, and a photo.

        None for members or photo leaves them as they are.

        The owner stays, and everyone who stays keeps the role.

        Raises:
            BadGroup: the caller is not an admin of it.
            TryLater, Refused, TooMany: see `create`.
        """
        people = None if entries is None else self._people(caller, entries)
        new_photo = self._keep_photo(photo)

        def attempt() -> GroupState | None:
            before = self._as_admin(caller, gid)
            roster = before.roster if people is None else before.roster.replaced(people, keep=caller.uid)
            self._check_size(roster)
            after = replace(before, name=name or before.name, roster=roster, **new_photo)
            subject = f"You have been added to group {after.name}"
            return self._save_with_mesibo(caller, before, after, subject, rename=True)

        return self._keeping(new_photo, lambda: self._again(attempt))

    def add_members(self, caller: Caller, gid: int, entries: Sequence[str]) -> GroupState:
        """Add people. Raises BadGroup, TryLater, Refused, TooMany."""
        people = self._people(caller, entries)

        def attempt() -> GroupState | None:
            before = self._as_admin(caller, gid)
            after = replace(before, roster=before.roster.with_members(people))
            self._check_size(after.roster)
            return before if after == before else self._save_with_mesibo(caller, before, after)

        return self._again(attempt)

    def remove_members(self, caller: Caller, gid: int, entries: Sequence[str]) -> GroupState:
        """Remove people; the owner stays. Raises BadGroup, TryLater, Refused."""
        people = self._people(caller, entries)

        def attempt() -> GroupState | None:
            before = self._as_admin(caller, gid)
            after = replace(before, roster=before.roster.without(person.uid for person in people))
            return before if after == before else self._save_with_mesibo(caller, before, after)

        return self._again(attempt)

    def set_admins(self, caller: Caller, gid: int, entries: Sequence[str], *, admin: bool) -> GroupState:
        """Make members admins, or admins members; the owner stays. Raises BadGroup, TryLater."""
        uids = [person.uid for person in self._people(caller, entries)]
        role = Role.ADMIN if admin else Role.MEMBER

        def attempt() -> GroupState | None:
            before = self._as_admin(caller, gid)
            after = replace(before, roster=before.roster.with_role(uids, role))
            return before if after == before else self._save(caller, before, after)

        return self._again(attempt)

    def change(
        self,
        caller: Caller,
        gid: int,
        *,
        name: str = "",
        photo: bytes | None = None,
        remove_photo: bool = False,
    ) -> GroupState:
        """Rename a group ("" keeps the name), or change or remove its photo.

        Raises:
            BadGroup: the caller is not an admin of it.
            BadImage, TooLarge: the photo cannot be used.
            TryLater: the database is down.
        """
        new_photo = self._keep_photo(photo) or ({"photo": "", "tn": ""} if remove_photo else {})

        def attempt() -> GroupState | None:
            before = self._as_admin(caller, gid)
            after = replace(before, name=name or before.name, **new_photo)
            if after == before:
                return before
            if after.name == before.name:
                return self._save(caller, before, after)
            actor = caller.name or caller.address
            subject = f"{actor} has changed group name to {after.name}"
            return self._save(caller, before, after, subject, mirror(gid, rename=True))

        return self._keeping(new_photo, lambda: self._again(attempt))

    def leave(self, caller: Caller, gid: int) -> None:
        """Leave a group, or delete it as its owner. Raises NotMember, TryLater."""

        def attempt() -> GroupState | None:
            before = self.get(caller, gid)
            if before.roster.role(caller.uid) == Role.OWNER:
                return self._delete(caller, before)
            after = replace(before, roster=before.roster.without([caller.uid]))
            return self._save(caller, before, after, "", mirror(gid, [caller.address]))

        self._again(attempt)

    # Reading

    def _find(self, gid: int) -> GroupState | None:
        return self._database.run(lambda tx: groups.find(tx, gid))

    def _as_admin(self, caller: Caller, gid: int) -> GroupState:
        group = self._find(gid)
        role = group.roster.role(caller.uid) if group else None
        if group is None or role is None or role < Role.ADMIN:
            raise BadGroup
        return group

    def _people(self, caller: Caller, entries: Sequence[str]) -> list[Member]:
        """The accounts behind these numbers, in the order in which they were named."""
        phones = (read(entry, caller.country) for entry in entries)
        keys = list(dict.fromkeys(self._keys.contact_key(phone) for phone in phones if phone))
        if len(keys) > self._settings.max_group_members:
            raise self._too_many()
        found = {a.contact_key: a for a in self._database.run(lambda tx: users.accounts(tx, keys))}
        return [Member(found[key].uid, found[key].address) for key in keys if key in found]

    def _check_size(self, roster: Roster) -> None:
        if len(roster.members) > self._settings.max_group_members:
            raise self._too_many()

    def _too_many(self) -> TooMany:
        return TooMany("members_many", retry_after=1, limit=self._settings.max_group_members)

    # Photos

    def _keep_photo(self, photo: bytes | None) -> dict[str, Any]:
        """Store a photo; the fields of a group that it changes."""
        if photo is None:
            return {}
        picture = self._media.photo(photo)
        return {"photo": self._media.keep_photo(picture), "tn": picture.thumbnail}

    def _keeping(self, new_photo: Mapping[str, Any], work: Callable[[], GroupState]) -> GroupState:
        """Run `work`; the stored photo goes when it fails."""
        try:
            return work()
        except Uncertain:
            raise
        except BaseException:
            if new_photo.get("photo"):
                self._media.discard(new_photo["photo"])
            raise

    # Making a group

    def _create_at_mesibo(self, name: str, roster: Roster) -> int:
        first, *rest = chunks(roster.addresses())
        with translated():
            gid = self._mesibo.add_group(name, first, on_late=self._drop_at_mesibo)
        try:
            with translated():
                for more in rest:
                    self._mesibo.edit_members(gid, more)
        except ApiError:
            self._drop_at_mesibo(gid)
            raise
        return gid

    def _drop_at_mesibo(self, gid: int) -> None:
        """A group that mesibo made but nobody will use: delete it, now or when mesibo is back."""
        try:
            self._database.write(lambda tx, now: outbox.add(tx, now, [group_gone(gid)]))
        except TryLater:
            try:
                self._mesibo.delete_group(gid)
            except MesiboError:
                log.error("group.left_at_mesibo", gid=gid)

    def _save_new(self, caller: Caller, group: GroupState) -> GroupState:
        def work(tx: Connection, now: int) -> GroupState:
            if group.photo:
                users.add_thumbnail(tx, group.photo, group.tn)
            groups.add(tx, now, group)
            subject = f"You have been added to group {group.name}"
            outbox.add(tx, now, _news(caller, group, group, now, subject))
            return group

        try:
            return self._database.write(work)
        except BaseException:
            self._drop_at_mesibo(group.gid)
            raise

    # Changing a group

    def _again(self, attempt: Callable[[], GroupState | None]) -> GroupState:
        """Start over while somebody else changes the group between our reading and our writing."""
        for _ in range(EDIT_ATTEMPTS):
            result = attempt()
            if result is not None:
                return result
        raise TryLater(retry_after=2)

    def _save_with_mesibo(
        self,
        caller: Caller,
        before: GroupState,
        after: GroupState,
        subject: str = "",
        *,
        rename: bool = False,
    ) -> GroupState | None:
        """Ask mesibo first, then write; None when the group has changed since `before` was read."""
        added, removed = _difference(before.roster, after.roster)
        # mesibo is handed the old members with the name: one of them may be leaving at this moment.
        handed = chunks(after.roster.addresses())[0] if rename else []
        concerned = dict.fromkeys([*added, *removed, *handed])
        draft = mirror_later(before.gid, concerned, rename=rename)
        [intent] = self._database.run(lambda tx: outbox.add(tx, self._database.now(), [draft]))
        saved = None
        try:
            with translated():
                if rename:
                    self._mesibo.set_group(before.gid, after.name, handed)
                for part in chunks(added):
                    self._mesibo.edit_members(before.gid, part)
                for part in chunks(removed):
                    self._mesibo.edit_members(before.gid, part, remove=True)
            saved = self._save(caller, before, after, subject, intent=intent)
        finally:
            if saved is None:
                self._bring_back(mirror(before.gid, concerned, rename=rename))
        return saved

    def _bring_back(self, draft: Draft) -> None:
        """Put mesibo right now. The intent stays: mesibo may yet carry out what it did not answer in time."""
        try:
            self._database.write(lambda tx, now: outbox.add(tx, now, [draft]))
        except TryLater:
            log.warning("group.intent_waits", lane=draft.lane)

    def _save(
        self,
        caller: Caller,
        before: GroupState,
        after: GroupState,
        subject: str = "",
        *follow_up: Draft,
        intent: int = 0,
    ) -> GroupState | None:
        """Write `after` with its update messages; None when the group has changed since `before` was read."""

        def work(tx: Connection, now: int) -> GroupState | None:
            if not groups.change(tx, now, before, name=after.name, photo=after.photo):
                return None
            groups.change_members(tx, before, after.roster)
            gone = []
            if after.photo != before.photo:
                gone = file_gone(before.photo)
                if after.photo:
                    users.add_thumbnail(tx, after.photo, after.tn)
            outbox.add(tx, now, [*follow_up, *_news(caller, before, after, now, subject), *gone])
            if intent:
                outbox.done(tx, intent)
            return after

        return self._database.write(work)

    def _delete(self, caller: Caller, before: GroupState) -> GroupState | None:
        after = replace(before, roster=Roster(()))

        def work(tx: Connection, now: int) -> GroupState | None:
            if not groups.remove(tx, before):
                return None
            news = _news(caller, before, after, now, "")
            outbox.add(tx, now, [group_gone(before.gid), *news, *file_gone(before.photo)])
            return after

        return self._database.write(work)


def _difference(before: Roster, after: Roster) -> tuple[list[str], list[str]]:
    """The addresses that came and that went."""
    old, new = dict.fromkeys(before.addresses()), dict.fromkeys(after.addresses())
    return [address for address in new if address not in old], [a for a in old if a not in new]


def _news(caller: Caller, before: GroupState, after: GroupState, now: int, subject: str) -> list[Draft]:
    """The update messages about a change: to the members, and to those who no longer are."""
    _added, removed = _difference(before.roster, after.roster)
    former = [address for address in removed if address != caller.address]
    members = after.roster.addresses(but=caller.uid)
    return [
        *tell(after.gid, caller.address, members, group_text(after, now, subject)),
        *tell(after.gid, caller.address, former, group_text(after, now, "")),
    ]

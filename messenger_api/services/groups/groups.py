"""Groups: what a user may do with them.

`changes` writes what is decided here. Two admins who edit one group at once are told apart by the
group's `version`; the second reads again and starts over.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import structlog

from messenger_api.domain.errors import BadGroup, NotMember, Refused, TryLater
from messenger_api.domain.members import Member, Role, Roster
from messenger_api.domain.texts import REFERENCE
from messenger_api.services.callers import Callers
from messenger_api.services.groups.changes import GroupChanges
from messenger_api.services.groups.invited import Invited
from messenger_api.services.groups.repeats import Repeats, Turn
from messenger_api.services.groups.tasks import MirrorGroup
from messenger_api.services.people.media import Media
from messenger_api.services.update_messages import added_to
from messenger_api.storage import groups
from messenger_api.storage.db import Database, Uncertain
from messenger_api.storage.groups import GroupState
from messenger_api.storage.sessions import Caller
from messenger_api.storage.syncs import GroupEntry

log = structlog.get_logger(__name__)

# How often an edit starts over because somebody else changed the group meanwhile.
EDIT_ATTEMPTS = 4

Seen = TypeVar("Seen")
Edit = tuple[GroupState, GroupState]
"""A group as it was read, and as it shall be."""


class Groups:
    """What a user can do with groups."""

    def __init__(
        self,
        database: Database,
        callers: Callers,
        invited: Invited,
        changes: GroupChanges,
        media: Media,
        repeats: Repeats,
    ) -> None:
        self._database = database
        self._callers = callers
        self._invited = invited
        self._changes = changes
        self._media = media
        self._repeats = repeats

    def get(self, token: str, gid: int) -> GroupEntry:
        """A group, for its members, by the token of a session. Raises AuthFail, NotMember."""
        look = partial(groups.shown_to_caller, gid=gid)
        _caller, group = self._callers.find_with(token, look)
        if group is None:
            raise NotMember
        return group

    def create(
        self,
        caller: Caller,
        name: str,
        entries: Sequence[str],
        photo: bytes | None = None,
        *,
        language: str = REFERENCE,
    ) -> GroupState:
        """Make a group of the caller, its owner, and everyone among `entries` who has an account.

        Whoever has blocked the caller is left out. Without a name it gets those of its first members, or one
        in this language. The same call of the same session within a minute is the same group.

        Raises:
            TryLater: mesibo or the database is down; the group exists nowhere.
            Refused: mesibo said no.
            TooMany: more members than `MAX_GROUP_MEMBERS`.
        """
        picture = hashlib.sha256(photo or b"").digest()
        what = (
            caller.sid,
            name,
            sorted({*self._invited.keys(caller, entries)} - {caller.contact_key}),
            picture,
        )
        with self._repeats.turn(*what) as turn:
            found = self._find(turn.made) if turn.made else None
            if found and found.roster.role(caller.uid) is not None:
                return found
            if not turn.made:
                return self._create(caller, name, entries, photo, turn, language)
        # It is gone, or the caller has left it: this is no repetition.
        with self._repeats.turn(*what, but=turn.made) as turn:
            return self._create(caller, name, entries, photo, turn, language)

    def _create(
        self,
        caller: Caller,
        name: str,
        entries: Sequence[str],
        photo: bytes | None,
        turn: Turn,
        language: str,
    ) -> GroupState:
        alone = Roster((Member(caller.uid, caller.address, Role.OWNER),))

        def look() -> GroupState:
            roster = alone.with_members(self._invited.newcomers(caller, entries, alone))
            self._invited.fits(roster)
            return GroupState(0, name or self._invited.name_for(roster, language), "", "", 1, 0, roster)

        def make(group: GroupState) -> GroupState | None:
            made = self._changes.create_at_mesibo(group.name, group.roster)
            new = replace(group, gid=made.gid, **new_photo)
            return self._changes.save_new(caller, new, made.note, turn)

        first = look()
        new_photo = self._keep_photo(photo)
        return self._keeping(new_photo, lambda: _starting_over(first, look, make))

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
        if photo is not None:  # reading it costs more than asking for the rights twice
            self._as_admin(caller, gid)
        new_photo = self._keep_photo(photo)

        def edited(before: GroupState) -> GroupState:
            roster = before.roster
            if entries is not None:
                roster = roster.replaced(self._invited.newcomers(caller, entries, roster), keep=caller.uid)
            self._invited.fits(roster)
            return replace(before, name=name or before.name, roster=roster, **new_photo)

        def save(seen: Edit) -> GroupState | None:
            before, after = seen
            return self._changes.save_with_mesibo(caller, before, after, added_to(after), rename=True)

        return self._keeping(new_photo, lambda: self._edited(caller, gid, edited, save))

    def add_members(self, caller: Caller, gid: int, entries: Sequence[str]) -> GroupState:
        """Add people. Raises BadGroup, TryLater, Refused, TooMany."""

        def edited(before: GroupState) -> GroupState:
            people = self._invited.newcomers(caller, entries, before.roster)
            after = replace(before, roster=before.roster.with_members(people))
            self._invited.fits(after.roster)
            return after

        return self._edited(caller, gid, edited, partial(self._save, caller))

    def remove_members(self, caller: Caller, gid: int, entries: Sequence[str]) -> GroupState:
        """Remove people; the owner stays. Raises BadGroup, TryLater, Refused."""

        def edited(before: GroupState) -> GroupState:
            gone = [person.uid for person in self._invited.people(caller, entries)]
            return replace(before, roster=before.roster.without(gone))

        return self._edited(caller, gid, edited, partial(self._save, caller))

    def set_admins(self, caller: Caller, gid: int, entries: Sequence[str], *, admin: bool) -> GroupState:
        """Make members admins, or admins members; the owner stays. Raises BadGroup, TryLater."""
        role = Role.ADMIN if admin else Role.MEMBER

        def attempt() -> GroupState | None:
            before = self._as_admin(caller, gid)
            uids = [person.uid for person in self._invited.people(caller, entries)]
            after = replace(before, roster=before.roster.with_role(uids, role))
            return before if after == before else self._changes.save(caller, before, after)

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
                return self._changes.save(caller, before, after)
            actor = caller.name or caller.address
            subject = f"{actor} has changed group name to {after.name}"
            mirror = MirrorGroup(gid, [], rename=True).draft()
            return self._changes.save(caller, before, after, subject, mirror)

        return self._keeping(new_photo, lambda: self._again(attempt))

    def leave(self, caller: Caller, gid: int) -> None:
        """Leave a group, or delete it as its owner. Raises NotMember, TryLater."""

        def attempt() -> GroupState | None:
            before = self._find(gid)
            role = before.roster.role(caller.uid) if before else None
            if before is None or role is None:
                raise NotMember
            if role == Role.OWNER:
                return self._changes.delete(caller, before)
            after = replace(before, roster=before.roster.without([caller.uid]))
            return self._changes.save(caller, before, after, "", MirrorGroup(gid, [caller.address]).draft())

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

    # Changing a group

    def _edited(
        self,
        caller: Caller,
        gid: int,
        edited: Callable[[GroupState], GroupState],
        save: Callable[[Edit], GroupState | None],
    ) -> GroupState:
        """A group that the caller edits, with mesibo asked first."""

        def look() -> Edit:
            before = self._as_admin(caller, gid)
            return before, edited(before)

        return _starting_over(look(), look, save)

    def _save(self, caller: Caller, seen: Edit) -> GroupState | None:
        before, after = seen
        return before if after == before else self._changes.save_with_mesibo(caller, before, after)

    def _again(self, attempt: Callable[[], GroupState | None]) -> GroupState:
        """Start over while somebody else changes the group between our reading and our writing."""
        for _ in range(EDIT_ATTEMPTS):
            result = attempt()
            if result is not None:
                return result
        raise TryLater(retry_after=2)


def _starting_over(
    seen: Seen, look: Callable[[], Seen], attempt: Callable[[Seen], GroupState | None]
) -> GroupState:
    """Try again while others change what was looked at between our reading and our writing.

    mesibo refuses people whom it does not know: where somebody has gone meanwhile, another look shows it.
    """
    for _ in range(EDIT_ATTEMPTS):
        refused: Refused | None = None
        try:
            result = attempt(seen)
        except Refused as error:
            result, refused = None, error
        if result is not None:
            return result
        before, seen = seen, look()
        if refused and seen == before:
            raise refused
    raise TryLater(retry_after=2)

"""Groups written on both sides, here and at mesibo, so that both agree afterwards.

What mesibo may refuse (making a group, its name, adding and removing members) is asked of mesibo first,
outside any transaction, then written. The intention stands in the outbox before mesibo is asked: if the
request does not get to its end, for whatever reason, the worker brings mesibo's copy back to what our
database says. What mesibo cannot refuse (leaving, deleting, a new name from a profile) is written first
and follows by the outbox.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import structlog
from sqlalchemy import Connection

from messenger_api.domain.errors import ApiError, AuthFail, Refused, TryLater
from messenger_api.domain.members import Roster
from messenger_api.gateways.mesibo import MesiboClient, MesiboError, MesiboUnreachable
from messenger_api.services.bulkhead import chunks, translated
from messenger_api.services.groups.repeats import Turn
from messenger_api.services.groups.tasks import GroupGone, MirrorGroup, tell
from messenger_api.services.people.tasks import file_gone
from messenger_api.services.update_messages import added_to, group_text
from messenger_api.storage import groups, new_groups, outbox, users
from messenger_api.storage.db import Database
from messenger_api.storage.groups import GroupState
from messenger_api.storage.outbox import Draft
from messenger_api.storage.sessions import Caller

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Made:
    """A group that mesibo has made, and the note of it (`storage.new_groups`)."""

    gid: int
    note: int


class GroupChanges:
    """Carries out what `groups.Groups` has decided."""

    def __init__(self, database: Database, mesibo: MesiboClient) -> None:
        self._database = database
        self._mesibo = mesibo

    def create_at_mesibo(self, name: str, roster: Roster) -> Made:
        """Make a group at mesibo. Raises TryLater, Refused; then it exists nowhere, or is being removed."""
        first, *rest = chunks(roster.addresses())
        note = self._database.write(lambda tx, now: new_groups.add(tx, now, name, first))
        made = Made(self._add_at_mesibo(name, first, note), note)
        try:
            with translated():
                for more in rest:
                    self._mesibo.edit_members(made.gid, more)
        except ApiError:
            self._drop_at_mesibo(made)
            raise
        return made

    def _add_at_mesibo(self, name: str, members: Sequence[str], note: int) -> int:
        try:
            with translated():
                return self._mesibo.add_group(
                    name, members, on_late=lambda gid: self._drop_at_mesibo(Made(gid, note))
                )
        except (TryLater, Refused) as error:
            if not (isinstance(error.__cause__, MesiboUnreachable) and error.__cause__.maybe_done):
                self._forget(note)
            raise

    def _forget(self, note: int) -> None:
        with suppress(TryLater):  # housekeeping looks after it
            self._database.run(lambda tx: new_groups.done(tx, note))

    def _drop_at_mesibo(self, made: Made) -> None:
        """A group that mesibo made but nobody will use: delete it, now or when mesibo is back."""
        gid = made.gid

        def work(tx: Connection, now: int) -> None:
            outbox.add(tx, now, [GroupGone(gid).draft()])
            new_groups.done(tx, made.note)

        try:
            self._database.write(work)
        except TryLater:
            try:
                self._mesibo.delete_group(gid)
            except MesiboError:
                log.error("group.left_at_mesibo", gid=gid)

    def save_new(self, caller: Caller, group: GroupState, note: int, turn: Turn) -> GroupState | None:
        """Write a group that mesibo has made, with its update message; None when a member is gone by now.

        Raises:
            AuthFail: the caller's own account is gone, or has another number.
            TryLater: the database is down.
        """

        def work(tx: Connection, now: int) -> GroupState | None:
            if not users.all_stand(tx, {member.uid: member.address for member in group.roster.members}):
                if not users.all_stand(tx, {caller.uid: caller.address}):
                    raise AuthFail
                return None
            if group.photo:
                users.add_thumbnail(tx, group.photo, group.tn)
            groups.add(tx, now, group)
            turn.done(tx, now, group.gid)
            new_groups.done(tx, note)
            outbox.add(tx, now, _news(caller, group, group, now, added_to(group)))
            return group

        saved = None
        try:
            saved = self._database.write(work)
        finally:
            if saved is None:
                self._drop_at_mesibo(Made(group.gid, note))
        return saved

    def save_with_mesibo(
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
        concerned = list(dict.fromkeys([*added, *removed, *handed]))
        mirror = MirrorGroup(before.gid, concerned, rename)
        [intent] = self._database.run(lambda tx: outbox.add(tx, self._database.now(), [mirror.intention()]))
        saved = None
        try:
            with translated():
                if rename:
                    self._mesibo.set_group(before.gid, after.name, handed)
                for part in chunks(added):
                    self._mesibo.edit_members(before.gid, part)
                for part in chunks(removed):
                    self._mesibo.edit_members(before.gid, part, remove=True)
            saved = self.save(caller, before, after, subject, intent=intent)
        finally:
            if saved is None:
                self._bring_back(mirror.draft())
        return saved

    def _bring_back(self, draft: Draft) -> None:
        """Put mesibo right now. The intent stays: mesibo may yet carry out what it did not answer in time."""
        try:
            self._database.write(lambda tx, now: outbox.add(tx, now, [draft]))
        except TryLater:
            log.warning("group.intent_waits", lane=draft.lane)

    def save(
        self,
        caller: Caller,
        before: GroupState,
        after: GroupState,
        subject: str = "",
        *follow_up: Draft,
        intent: int = 0,
    ) -> GroupState | None:
        """Write `after` with its update messages.

        None when the group has changed since `before` was read, or a newcomer is gone by now.
        """
        known = {member.uid for member in before.roster.members}
        new = {member.uid: member.address for member in after.roster.members if member.uid not in known}

        def work(tx: Connection, now: int) -> GroupState | None:
            # Before the group, as everybody does who ends or moves accounts.
            if new and not users.all_stand(tx, new):
                return None
            if not groups.change(tx, now, before, after):
                return None
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

    def delete(self, caller: Caller, before: GroupState) -> GroupState | None:
        """Delete a group, here now and at mesibo after the commit; None when it has changed since."""
        after = replace(before, roster=Roster(()))

        def work(tx: Connection, now: int) -> GroupState | None:
            if not groups.remove(tx, before):
                return None
            news = _news(caller, before, after, now, "")
            outbox.add(tx, now, [GroupGone(before.gid).draft(), *news, *file_gone(before.photo)])
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

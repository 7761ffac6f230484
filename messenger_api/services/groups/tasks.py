"""What follows a change of a group: mesibo's copy of it, and what its members are told."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from sqlalchemy import Connection

from messenger_api.gateways.mesibo import MesiboClient, MesiboRefused, MesiboUnreachable
from messenger_api.outbox.failures import NotReady, ask_to_remove, is_about_the_task
from messenger_api.outbox.run import Run
from messenger_api.outbox.tasks import Task
from messenger_api.services.bulkhead import chunks
from messenger_api.services.update_messages import RECIPIENTS, UpdateMessages, group_text
from messenger_api.storage import groups, lanes, outbox, rosters
from messenger_api.storage.db import Database
from messenger_api.storage.groups import GroupState
from messenger_api.storage.intentions import INTENT_SECONDS
from messenger_api.storage.outbox import Draft


class TellMembers(Task):
    """Send one text about a group to these addresses."""

    kind: ClassVar[str] = "tell_members"

    sender: str
    to: list[str]
    text: str


class MirrorGroup(Task):
    """Make mesibo's copy of a group agree with ours: whether these addresses are in it, and its name.

    `again`: a call to mesibo was not answered in time and may yet be carried out.
    """

    kind: ClassVar[str] = "mirror_group"

    gid: int
    addresses: list[str]
    rename: bool = False
    again: bool = False

    def draft(self) -> Draft:
        """After what else is queued for the group."""
        return self.in_lane(lanes.group(self.gid))

    def intention(self) -> Draft:
        """When whatever is under way now has come to its end.

        For a request that changes the group at mesibo, which withdraws it when it is finished.
        """
        return self.in_lane(lanes.group_intent(self.gid), delay=INTENT_SECONDS)


class GroupGone(Task):
    """Delete a group at mesibo."""

    kind: ClassVar[str] = "group_gone"

    gid: int

    def draft(self) -> Draft:
        """After what else is queued for the group."""
        return self.in_lane(lanes.group(self.gid))


class GroupNews(Task):
    """Tell the members of a group, but `uid` and in that user's name, how it is by then.

    `sender`: in whose name, where that user is a member no more.
    """

    kind: ClassVar[str] = "group_news"
    needs_mesibo: ClassVar[bool] = False

    gid: int
    uid: int
    sender: str = ""

    def draft(self) -> Draft:
        """After what else is queued for the group."""
        return self.in_lane(lanes.group(self.gid))


def tell(gid: int, sender: str, to: Sequence[str], text: str) -> list[Draft]:
    """Tell people about a group; nothing when there is nobody to tell."""
    return [TellMembers(sender, list(to), text).in_lane(lanes.group(gid))] if to else []


class GroupTasks:
    """Does these tasks."""

    def __init__(self, database: Database, mesibo: MesiboClient, messages: UpdateMessages) -> None:
        self._database = database
        self._mesibo = mesibo
        self._messages = messages

    def tell_members(self, task: TellMembers, run: Run) -> None:
        """Tell them part by part."""
        while task.to:
            told = self._messages.send(task.sender, task.to[:RECIPIENTS], task.text)
            task.to = task.to[told:]
            if task.to:
                run.note_progress(task)

    def mirror_group(self, task: MirrorGroup, run: Run) -> None:
        """Bring mesibo's copy in line, and look once more where mesibo may carry something out late."""
        group = self._database.run(lambda tx: groups.find(tx, task.gid))
        if group is None:
            return
        try:
            self._bring_in_line(task, run, group)
        except MesiboUnreachable as error:
            if error.maybe_done and not task.again:
                task.again = True
                run.note_progress(task)
            raise
        # Whoever read the group before this and asks mesibo meanwhile shall start over.
        if not self._database.run(lambda tx: groups.touch(tx, group, life_told=task.rename)):
            raise NotReady("the group changed meanwhile")
        if task.again:
            look = MirrorGroup(task.gid, task.addresses, task.rename).intention()
            self._database.run(lambda tx: outbox.add(tx, self._database.now(), [look]))

    def _bring_in_line(self, task: MirrorGroup, run: Run, group: GroupState) -> None:
        present = set(group.roster.addresses())
        for gone in chunks([address for address in task.addresses if address not in present]):
            run.keep()
            self._remove_members(task.gid, gone)
        for here in chunks([address for address in task.addresses if address in present]):
            run.keep()
            self._mesibo.edit_members(task.gid, here)
        if task.rename:
            self._mesibo.set_group(task.gid, group.name)

    def _remove_members(self, gid: int, addresses: Sequence[str]) -> None:
        """Remove members; one whom mesibo does not know must not keep the others in."""
        remove = partial(self._mesibo.edit_members, gid, remove=True)
        if len(addresses) == 1:
            ask_to_remove(partial(remove, addresses))
            return
        try:
            remove(addresses)
        except MesiboRefused as error:
            if not is_about_the_task(error):
                raise
            for address in addresses:
                ask_to_remove(partial(remove, [address]))

    def group_gone(self, task: GroupGone, _run: Run) -> None:
        """Delete it, unless it is here: the connection to the database may break just as a group is saved."""
        if self._database.run(lambda tx: groups.find(tx, task.gid)) is None:
            ask_to_remove(partial(self._mesibo.delete_group, task.gid))

    def group_news(self, task: GroupNews, _run: Run) -> None:
        """Queue what the members are told, as the group is now, and make it ready for their syncs."""
        group = self._database.run(lambda tx: groups.find(tx, task.gid))
        member = group.roster.get(task.uid) if group else None
        sender = task.sender or (member.address if member else "")
        if group is None or not sender:
            return
        text = group_text(group, self._database.now(), "")
        to = [address for address in group.roster.addresses() if address != sender]
        drafts = tell(task.gid, sender, to, text)

        def work(tx: Connection, now: int) -> None:
            rosters.keep(tx, group.gid, group.version, group.members)
            outbox.add(tx, now, drafts)

        self._database.write(work)

"""Upkeep of groups at mesibo: those that nobody here knows, and how long each shall live."""

from __future__ import annotations

import structlog
from sqlalchemy import Connection

from messenger_api.gateways.mesibo import MesiboClient, MesiboRefused, MesiboUnreachable
from messenger_api.mesibo.wire import ITEMS_PER_CALL
from messenger_api.services.groups.tasks import GroupGone, MirrorGroup
from messenger_api.storage import groups, new_groups, outbox
from messenger_api.storage.db import Database
from messenger_api.storage.intentions import INTENT_SECONDS
from messenger_api.storage.new_groups import Intended

log = structlog.get_logger(__name__)

# So many in a pass, which is once a minute.
NOTES_AT_ONCE = 20
GROUPS_AT_ONCE = 5
# When every group's life has been told, how soon is looked again: an older version beside this one may make
# groups without it.
ALL_TOLD_SECONDS = 3600


class Upkeep:
    """What is done about groups once a minute, by any process that delivers the outbox."""

    def __init__(self, database: Database, mesibo: MesiboClient) -> None:
        self._database = database
        self._mesibo = mesibo
        self._told_up_to = 0
        self._rest_until = 0

    def pass_over(self) -> None:
        """One pass. Raises TryLater: the database is down."""
        self._remove_unknown()
        self._tell_lives()

    # Groups that mesibo made and nobody here knows

    def _remove_unknown(self) -> None:
        before = self._database.now() - INTENT_SECONDS
        notes = self._database.run(lambda tx: new_groups.left_over(tx, before, NOTES_AT_ONCE))
        for note in notes:
            try:
                self._look_for(note)
            except MesiboRefused:
                self._leave_to_a_person(note)
            except MesiboUnreachable as error:
                if error.reason not in ("too many", "bad answer"):
                    return  # away: at the next pass
                self._leave_to_a_person(note)

    def _look_for(self, note: Intended) -> None:
        named = self._mesibo.groups_named(note.name)
        # Asked after mesibo: what is written meanwhile is known, what is still being made has a note.
        since = self._database.now() - INTENT_SECONDS
        known, busy = self._database.run(
            lambda tx: (groups.known(tx, named), new_groups.is_being_made(tx, note.name, since))
        )
        if busy:
            return
        unknown = [gid for gid in named if gid not in known and self._has_members_of(gid, note)]

        def work(tx: Connection, now: int) -> None:
            outbox.add(tx, now, [GroupGone(gid).draft() for gid in unknown])
            new_groups.done(tx, note.id)

        self._database.write(work)
        if unknown:
            log.warning("group.unknown_at_mesibo", gids=unknown, what="made for a request that did not end")

    def _has_members_of(self, gid: int, note: Intended) -> bool:
        found = self._mesibo.group_members(gid)
        whole = min(len(note.members), ITEMS_PER_CALL)
        return len(found) == whole and set(found) <= set(note.members)

    def _leave_to_a_person(self, note: Intended) -> None:
        self._database.write(lambda tx, now: new_groups.note_asked(tx, note.id, now))
        if not note.asked_at:
            log.error(
                "group.perhaps_at_mesibo",
                note=note.id,
                what="a request for a new group did not end, and mesibo does not say whether it made it",
                to_do="messenger-api outbox status names it; delete it in mesibo's console if it is there",
            )

    # How long groups live

    def _tell_lives(self) -> None:
        """Tell mesibo, a few a minute, of groups that were made before it was told with every one."""
        now = self._database.now()
        if now < self._rest_until:
            return
        after = self._told_up_to
        gids = self._database.run(lambda tx: groups.life_untold(tx, after=after, most=GROUPS_AT_ONCE))
        if gids:
            drafts = [MirrorGroup(gid, [], rename=True).draft() for gid in gids]
            self._database.write(lambda tx, now: outbox.add(tx, now, drafts))
        # Those that could not be told are met again in the next round.
        self._told_up_to = gids[-1] if len(gids) == GROUPS_AT_ONCE else 0
        self._rest_until = 0 if self._told_up_to else now + ALL_TOLD_SECONDS

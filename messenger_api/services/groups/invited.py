"""Whom an app names for a group: how many may be named, who they are, and who will not be in it."""

from __future__ import annotations

from collections.abc import Sequence

from messenger_api.domain import names
from messenger_api.domain.errors import TooMany
from messenger_api.domain.members import Member, Roster
from messenger_api.domain.texts import say
from messenger_api.services.identities import Identities
from messenger_api.settings import Settings
from messenger_api.storage import blocks, users
from messenger_api.storage.db import Database
from messenger_api.storage.models import NAME_LENGTH
from messenger_api.storage.sessions import Caller

# Entries for each of the most members that a group may have: one person may be named in several ways.
SPELLINGS = 4


class Invited:
    """Reads the numbers that are named for a group."""

    def __init__(self, settings: Settings, database: Database, identities: Identities) -> None:
        self._most = settings.max_group_members
        self._database = database
        self._identities = identities

    def keys(self, caller: Caller, entries: Sequence[str]) -> list[bytes]:
        """The blind keys of numbers, in the order in which they were named.

        Their count is looked at first: reading them costs more.

        Raises:
            TooMany: more than `MAX_GROUP_MEMBERS`, or several times as many entries.
        """
        if len(entries) > SPELLINGS * self._most:
            raise self._too_many()
        keys = self._identities.keys(entries, caller.country)
        if len(keys) > self._most:
            raise self._too_many()
        return keys

    def people(self, caller: Caller, entries: Sequence[str]) -> list[Member]:
        """The accounts behind numbers, in the order in which they were named. Raises TooMany."""
        keys = self.keys(caller, entries)
        found = {a.contact_key: a for a in self._database.run(lambda tx: users.open_accounts(tx, keys))}
        return [Member(found[key].uid, found[key].address) for key in keys if key in found]

    def newcomers(self, caller: Caller, entries: Sequence[str], roster: Roster) -> list[Member]:
        """The same people, but for those who are not in the group and have blocked the caller."""
        people, inside = self.people(caller, entries), {member.uid for member in roster.members}
        new = [person.uid for person in people if person.uid not in inside]
        shut = self._database.run(lambda tx: blocks.blockers(tx, new, caller.contact_key)) if new else set()
        return [person for person in people if person.uid not in shut]

    def fits(self, roster: Roster) -> Roster:
        """The same roster. Raises TooMany: a group may not have so many members."""
        if len(roster.members) > self._most:
            raise self._too_many()
        return roster

    def name_for(self, roster: Roster, language: str) -> str:
        """What a group is called that got no name."""
        uids = [member.uid for member in roster.members]
        known = self._database.run(lambda tx: users.names(tx, uids))
        told = names.of_group((known.get(uid, "") for uid in uids), NAME_LENGTH)
        return told or say("group_name", language)

    def _too_many(self) -> TooMany:
        return TooMany("members_many", retry_after=1, limit=self._most)

"""One search for anything: a number, a part of a name, a session, a group, an item of the outbox."""

from __future__ import annotations

from functools import partial
from typing import Literal

import msgspec

from messenger_api.services.operator.users import UserQueries
from messenger_api.storage import naming, outbox, sessions
from messenger_api.storage.db import Database

# Found of each kind; whoever looks for one among more types more of its name.
MOST = 20
# A part of a name that is shorter is in too many.
SHORTEST_PART = 2
# What is no id of ours, however long it is.
LARGEST_ID = 2**63 - 1

Kind = Literal["user", "group", "session", "outbox"]


class Hit(msgspec.Struct, frozen=True):
    """Something that was found: `id` is the uid of a user or of a session's user, a gid, or an item's id.

    `what` is why it was found, `address` a user's.
    """

    kind: Kind
    id: int
    name: str
    what: str
    address: str = ""


class Search:
    """Looks everywhere. All raise TryLater."""

    def __init__(self, database: Database, queries: UserQueries) -> None:
        self._database = database
        self._queries = queries

    def everything(self, typed: str) -> list[Hit]:
        """What may be meant, the likeliest first: a few statements, each by an index but that of names."""
        text = " ".join(typed.split())
        if not text:
            return []
        hits = self._by_number(text)
        if text.isascii() and text.isdigit() and int(text) <= LARGEST_ID:
            hits += self._by_id(int(text))
        if len(text) >= SHORTEST_PART and not text.lstrip("+").isdigit():
            hits += self._by_name(text)
        seen = {(hit.kind, hit.id): hit for hit in reversed(hits)}
        return [hit for hit in hits if seen.pop((hit.kind, hit.id), None)]

    def _by_number(self, text: str) -> list[Hit]:
        found = self._queries.find(text)
        return [Hit("user", found.uid, found.name, "number", found.address)] if found else []

    def _by_id(self, number: int) -> list[Hit]:
        run, hits = self._database.run, []
        if user := self._queries.by_uid(number):
            hits.append(Hit("user", number, user.name, f"user {number}", user.address))
        owner = self._queries.by_uid(run(partial(sessions.owner, sid=number)))
        if owner:
            hits.append(Hit("session", owner.uid, owner.name, f"session {number}", owner.address))
        if group := run(partial(naming.group_name, gid=number)):
            hits.append(Hit("group", number, group, f"group {number}"))
        if item := run(partial(outbox.find, item_id=number)):
            hits.append(Hit("outbox", number, item.kind, f"outbox item {number}"))
        return hits

    def _by_name(self, text: str) -> list[Hit]:
        run = self._database.run
        people = run(partial(naming.users, part=text, most=MOST))
        rooms = run(partial(naming.groups, part=text, most=MOST))
        return [
            *(Hit("user", row.uid, row.name, "name", row.address) for row in people),
            *(Hit("group", row.gid, row.name, "name") for row in rooms),
        ]

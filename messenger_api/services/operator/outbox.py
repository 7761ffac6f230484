"""The outbox as an operator looks at it, and what may be done about items that were given up."""

from __future__ import annotations

import msgspec

from messenger_api.domain.names import cleaned
from messenger_api.services.operator.audit import Audit
from messenger_api.services.operator.events import OutboxPurged, OutboxRetried
from messenger_api.storage import new_groups, outbox
from messenger_api.storage.db import Database


class DeadItem(msgspec.Struct, frozen=True):
    """An item that was given up; `created_at` is in unix seconds."""

    id: int
    kind: str
    attempts: int
    created_at: int
    last_error: str


class UnknownGroup(msgspec.Struct, frozen=True):
    """A group that mesibo may have made for a request that did not end, and that nobody here knows."""

    name: str
    members: list[str]
    created_at: int


class OutboxStatus(msgspec.Struct, frozen=True):
    """Items waiting and given up, the age in seconds of the oldest that is due, and groups at mesibo that a
    person has to look for."""

    queued: int
    dead: int
    oldest: int
    dead_items: list[DeadItem]
    unknown_groups: list[UnknownGroup]


class ShownItem(msgspec.Struct, frozen=True):
    """An item that waits or was given up; times are unix seconds."""

    id: int
    kind: str
    dead: bool
    attempts: int
    created_at: int
    due_at: int
    last_error: str


class OutboxControl:
    """Reads and changes the outbox. Every method raises TryLater when the database does not answer."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    def status(self, most: int) -> OutboxStatus:
        """Counts, and up to `most` dead items and unknown groups, the oldest first."""
        run = self._database.run
        found = run(lambda tx: outbox.status(tx, self._database.now()))
        rows = run(lambda tx: outbox.dead(tx, most))
        items = [DeadItem(row.id, row.kind, row.attempts, row.created_at, row.last_error) for row in rows]
        return OutboxStatus(found.queued, found.dead, found.oldest, items, self.unknown_groups(most))

    def item(self, number: int) -> ShownItem | None:
        """An item; None when it is done, or never was one."""
        row = self._database.run(lambda tx: outbox.find(tx, number))
        if row is None:
            return None
        dead = row.state == outbox.State.DEAD
        return ShownItem(row.id, row.kind, dead, row.attempts, row.created_at, row.due_at, row.last_error)

    def unknown_groups(self, most: int) -> list[UnknownGroup]:
        """Up to `most` groups of which mesibo could not say whether it made them, the oldest first."""
        notes = self._database.run(lambda tx: new_groups.for_a_person(tx, most))
        return [UnknownGroup(cleaned(note.name), note.members, note.created_at) for note in notes]

    def retry(self, item: int | None, *, by: str | None = None) -> int:
        """Queue a dead item again as if never tried, or, with None, all of them; returns how many.

        `by`: the administrator who does it; None is a command on the server.
        """
        self._audit.note(OutboxRetried(item=item or 0), by=by)
        # Through `write`, for a worker in this process to be woken; others look every second.
        return self._database.write(lambda tx, now: outbox.retry(tx, now, item))

    def purge(self, item: int | None, *, by: str | None = None) -> int:
        """Remove a dead item for good, or, with None, all of them; returns how many. `by` as for `retry`."""
        self._audit.note(OutboxPurged(item=item or 0), by=by)
        return self._database.write(lambda tx, _now: outbox.purge(tx, item))

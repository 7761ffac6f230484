"""A task that is being done, and the claim on its row.

Another worker takes over when a claim runs out, and sends what came later. One that was frozen in between,
by the system or by whoever moved its machine, must not go on with what it had in hand: its calls of mesibo
end with the claim, or are not begun.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from messenger_api.gateways.mesibo import MesiboUnreachable, seconds_left
from messenger_api.outbox.failures import Lost
from messenger_api.settings import Settings
from messenger_api.storage import claims
from messenger_api.storage.claims import Item
from messenger_api.storage.db import Database

# A call leaves so much before the claim ends, at the latest: a second, or a tenth of a short claim.
MARGIN_SECONDS = 1.0
# A task that waited so long was held up by an outage, or by a long list before it.
LATE_SECONDS = 3


class Lease:
    """How long claims last, in seconds: `whole`; `enough` to begin a call; `margin` that a call leaves."""

    def __init__(self, settings: Settings) -> None:
        call = settings.mesibo_timeout + MARGIN_SECONDS
        self.whole = settings.outbox_lease
        self.enough = max(self.whole / 2, min(call, self.whole - 1))
        self.margin = min(MARGIN_SECONDS, self.whole / 10)


class Run:
    """What a handler knows of the row that it works for.

    `id`: rows that were queued later have higher ones. `attempts`: tries that counted, before this one.
    """

    def __init__(self, database: Database, lease: Lease, item: Item, *, has_newer: bool = False) -> None:
        """`has_newer`: the same worker has claimed a newer task of this kind in the lane."""
        self.id, self.lane, self.attempts = item.id, item.lane, item.attempts
        self._database = database
        self._lease = lease
        self._item = item
        self._has_newer = has_newer
        self._until = item.claimed_until

    def keep(self) -> None:
        """Have the claim last for the next call. Raises Lost, TryLater."""
        if not self.lasts():
            raise Lost

    def note_progress(self, left: msgspec.Struct) -> None:
        """Keep the claim, and what is `left` of the task for whoever goes on. Raises Lost, TryLater."""
        if not self._hold(left):
            raise Lost

    def lasts(self) -> bool:
        """Whether the claim lasts for the next call; it is made longer when little is left of it."""
        return self._until - self._database.now() > self._lease.enough or self._hold()

    def is_outdated(self) -> bool:
        """Whether a newer task of this kind waits in the lane.

        What this worker has claimed with it answers that; else the database, of one that is late. One that is
        not has nothing behind it, and is not worth the question.
        """
        if self._has_newer:
            return True
        if self._database.now() - self._item.created_at < LATE_SECONDS:
            return False
        return self._database.run(lambda tx: claims.waits_behind(tx, self._item))

    @contextmanager
    def bounded(self) -> Iterator[None]:
        """Calls of mesibo in here end with the claim; Lost: one was to begin after it."""

        def left() -> float:
            return self._until - self._database.clock() - self._lease.margin

        token = seconds_left.set(left)
        try:
            yield
        except MesiboUnreachable as error:
            if error.reason == "too late":
                raise Lost from error
            raise
        finally:
            seconds_left.reset(token)

    def _hold(self, left: msgspec.Struct | None = None) -> bool:
        """Claim the row anew, with what is `left`; False when another worker has it by now."""
        until = self._database.now() + self._lease.whole
        held = self._database.run(lambda tx: claims.hold(tx, self._item, claimed_until=until, left=left))
        if held:
            self._until = until
        return held

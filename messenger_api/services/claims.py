"""How long a worker may act for an item: calls of mesibo end with the claim, or are not begun.

Another worker takes over when a claim runs out, and sends what came later. One that was frozen in between,
by the system or by whoever moved its machine, must not go on with what it had in hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from messenger_api.gateways.mesibo import MesiboUnreachable, seconds_left
from messenger_api.services.deliveries import Lost
from messenger_api.settings import Settings
from messenger_api.storage.db import Database
from messenger_api.storage.outbox import Item

# A call leaves so much before the claim ends, at the latest: a second, or a tenth of a short claim.
MARGIN_SECONDS = 1.0


class Claims:
    """Until when the items that are being done are claimed."""

    def __init__(self, settings: Settings, database: Database) -> None:
        lease, call = settings.outbox_lease, settings.mesibo_timeout + MARGIN_SECONDS
        self._database = database
        self._margin = min(MARGIN_SECONDS, lease / 10)
        self._enough = max(lease / 2, min(call, lease - 1))
        self._until: dict[tuple[int, str], int] = {}

    def until(self, item: Item) -> int:
        """The second from which others may take an item over."""
        return self._until.get((item.id, item.claim), item.claimed_until)

    def is_long(self, item: Item) -> bool:
        """Whether at least half of the claim is left, and the time that a call may take."""
        return self.until(item) - self._database.now() > self._enough

    def note(self, item: Item, until: int) -> None:
        """The claim was made longer."""
        self._until[item.id, item.claim] = until

    @contextmanager
    def bounding(self, item: Item) -> Iterator[None]:
        """Calls of mesibo in here end with the claim; Lost: one was to begin after it."""

        def left() -> float:
            return self.until(item) - self._database.clock() - self._margin

        token = seconds_left.set(left)
        try:
            yield
        except MesiboUnreachable as error:
            if error.reason == "too late":
                raise Lost from error
            raise
        finally:
            seconds_left.reset(token)
            self._until.pop((item.id, item.claim), None)

"""The noting of changes behind their commits, so that a sync with nothing to tell walks nothing."""

from __future__ import annotations

from functools import partial

from messenger_api.storage import news
from messenger_api.storage.db import MAX_TRANSACTION_SECONDS, SETTLE_SECONDS, Database

# A change is noted when it is certain to be visible, and every sync that was asked before has been answered.
BEHIND_SECONDS = SETTLE_SECONDS + MAX_TRANSACTION_SECONDS
# By more than that the clocks of two machines do not differ. One that goes back by less than BEHIND_SECONDS
# stamps nothing that lies before the place.
CLOCK_SECONDS = 5
# A first pass over a large installation leaves room for other work between its steps.
STEPS_AT_ONCE = 20


class News:
    """Notes changes of accounts for everybody who has their numbers. Many together do it as one would."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self) -> None:
        """Note what has settled, or a part of it where it is much. Raises TryLater."""
        until = self._database.now() - BEHIND_SECONDS
        step = partial(news.note, until=until, rewind_from=until + CLOCK_SECONDS)
        for _ in range(STEPS_AT_ONCE):
            if not self._database.run(step):
                break

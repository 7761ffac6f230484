"""The noting of changes behind their commits, so that a sync with nothing to tell walks nothing."""

from __future__ import annotations

from functools import partial

from messenger_api.storage import news
from messenger_api.storage.db import MAX_TRANSACTION_SECONDS, SETTLE_SECONDS, Database
from messenger_api.storage.set_backs import CLOCK_SECONDS

# A change is noted when it is certain to be visible, and every sync that was asked before has been answered.
BEHIND_SECONDS = SETTLE_SECONDS + MAX_TRANSACTION_SECONDS
# A first pass over a large installation leaves room for other work between its steps.
STEPS_AT_ONCE = 20


class News:
    """Notes changes of accounts for everybody who has their numbers. Many together do it as one would."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._set_backs = 0

    def note(self) -> None:
        """Note what has settled, or a part of it where it is much. Raises TryLater."""
        self._set_backs = rewind_where_set_back(self._database, self._set_backs)
        until = self._database.now() - BEHIND_SECONDS
        step = partial(news.note, until=until, rewind_from=until + CLOCK_SECONDS)
        for _ in range(STEPS_AT_ONCE):
            if not self._database.run(step):
                break


def rewind_where_set_back(database: Database, seen: int) -> int:
    """Have what is stamped once more be noted once more, where this process saw the clock being set back.

    `seen`: how often that was known already; returns how often by now. Raises TryLater.
    """
    # Not beyond what has settled by now: a place that lies there is one of a clock that nobody saw.
    settled = database.now() - BEHIND_SECONDS
    count = database.set_backs.count()
    if back := database.set_backs.earliest(seen):
        database.run(partial(news.rewind, to=min(back.to, settled)))
    return count

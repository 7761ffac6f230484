"""A call that an app makes again, because the answer was lost or a finger tapped twice, is carried out once.

What was made stands in a row of the counters for a minute, so that all processes know of it. The row is there
before the work begins: who comes meanwhile waits for it. What failed binds nobody.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from sqlalchemy import Connection

from messenger_api.domain.errors import TryLater
from messenger_api.services.bulkhead import outbound_slot
from messenger_api.services.limits import Limits
from messenger_api.storage import counters
from messenger_api.storage.db import Database

# So long a call is the same as one before it.
SECONDS = 60
# What takes longer than this was killed. It is as long as two calls of mesibo.
UNDER_WAY_SECONDS = 30
WAIT_SECONDS = 15
POLL_SECONDS = 0.2
# Seconds by which the clocks of two machines may differ.
CLOCKS_APART = 5
WORKING, DONE = "working", "done"


@dataclass(frozen=True)
class Turn:
    """Whose turn it is to do something: `made` is what was made before, 0 for the caller's own turn."""

    name: str
    state: str = ""
    made: int = 0

    def done(self, tx: Connection, now: int, made: int) -> None:
        """Note what was made, in the transaction that writes it."""
        counters.swap(tx, self.name, self.state, f"{DONE} {made} {now}", now + SECONDS)


class Repeats:
    """Tells calls that were made before."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._limits = limits

    @contextmanager
    def turn(self, *what: object, but: int = 0) -> Iterator[Turn]:
        """The turn to do what these values name, or what was made of them before, which is not `but`.

        Raises:
            TryLater: the same is under way, and takes long; or the database is down.
        """
        name = "made:" + hashlib.sha256(repr(what).encode()).hexdigest()
        turn = self._take(name, but)
        try:
            yield turn
        except BaseException:
            with suppress(TryLater):  # a turn that found something has no state, and changes none
                self._database.run(lambda tx: counters.swap(tx, name, turn.state, "", self._database.now()))
            raise

    def _take(self, name: str, but: int) -> Turn:
        mine = f"{WORKING} {secrets.token_hex(8)}"

        def work(tx: Connection, now: int) -> Turn | None:
            known = counters.lock(tx, [name])
            kind, value, at = [*known.get(name, "").split(), "", "", "0"][:3]
            fresh = -CLOCKS_APART <= now - int(at) < (SECONDS if kind == DONE else UNDER_WAY_SECONDS)
            if kind == DONE and fresh and int(value) != but:
                return Turn(name, made=int(value))
            if kind == WORKING and fresh:
                return None
            state = f"{mine} {now}"
            counters.write(tx, known, [(name, state, now + SECONDS)])
            return Turn(name, state)

        if turn := self._limits.write(work):
            return turn
        # It is mesibo that is waited for, through somebody else.
        with outbound_slot():
            until = time.monotonic() + WAIT_SECONDS
            while time.monotonic() < until:
                time.sleep(POLL_SECONDS)
                if turn := self._limits.write(work):
                    return turn
        raise TryLater(retry_after=5)

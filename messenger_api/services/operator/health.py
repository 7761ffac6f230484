"""Whether database and outbox are well, for `/readyz`, `/metrics` and the doctor alike."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import structlog

from messenger_api.domain.errors import TryLater
from messenger_api.domain.health.findings import KNOWN
from messenger_api.storage import complaints, facts, outbox, reaching
from messenger_api.storage.db import Database

log = structlog.get_logger(__name__)

# An update message older than this means that nobody delivers: no worker runs, or mesibo is away.
OUTBOX_STALE_SECONDS = 300
# Something waits, and for so long no worker has noted that it looks after the outbox.
UNATTENDED_SECONDS = 15
WORKER_GONE_SECONDS = 60
# A long outbox is not counted whole for `/metrics`.
LOOKED_AT = 10_000


@dataclass(frozen=True)
class OutboxHealth:
    """Items that wait and that were given up, and the age in seconds of the oldest one that is due.

    `is_unattended`: something waits, and no worker is there. `is_stale`: something waits for too long.
    """

    queued: int
    dead: int
    oldest: int
    is_unattended: bool

    @property
    def is_stale(self) -> bool:
        """Whether the oldest item that is due waits for longer than a delivery ever takes."""
        return self.oldest > OUTBOX_STALE_SECONDS


class Health:
    """Asks the database. Methods raise TryLater when it does not answer, or lacks the tables, but for
    `is_there` and `is_writable`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def database(self) -> str:
        """The kind of the database: sqlite or mysql."""
        return self._database.engine.dialect.name

    def is_there(self) -> bool:
        """Whether the database's server answers, be it with a refusal: else waiting is of use."""
        return reaching.answers(self._database.engine)

    def is_writable(self) -> bool:
        """By writing: a database on a full disk, or one that may only be read, answers all questions."""
        note = partial(facts.write, name=facts.PROBE, value=str(self._database.now()))
        try:
            self._database.run(note)
        except TryLater:
            return False
        return True

    def database_version(self) -> str:
        """The version of the database server, in its own words."""
        return self._database.run(facts.server_version)

    def what_helps(self, failure: TryLater) -> str:
        """What to do about a database that failed; "" when that does not follow from its error."""
        return complaints.what_helps(complaints.said(failure.__cause__ or failure), "the database")

    def rows(self) -> dict[str, int]:
        """Rows of each table, of large ones in MySQL roughly."""
        return self._database.run(facts.rows)

    def outbox(self) -> OutboxHealth:
        """The state of the outbox. One statement; another where something has waited for a while."""
        found = self._database.run(lambda tx: outbox.status(tx, self._database.now()))
        unattended = found.oldest > UNATTENDED_SECONDS and self._no_worker()
        return OutboxHealth(found.queued, found.dead, found.oldest, unattended)

    def tell_unattended(self) -> None:
        """Log an error where work waits and no worker runs."""
        found = self.outbox()
        if found.is_unattended:
            what, to_do = "no worker runs", KNOWN["nobody_delivers"].to_do
            log.error("outbox.unattended", queued=found.queued, seconds=found.oldest, what=what, to_do=to_do)

    def outbox_kinds(self) -> list[tuple[str, str, int]]:
        """Kind, state (`queued`, `dead`) and number of what waits, among the oldest `LOOKED_AT`."""
        return self._database.run(lambda tx: outbox.by_kind(tx, LOOKED_AT))

    def _no_worker(self) -> bool:
        beat = int(self._database.run(lambda tx: facts.read(tx, facts.WORKER)) or 0)
        return abs(self._database.now() - beat) > WORKER_GONE_SECONDS

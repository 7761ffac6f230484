"""The audit: what operators did, in rows that name people by keyed hashes and are bound to each other.

A row outlives the account that it is about and does not keep the person. The key is the audit's own, made
once and kept sealed under SECRET_KEY (`facts.AUDIT_KEY`): whoever changes SECRET_KEY seals it anew.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from functools import cached_property

import msgspec
import structlog
from sqlalchemy import Connection

from messenger_api.domain import audit as rules
from messenger_api.domain.audit import AuditKey
from messenger_api.domain.secrets import Keys
from messenger_api.services.operator.events import EVENTS, Event
from messenger_api.storage import audit, facts
from messenger_api.storage.audit import Stored
from messenger_api.storage.db import Database

log = structlog.get_logger(__name__)

SEALED_ABOUT = b"the audit's key"
VERIFIED_AT_ONCE = 1_000
ADMINISTRATOR, USER = "administrator", "user"


class Entry(msgspec.Struct, frozen=True):
    """A row for people. `actor` and `subject`: hexadecimal hashes, "" for the command line, or nobody."""

    id: int
    at: int
    actor: str
    subject: str
    event: str
    fields: dict[str, str | int]


class Verified(msgspec.Struct, frozen=True):
    """What a look through all rows found: how many there are, the first faults, and the last chain."""

    rows: int
    faults: list[str]
    last: int
    chain: str


class Audit:
    """Adds rows, lists them, and finds out whether they are as they were written. All raise TryLater."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys

    @cached_property
    def _key(self) -> AuditKey:
        """Made by whoever needs it first. Raises ValueError: it is sealed under another SECRET_KEY."""
        return self._database.write(lambda tx, _now: self._kept_key(tx))

    def _kept_key(self, tx: Connection) -> AuditKey:
        kept = facts.lock(tx, facts.AUDIT_KEY)
        if kept:
            return AuditKey(self._keys.unseal(base64.b64decode(kept), SEALED_ABOUT))
        made = AuditKey.new()
        sealed = self._keys.seal(made.secret, SEALED_ABOUT)
        facts.write(tx, facts.AUDIT_KEY, base64.b64encode(sealed).decode())
        return made

    def note(self, event: Event, *, by: str | None, user: str = "", administrator: str = "") -> None:
        """Add a row in a transaction of its own.

        Args:
            event: what is done.
            by: the administrator who does it; None for a command on the server.
            user: the address of the user it is about.
            administrator: the administrator it is about.
        """
        key = self._key
        actor = None if by is None else key.person(ADMINISTRATOR, by)
        about = (USER, user) if user else (ADMINISTRATOR, administrator)
        subject = key.person(*about) if about[1] else None
        fields = msgspec.json.encode(event).decode()

        def work(tx: Connection, now: int) -> None:
            last, before = audit.last(tx, locked=True)
            row = rules.Row(last + 1, now, actor, subject, type(event).__name__, fields)
            audit.add(tx, row, key.chain(before, row))

        self._database.write(work)

    def page(self, *, before: int = 0, user: str = "", most: int) -> list[Entry]:
        """Up to `most` rows, newest first; with `before` of lesser ids, with `user` about this address."""
        subject = self._key.person(USER, user) if user else None
        rows = self._database.run(lambda tx: audit.newest(tx, before=before, subject=subject, most=most))
        return [_entry(row) for row in rows]

    def name_of(self, administrator: str) -> str:
        """The hash by which rows name an administrator."""
        return self._key.person(ADMINISTRATOR, administrator).hex()

    def verify(self) -> Verified:
        """Look through all rows, in their order."""
        faults: list[str] = []
        rows, last, before = 0, 0, rules.BEGINNING
        for stored in self._all():
            faults += self._faults(stored, last, before)
            rows, last, before = rows + 1, stored.id, stored.chain
        noted, chain = self._database.run(audit.last)
        # A row that was added meanwhile is behind the ones that were read, and in its place.
        if (noted, chain) != (last, before) and noted <= last:
            faults.append(f"row {noted} was noted as the last one, and {last} is")
        elif noted > last and not self._continues(last):
            faults.append(f"the rows behind {last} are gone: row {noted} was noted as the last one")
        return Verified(rows, faults, last, before.hex())

    def tell_last(self) -> None:
        """Log the last row, so that the log knows of rows that are gone from the end."""
        last, chain = self._database.run(audit.last)
        if last:
            log.info("audit.last", row=last, chain=chain.hex())

    def _all(self) -> Iterator[Stored]:
        after = 0
        while rows := self._database.run(lambda tx: audit.behind(tx, after, VERIFIED_AT_ONCE)):  # noqa: B023
            yield from rows
            after = rows[-1].id

    def _continues(self, last: int) -> bool:
        return bool(self._database.run(lambda tx: audit.behind(tx, last, 1)))

    def _faults(self, stored: Stored, last: int, before: bytes) -> list[str]:
        if stored.id != last + 1:
            return [f"between row {last} and row {stored.id} something is gone"]
        if self._key.chain(before, stored.row) != stored.chain:
            return [f"row {stored.id} is not as it was written, or not in its place"]
        return []


def _entry(row: Stored) -> Entry:
    """A row for people; of an event that another version wrote, its fields as they are."""
    kind = EVENTS.get(row.event)
    fields = msgspec.json.decode(row.fields, type=dict[str, str | int])
    if kind is not None:
        fields = {name: fields[name] for name in kind.__struct_fields__ if name in fields}
    actor, subject = ((part or b"").hex() for part in (row.actor, row.subject))
    return Entry(row.id, row.at, actor, subject, row.event, fields)

"""The rows of the audit, which are only ever added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from messenger_api.domain import audit
from messenger_api.storage import facts
from messenger_api.storage.models import AuditRow

_COLUMNS = (AuditRow.id, AuditRow.at, AuditRow.actor, AuditRow.subject, AuditRow.event, AuditRow.fields)
_ROWS = select(*_COLUMNS, AuditRow.chain)


class Stored(audit.Row, frozen=True):
    """A row as it was found, with its chain."""

    chain: bytes

    @property
    def row(self) -> audit.Row:
        """What the chain is made of."""
        return audit.Row(self.id, self.at, self.actor, self.subject, self.event, self.fields)


def last(connection: Connection, *, locked: bool = False) -> tuple[int, bytes]:
    """The id and chain of the last row, as noted when it was written; 0 before the first.

    `locked`: nobody else adds a row before this transaction ends.
    """
    noted = facts.lock(connection, facts.AUDIT) if locked else facts.read(connection, facts.AUDIT)
    number, _, chain = noted.partition(":")
    return int(number or 0), bytes.fromhex(chain) or audit.BEGINNING


def add(connection: Connection, row: audit.Row, chain: bytes) -> None:
    """Add a row behind the one that `last` told."""
    values = {name: getattr(row, name) for name in audit.Row.__struct_fields__}
    connection.execute(insert(AuditRow).values(**values, chain=chain))
    facts.write(connection, facts.AUDIT, f"{row.id}:{chain.hex()}")


def behind(connection: Connection, after: int, most: int) -> list[Stored]:
    """Up to `most` rows of greater ids, in their order."""
    return _read(connection.execute(_ROWS.where(AuditRow.id > after).order_by(AuditRow.id).limit(most)).all())


def newest(connection: Connection, *, before: int, subject: bytes | None, most: int) -> list[Stored]:
    """Up to `most` rows, the newest first; with `before` of lesser ids, with `subject` about them."""
    query = _ROWS.order_by(AuditRow.id.desc()).limit(most)
    if before:
        query = query.where(AuditRow.id < before)
    if subject:
        query = query.where(AuditRow.subject == subject)
    return _read(connection.execute(query).all())


def _read(rows: Sequence[Row[int, int, bytes | None, bytes | None, str, str, bytes]]) -> list[Stored]:
    return [Stored(*map(_plain, row)) for row in rows]


def _plain(value: Any) -> Any:
    """What some drivers hand over as a bytearray, as bytes."""
    return bytes(value) if isinstance(value, bytearray) else value

"""The audit's own key: who is meant without saying it, and what binds a row to the one before it."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field

import msgspec

KEY_BYTES = 32
PERSON_BYTES = 16
# What the first row is bound to.
BEGINNING = bytes(32)


class Row(msgspec.Struct, frozen=True):
    """A row of the audit; `actor` and `subject` are keyed hashes, `fields` the event as JSON."""

    id: int
    at: int
    actor: bytes | None
    subject: bytes | None
    event: str
    fields: str


@dataclass(frozen=True)
class AuditKey:
    """A key of the audit's own, which stays when SECRET_KEY is changed: rows then name the same people.

    Whoever can write the database but has not got SECRET_KEY, under which it is sealed, makes no row.
    """

    secret: bytes = field(repr=False)

    @classmethod
    def new(cls) -> AuditKey:
        """A random one."""
        return cls(secrets.token_bytes(KEY_BYTES))

    def person(self, kind: str, name: str) -> bytes:
        """The keyed hash that names a user (by address) or an administrator: equal for equal ones."""
        return self._made("person", f"{kind}\0{name}".encode())[:PERSON_BYTES]

    def chain(self, before: bytes, row: Row) -> bytes:
        """What binds a row to the one before it, and to all before that."""
        return self._made("chain", before + msgspec.json.encode(row))

    def _made(self, purpose: str, text: bytes) -> bytes:
        own = hmac.digest(self.secret, purpose.encode(), "sha256")
        return hmac.digest(own, text, "sha256")

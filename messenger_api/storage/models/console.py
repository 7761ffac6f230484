"""Tables of the console: who may use it, and what was done there."""

from __future__ import annotations

from sqlalchemy import BigInteger, ColumnElement, ForeignKey, Index, Integer, SmallInteger, Text

from messenger_api.storage.columns import HASH, KEY, MYSQL, SEALED, ZERO, ascii_text
from messenger_api.storage.models.base import Base, column

ADMINISTRATOR_LENGTH = 64


class Administrator(Base):
    """Somebody who may use the console. `totp`: the secret of their codes, sealed; `totp_step`: the last step
    of time whose code was used. They are disabled and never removed: the audit names them.
    """

    __tablename__ = "administrators"
    __table_args__ = (MYSQL,)

    id: ColumnElement[int] = column(Integer, primary_key=True, autoincrement=True)
    name: ColumnElement[str] = column(ascii_text(ADMINISTRATOR_LENGTH), unique=True)
    role: ColumnElement[str] = column(ascii_text(16))
    password: ColumnElement[str] = column(ascii_text(255))
    totp: ColumnElement[bytes] = column(SEALED)
    totp_step: ColumnElement[int] = column(BigInteger, server_default=ZERO)
    disabled: ColumnElement[int] = column(SmallInteger, server_default=ZERO)
    created_at: ColumnElement[int] = column(BigInteger)
    seen_at: ColumnElement[int] = column(BigInteger, server_default=ZERO)


class AdminSession(Base):
    """An administrator who is logged in; the token is never stored. `revealed`: whose number is shown."""

    __tablename__ = "admin_sessions"
    __table_args__ = (Index(None, "administrator"), MYSQL)

    token_hash: ColumnElement[bytes] = column(HASH, primary_key=True)
    administrator: ColumnElement[int] = column(ForeignKey("administrators.id", ondelete="CASCADE"))
    created_at: ColumnElement[int] = column(BigInteger)
    seen_at: ColumnElement[int] = column(BigInteger)
    revealed: ColumnElement[int] = column(BigInteger, server_default=ZERO)
    revealed_until: ColumnElement[int] = column(BigInteger, server_default=ZERO)


class AuditRow(Base):
    """Something that was done: by whom and about whom as keyed hashes, each row bound to the one before it.

    Ids are without a gap, from 1. `actor` is NULL for a command on the server, `subject` where it is about
    nobody. `fields`: the event as JSON. `chain`: see `domain.audit`.
    """

    __tablename__ = "audit"
    __table_args__ = (Index(None, "subject", "id"), MYSQL)

    id: ColumnElement[int] = column(BigInteger, primary_key=True, autoincrement=False)
    at: ColumnElement[int] = column(BigInteger)
    actor: ColumnElement[bytes | None] = column(KEY, nullable=True)
    subject: ColumnElement[bytes | None] = column(KEY, nullable=True)
    event: ColumnElement[str] = column(ascii_text(32))
    fields: ColumnElement[str] = column(Text)
    chain: ColumnElement[bytes] = column(HASH)

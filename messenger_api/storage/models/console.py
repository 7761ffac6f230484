"""Tables of the console: who may use it, and what was done there."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from messenger_api.storage.columns import HASH, MYSQL, SEALED, ZERO, ascii_text
from messenger_api.storage.models.base import Base

ADMINISTRATOR_LENGTH = 64


class Administrator(Base):
    """Somebody who may use the console. `totp`: the secret of their codes, sealed; `totp_step`: the last step
    of time whose code was used. They are disabled and never removed: the audit names them.
    """

    __tablename__ = "administrators"
    __table_args__ = (MYSQL,)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(ascii_text(ADMINISTRATOR_LENGTH), unique=True)
    role: Mapped[str] = mapped_column(ascii_text(16))
    password: Mapped[str] = mapped_column(ascii_text(255))
    totp: Mapped[bytes] = mapped_column(SEALED)
    totp_step: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    disabled: Mapped[int] = mapped_column(SmallInteger, server_default=ZERO)
    created_at: Mapped[int] = mapped_column(BigInteger)
    seen_at: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)


class AdminSession(Base):
    """An administrator who is logged in; the token is never stored. `revealed`: whose number is shown."""

    __tablename__ = "admin_sessions"
    __table_args__ = (Index(None, "administrator"), MYSQL)

    token_hash: Mapped[bytes] = mapped_column(HASH, primary_key=True)
    administrator: Mapped[int] = mapped_column(ForeignKey("administrators.id", ondelete="CASCADE"))
    created_at: Mapped[int] = mapped_column(BigInteger)
    seen_at: Mapped[int] = mapped_column(BigInteger)
    revealed: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    revealed_until: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)

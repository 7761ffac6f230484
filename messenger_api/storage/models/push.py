"""Tables about push: what wakes sleeping apps."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, SmallInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from messenger_api.storage.columns import HASH, MYSQL, ZERO
from messenger_api.storage.models.base import Base

# FCM and APNs set no limit; peers keep 4 KB.
PUSH_TOKEN_LENGTH = 4096


class PushToken(Base):
    """Where to wake the app of a session: FCM, APNs or PushKit."""

    __tablename__ = "push_tokens"
    __table_args__ = (MYSQL,)

    sid: Mapped[int] = mapped_column(ForeignKey("sessions.sid", ondelete="CASCADE"), primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(HASH, unique=True)
    token: Mapped[str] = mapped_column(Text)
    device_type: Mapped[int] = mapped_column(SmallInteger, server_default=ZERO)
    production: Mapped[int] = mapped_column(SmallInteger, server_default=ZERO)
    fcm: Mapped[int] = mapped_column(SmallInteger, server_default=ZERO)
    changed_at: Mapped[int] = mapped_column(BigInteger)

"""Tables about push: what wakes sleeping apps."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, SmallInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from messenger_api.storage.columns import EMPTY, HASH, MYSQL, ZERO, ascii_text, exact_text
from messenger_api.storage.models.base import Base

# FCM and APNs set no limit; peers keep 4 KB.
PUSH_TOKEN_LENGTH = 4096
# A bundle id has at most 155 characters, a project 30.
PUSH_APP_LENGTH = 255


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


class PushCredential(Base):
    """A credential for push that mesibo was handed: what it says of itself, and nothing that is secret.

    `kind`: fcm or apn. `app`: Firebase's project or Apple's bundle id. `place`: sandbox, production or both.
    `ends_at`: 0 for one without an end.
    """

    __tablename__ = "push_credentials"
    __table_args__ = (MYSQL,)

    kind: Mapped[str] = mapped_column(ascii_text(8), primary_key=True)
    app: Mapped[str] = mapped_column(exact_text(PUSH_APP_LENGTH), primary_key=True)
    place: Mapped[str] = mapped_column(ascii_text(32), primary_key=True, server_default=EMPTY)
    fingerprint: Mapped[bytes] = mapped_column(HASH)
    ends_at: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    uploaded_at: Mapped[int] = mapped_column(BigInteger)

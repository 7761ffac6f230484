"""Tables about push: what wakes sleeping apps."""

from __future__ import annotations

from sqlalchemy import BigInteger, ColumnElement, ForeignKey, Index, SmallInteger, Text, text

from messenger_api.storage.columns import EMPTY, HASH, ID, KEY, MYSQL, NUMBERED, ZERO, ascii_text, exact_text
from messenger_api.storage.models.base import Base, column

# FCM and APNs set no limit; peers keep 4 KB.
PUSH_TOKEN_LENGTH = 4096
# A bundle id has at most 155 characters, a project 30.
PUSH_APP_LENGTH = 255
# Room for 30 lines of `PushToken.replaced`. None is added beyond this length; a line has up to 96 characters.
REPLACED_LENGTH = 2048
REPLACED_FULL = REPLACED_LENGTH - 96


class PushToken(Base):
    """Where to wake the app of a session: FCM, APNs or PushKit.

    `changed_at`: when the phone last handed it over, to the day. `token_key`: the keyed hash under which it
    is remembered when it has gone; NULL for one that an older program stored. `replaced`: about tokens
    that this one replaced (`storage.gone_push_tokens`), a line each: key, three numbers of its kind, when it
    was registered, when it went.
    """

    __tablename__ = "push_tokens"
    __table_args__ = (
        # Finds the rows that have lines: more of these need not be in the index, nor be written into it anew.
        Index(None, "replaced", mysql_length=1, mariadb_length=1, sqlite_where=text("replaced > ''")),
        MYSQL,
    )

    sid: ColumnElement[int] = column(ForeignKey("sessions.sid", ondelete="CASCADE"), primary_key=True)
    token_hash: ColumnElement[bytes] = column(HASH, unique=True)
    token: ColumnElement[str] = column(Text)
    device_type: ColumnElement[int] = column(SmallInteger, server_default=ZERO)
    production: ColumnElement[int] = column(SmallInteger, server_default=ZERO)
    fcm: ColumnElement[int] = column(SmallInteger, server_default=ZERO)
    changed_at: ColumnElement[int] = column(BigInteger)
    token_key: ColumnElement[bytes | None] = column(KEY, nullable=True)
    replaced: ColumnElement[str] = column(ascii_text(REPLACED_LENGTH), server_default=EMPTY)


class GonePushToken(Base):
    """A push token that went, for 90 days: its keyed hash, when, and why (`storage.gone_push_tokens`)."""

    __tablename__ = "gone_push_tokens"
    __table_args__ = (Index(None, "uid", "gone_at"), NUMBERED)

    id: ColumnElement[int] = column(ID, primary_key=True, autoincrement=True)
    uid: ColumnElement[int] = column(ForeignKey("users.uid", ondelete="CASCADE"))
    token_key: ColumnElement[bytes | None] = column(KEY, nullable=True)
    device_type: ColumnElement[int] = column(SmallInteger, server_default=ZERO)
    production: ColumnElement[int] = column(SmallInteger, server_default=ZERO)
    fcm: ColumnElement[int] = column(SmallInteger, server_default=ZERO)
    registered_at: ColumnElement[int] = column(BigInteger)
    gone_at: ColumnElement[int] = column(BigInteger, index=True)
    why: ColumnElement[str] = column(ascii_text(16))


class PushCredential(Base):
    """A credential for push that mesibo was handed: what it says of itself, and nothing that is secret.

    `kind`: fcm or apn. `app`: Firebase's project or Apple's bundle id. `place`: sandbox, production or both.
    `ends_at`: 0 for one without an end.
    """

    __tablename__ = "push_credentials"
    __table_args__ = (MYSQL,)

    kind: ColumnElement[str] = column(ascii_text(8), primary_key=True)
    app: ColumnElement[str] = column(exact_text(PUSH_APP_LENGTH), primary_key=True)
    place: ColumnElement[str] = column(ascii_text(32), primary_key=True, server_default=EMPTY)
    fingerprint: ColumnElement[bytes] = column(HASH)
    ends_at: ColumnElement[int] = column(BigInteger, server_default=ZERO)
    uploaded_at: ColumnElement[int] = column(BigInteger)

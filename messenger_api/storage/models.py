"""The tables. Migrations and `schema/mysql-schema.sql` must agree with them; a test compares all three."""

from __future__ import annotations

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    BINARY,
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Text,
    text,
)
from sqlalchemy.dialects.mysql import MEDIUMTEXT
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# mesibo: an address is ASCII, case-sensitive, at most 64 characters.
ADDRESS_LENGTH = 64
NAME_LENGTH = 128
STATUS_LENGTH = 255
APPID_LENGTH = 128
DEVICE_LENGTH = 128
# FCM and APNs set no limit; peers keep 4 KB.
PUSH_TOKEN_LENGTH = 4096

_Id = BigInteger().with_variant(Integer, "sqlite")
_LongText = Text().with_variant(MEDIUMTEXT, "mysql", "mariadb")
_MYSQL = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}
# Ids are never given twice: whoever still holds one must not meet a stranger behind it.
_NUMBERED = {**_MYSQL, "sqlite_autoincrement": True}
_EMPTY = text("''")
_ZERO = text("0")


def _collated(length: int, collation: str) -> String:
    """A text compared byte for byte on both databases; MySQL's default would ignore case and more."""
    return String(length).with_variant(String(length, collation=collation), "mysql", "mariadb")


def _ascii(length: int) -> String:
    return _collated(length, "ascii_bin")


def _exact(length: int) -> String:
    return _collated(length, "utf8mb4_bin")


class Base(DeclarativeBase):
    """Base of the tables; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Base)


class User(Base):
    """An account. Times are unix seconds; `changed_at` moves whenever a contact would see a difference."""

    __tablename__ = "users"
    __table_args__ = (_NUMBERED,)

    uid: Mapped[int] = mapped_column(_Id, primary_key=True, autoincrement=True)
    address: Mapped[str] = mapped_column(_ascii(ADDRESS_LENGTH), unique=True)
    contact_key: Mapped[bytes] = mapped_column(BINARY(16), unique=True)
    mesibo_uid: Mapped[int] = mapped_column(BigInteger, server_default=_ZERO)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH), server_default=_EMPTY)
    status: Mapped[str] = mapped_column(String(STATUS_LENGTH), server_default=_EMPTY)
    photo: Mapped[str] = mapped_column(_ascii(64), server_default=_EMPTY)
    country: Mapped[str] = mapped_column(_ascii(2), server_default=_EMPTY)
    created_at: Mapped[int] = mapped_column(BigInteger)
    changed_at: Mapped[int] = mapped_column(BigInteger)


class Thumbnail(Base):
    """The base64 JPEG that answers carry as `tn`, by the name of its photo."""

    __tablename__ = "thumbnails"
    __table_args__ = (_MYSQL,)

    photo: Mapped[str] = mapped_column(_ascii(64), primary_key=True)
    tn: Mapped[str] = mapped_column(Text)


class Session(Base):
    """A logged-in app. The token itself is never stored.

    `synced_to`: every change up to this second has been told to the app.
    """

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "uid", "appid"), _NUMBERED)

    sid: Mapped[int] = mapped_column(_Id, primary_key=True, autoincrement=True)
    uid: Mapped[int] = mapped_column(ForeignKey("users.uid", ondelete="CASCADE"))
    token_hash: Mapped[bytes] = mapped_column(BINARY(32), unique=True)
    appid: Mapped[str] = mapped_column(_exact(APPID_LENGTH))
    device: Mapped[str] = mapped_column(_exact(DEVICE_LENGTH), server_default=_EMPTY)
    device_type: Mapped[int] = mapped_column(SmallInteger, server_default=_ZERO)
    created_at: Mapped[int] = mapped_column(BigInteger)
    synced_to: Mapped[int] = mapped_column(BigInteger, server_default=_ZERO)


class PushToken(Base):
    """Where to wake the app of a session: FCM, APNs or PushKit."""

    __tablename__ = "push_tokens"
    __table_args__ = (_MYSQL,)

    sid: Mapped[int] = mapped_column(ForeignKey("sessions.sid", ondelete="CASCADE"), primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(BINARY(32), unique=True)
    token: Mapped[str] = mapped_column(Text)
    device_type: Mapped[int] = mapped_column(SmallInteger, server_default=_ZERO)
    production: Mapped[int] = mapped_column(SmallInteger, server_default=_ZERO)
    fcm: Mapped[int] = mapped_column(SmallInteger, server_default=_ZERO)
    changed_at: Mapped[int] = mapped_column(BigInteger)


class OneTimeCode(Base):
    """The live code of a number, as a keyed hash. One row a number: a new code replaces the old one."""

    __tablename__ = "one_time_codes"
    __table_args__ = (_MYSQL,)

    contact_key: Mapped[bytes] = mapped_column(BINARY(16), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(BINARY(32))
    name: Mapped[str] = mapped_column(String(NAME_LENGTH), server_default=_EMPTY)
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=_ZERO)
    used: Mapped[int] = mapped_column(SmallInteger, server_default=_ZERO)
    sent_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)


class Contact(Base):
    """One entry of a phone book, blind: the keyed hash of the number (see `domain.secrets`)."""

    __tablename__ = "contacts"
    __table_args__ = (Index(None, "contact_key"), _MYSQL)

    owner: Mapped[int] = mapped_column(ForeignKey("users.uid", ondelete="CASCADE"), primary_key=True)
    contact_key: Mapped[bytes] = mapped_column(BINARY(16), primary_key=True)


class Group(Base):
    """A group, under the id that mesibo gave it. `version` moves with every change: an optimistic lock."""

    __tablename__ = "chat_groups"
    __table_args__ = (_MYSQL,)

    gid: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH), server_default=_EMPTY)
    photo: Mapped[str] = mapped_column(_ascii(64), server_default=_EMPTY)
    version: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    created_at: Mapped[int] = mapped_column(BigInteger)
    changed_at: Mapped[int] = mapped_column(BigInteger)


class GroupMember(Base):
    """Who is in which group; `role` is 0 member, 1 admin, 2 owner; `position` is the order of joining."""

    __tablename__ = "group_members"
    __table_args__ = (Index(None, "uid"), _MYSQL)

    gid: Mapped[int] = mapped_column(ForeignKey("chat_groups.gid", ondelete="CASCADE"), primary_key=True)
    uid: Mapped[int] = mapped_column(ForeignKey("users.uid", ondelete="CASCADE"), primary_key=True)
    role: Mapped[int] = mapped_column(SmallInteger, server_default=_ZERO)
    position: Mapped[int] = mapped_column(BigInteger, server_default=_ZERO)


class OutboxItem(Base):
    """Work that must follow a commit. Items of one lane are done in the order of their ids."""

    __tablename__ = "outbox"
    __table_args__ = (Index(None, "lane", "id"), Index(None, "state", "due_at"), _NUMBERED)

    id: Mapped[int] = mapped_column(_Id, primary_key=True, autoincrement=True)
    lane: Mapped[str] = mapped_column(_ascii(64))
    kind: Mapped[str] = mapped_column(_ascii(24))
    payload: Mapped[str] = mapped_column(_LongText)
    state: Mapped[int] = mapped_column(SmallInteger, server_default=_ZERO)
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=_ZERO)
    created_at: Mapped[int] = mapped_column(BigInteger)
    due_at: Mapped[int] = mapped_column(BigInteger)
    claim: Mapped[str] = mapped_column(_ascii(32), server_default=_EMPTY)
    claimed_until: Mapped[int] = mapped_column(BigInteger, server_default=_ZERO)
    last_error: Mapped[str] = mapped_column(String(255), server_default=_EMPTY)

"""The tables. Migrations and `schema/mysql-schema.sql` must agree with them; a test compares all three."""

from __future__ import annotations

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    BINARY,
    VARBINARY,
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
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
SEALED_LENGTH = 1024
REPORT_LENGTH = 1000
# FCM and APNs set no limit; peers keep 4 KB.
PUSH_TOKEN_LENGTH = 4096
KIND_LENGTH = 24

_Id = BigInteger().with_variant(Integer, "sqlite")
_LongText = Text().with_variant(MEDIUMTEXT, "mysql", "mariadb")
_Sealed = VARBINARY(SEALED_LENGTH).with_variant(LargeBinary, "sqlite")
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
    """An account. Times are unix seconds; `changed_at` moves whenever a contact would see a difference.

    `seen_at`: when it was last used, to the day. `blocked`: the operator keeps it out. `closed_at`: its owner
    deleted it; the row goes as soon as its groups are handed over.
    """

    __tablename__ = "users"
    # A sync that has little to tell looks at the accounts that have changed, not through the phone book.
    __table_args__ = (Index(None, "changed_at"), _NUMBERED)

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
    seen_at: Mapped[int] = mapped_column(BigInteger, server_default=_ZERO)
    blocked: Mapped[int] = mapped_column(SmallInteger, server_default=_ZERO)
    closed_at: Mapped[int] = mapped_column(BigInteger, server_default=_ZERO)


class Thumbnail(Base):
    """The base64 JPEG that answers carry as `tn`, by the name of its photo."""

    __tablename__ = "thumbnails"
    __table_args__ = (_MYSQL,)

    photo: Mapped[str] = mapped_column(_ascii(64), primary_key=True)
    tn: Mapped[str] = mapped_column(Text)


class Session(Base):
    """A logged-in app. The token itself is never stored.

    `synced_to`: every change up to this second has been told to the app. `seen_at`: when the app last called,
    to the day.
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
    seen_at: Mapped[int] = mapped_column(BigInteger, server_default=_ZERO, index=True)


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
    """The code last made for an address, as a keyed hash: one row an address.

    `earlier`: those before it that are good as well, with their seconds of expiry (`storage.codes`).
    `sends` and `providers`: how often, and by whom, a code was sent since the last login. `attempts`: wrong
    tries; the next one may come at `wait_until`. `verification`: the provider who made the code itself, and
    its id. `reply`: the token that the code brought, sealed, for the device `reply_to` whose answer got lost.
    """

    __tablename__ = "one_time_codes"
    __table_args__ = (_MYSQL,)

    contact_key: Mapped[bytes] = mapped_column(BINARY(16), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(BINARY(32))
    name: Mapped[str] = mapped_column(String(NAME_LENGTH), server_default=_EMPTY)
    sends: Mapped[int] = mapped_column(SmallInteger, server_default=_ZERO)
    providers: Mapped[str] = mapped_column(_ascii(255), server_default=_EMPTY)
    verification: Mapped[str] = mapped_column(_ascii(255), server_default=_EMPTY)
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=_ZERO)
    wait_until: Mapped[int] = mapped_column(BigInteger, server_default=_ZERO)
    used_at: Mapped[int] = mapped_column(BigInteger, server_default=_ZERO)
    reply_to: Mapped[bytes | None] = mapped_column(BINARY(16))
    reply: Mapped[bytes | None] = mapped_column(_Sealed)
    sent_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)
    earlier: Mapped[str] = mapped_column(_ascii(255), server_default=_EMPTY)


class LimitCounter(Base):
    """How often something happened of late: a limit and whom it counts, hashed where that is a person.

    `slots` holds the counts of short spans of time, so that counting reads one row, whatever the number.
    """

    __tablename__ = "limit_counters"
    __table_args__ = (_MYSQL,)

    name: Mapped[str] = mapped_column(_ascii(96), primary_key=True)
    slots: Mapped[str] = mapped_column(_ascii(2048), server_default=_EMPTY)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)


class SentText(Base):
    """A text message or call that somebody pays for. `cost` in millionths of the budget's currency.

    `state`: 0 handed over, 1 delivered, 2 failed; `provider_id` for its delivery receipt, "" where the
    provider did not say that it took the text, and may have.
    """

    __tablename__ = "sent_texts"
    __table_args__ = (
        Index(None, "contact_key"),
        Index(None, "provider_id"),
        Index(None, "sent_at"),
        _NUMBERED,
    )

    id: Mapped[int] = mapped_column(_Id, primary_key=True, autoincrement=True)
    contact_key: Mapped[bytes] = mapped_column(BINARY(16))
    provider: Mapped[str] = mapped_column(_ascii(64))
    provider_id: Mapped[str] = mapped_column(_ascii(128))
    channel: Mapped[str] = mapped_column(_ascii(8))
    country: Mapped[str] = mapped_column(_ascii(2), server_default=_EMPTY)
    cost: Mapped[int] = mapped_column(BigInteger, server_default=_ZERO)
    state: Mapped[int] = mapped_column(SmallInteger, server_default=_ZERO)
    sent_at: Mapped[int] = mapped_column(BigInteger)


class Password(Base):
    """The argon2 hash of a password, for LOGIN_METHOD "password"."""

    __tablename__ = "passwords"
    __table_args__ = (_MYSQL,)

    address: Mapped[str] = mapped_column(_ascii(ADDRESS_LENGTH), primary_key=True)
    hash: Mapped[str] = mapped_column(_ascii(255))
    changed_at: Mapped[int] = mapped_column(BigInteger)


class Contact(Base):
    """One entry of a phone book, blind: the keyed hash of the number (see `domain.secrets`)."""

    __tablename__ = "contacts"
    __table_args__ = (Index(None, "contact_key"), _MYSQL)

    owner: Mapped[int] = mapped_column(ForeignKey("users.uid", ondelete="CASCADE"), primary_key=True)
    contact_key: Mapped[bytes] = mapped_column(BINARY(16), primary_key=True)


class FormerContact(Base):
    """A number that was taken out of a phone book, blind; no new one for its owner until `expires_at`."""

    __tablename__ = "former_contacts"
    __table_args__ = (_MYSQL,)

    owner: Mapped[int] = mapped_column(ForeignKey("users.uid", ondelete="CASCADE"), primary_key=True)
    contact_key: Mapped[bytes] = mapped_column(BINARY(16), primary_key=True)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)


class Block(Base):
    """Whom a user does not want to hear of or be found by; blind, as the phone book is."""

    __tablename__ = "blocks"
    __table_args__ = (_MYSQL,)

    owner: Mapped[int] = mapped_column(ForeignKey("users.uid", ondelete="CASCADE"), primary_key=True)
    contact_key: Mapped[bytes] = mapped_column(BINARY(16), primary_key=True)
    created_at: Mapped[int] = mapped_column(BigInteger)


class Report(Base):
    """A user's complaint about another, for the operator to read. It goes with either of the two."""

    __tablename__ = "reports"
    __table_args__ = (Index(None, "reporter"), Index(None, "reported"), _NUMBERED)

    id: Mapped[int] = mapped_column(_Id, primary_key=True, autoincrement=True)
    reporter: Mapped[int] = mapped_column(ForeignKey("users.uid", ondelete="CASCADE"))
    reported: Mapped[int] = mapped_column(ForeignKey("users.uid", ondelete="CASCADE"))
    gid: Mapped[int] = mapped_column(BigInteger, server_default=_ZERO)
    reason: Mapped[str] = mapped_column(_ascii(32), server_default=_EMPTY)
    text: Mapped[str] = mapped_column(String(REPORT_LENGTH), server_default=_EMPTY)
    created_at: Mapped[int] = mapped_column(BigInteger)


class Group(Base):
    """A group, under the id that mesibo gave it. `version` moves with every change: an optimistic lock.

    `roster`: its members as apps are told (`domain.members`), so that a sync need not gather them. It counts
    only while `roster_version` is the `version`: older programs change groups and do not write it.
    `life_told`: mesibo knows how long the group shall live.
    """

    __tablename__ = "chat_groups"
    __table_args__ = (_MYSQL,)

    gid: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH), server_default=_EMPTY)
    photo: Mapped[str] = mapped_column(_ascii(64), server_default=_EMPTY)
    version: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    created_at: Mapped[int] = mapped_column(BigInteger)
    changed_at: Mapped[int] = mapped_column(BigInteger)
    roster: Mapped[str | None] = mapped_column(_LongText)
    roster_version: Mapped[int] = mapped_column(Integer, server_default=text("'-1'"))
    life_told: Mapped[int] = mapped_column(SmallInteger, server_default=_ZERO)


class Fact(Base):
    """What the installation remembers of itself: its key's fingerprint, when its outbox was looked after."""

    __tablename__ = "facts"
    __table_args__ = (_MYSQL,)

    name: Mapped[str] = mapped_column(_ascii(32), primary_key=True)
    value: Mapped[str] = mapped_column(_ascii(255), server_default=_EMPTY)


class GroupMember(Base):
    """Who is in which group; `role` is 0 member, 1 admin, 2 owner; `position` is the order of joining."""

    __tablename__ = "group_members"
    __table_args__ = (Index(None, "uid"), _MYSQL)

    gid: Mapped[int] = mapped_column(ForeignKey("chat_groups.gid", ondelete="CASCADE"), primary_key=True)
    uid: Mapped[int] = mapped_column(ForeignKey("users.uid", ondelete="CASCADE"), primary_key=True)
    role: Mapped[int] = mapped_column(SmallInteger, server_default=_ZERO)
    position: Mapped[int] = mapped_column(BigInteger, server_default=_ZERO)


class NewGroup(Base):
    """A group that mesibo is being asked to make: noted before, gone with the commit that writes the group.

    One that stays may mean a group at mesibo that nobody here knows. `members`: the addresses that mesibo was
    told, as JSON. `asked_at`: the second in which mesibo could not say whether there is such a group.
    """

    __tablename__ = "new_groups"
    __table_args__ = (Index(None, "created_at"), _NUMBERED)

    id: Mapped[int] = mapped_column(_Id, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(_exact(NAME_LENGTH))
    members: Mapped[str] = mapped_column(_LongText)
    created_at: Mapped[int] = mapped_column(BigInteger)
    asked_at: Mapped[int] = mapped_column(BigInteger, server_default=_ZERO)


class OutboxItem(Base):
    """Work that must follow a commit. Items of one lane are done in the order of their ids."""

    __tablename__ = "outbox"
    __table_args__ = (Index(None, "lane", "id"), Index(None, "state", "due_at"), _NUMBERED)

    id: Mapped[int] = mapped_column(_Id, primary_key=True, autoincrement=True)
    lane: Mapped[str] = mapped_column(_ascii(64))
    kind: Mapped[str] = mapped_column(_ascii(KIND_LENGTH))
    payload: Mapped[str] = mapped_column(_LongText)
    state: Mapped[int] = mapped_column(SmallInteger, server_default=_ZERO)
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=_ZERO)
    created_at: Mapped[int] = mapped_column(BigInteger)
    due_at: Mapped[int] = mapped_column(BigInteger)
    claim: Mapped[str] = mapped_column(_ascii(32), server_default=_EMPTY)
    claimed_until: Mapped[int] = mapped_column(BigInteger, server_default=_ZERO)
    last_error: Mapped[str] = mapped_column(String(255), server_default=_EMPTY)

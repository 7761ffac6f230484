"""The tables. Migrations and `schema/mysql-schema.sql` must agree with them; a test compares all three.

Those about push, of figures and of the console stand in files of their own.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ColumnElement, ForeignKey, Index, Integer, SmallInteger, String, Text, text

from messenger_api.storage.columns import (
    EMPTY,
    HASH,
    ID,
    KEY,
    LONG_TEXT,
    MYSQL,
    NUMBERED,
    SEALED,
    ZERO,
    ascii_text,
    exact_text,
)
from messenger_api.storage.models.base import Base as Base
from messenger_api.storage.models.base import column
from messenger_api.storage.models.console import Administrator as Administrator
from messenger_api.storage.models.console import AdminSession as AdminSession
from messenger_api.storage.models.console import AuditRow as AuditRow
from messenger_api.storage.models.figures import FigureRow as FigureRow
from messenger_api.storage.models.push import PUSH_APP_LENGTH as PUSH_APP_LENGTH
from messenger_api.storage.models.push import PUSH_TOKEN_LENGTH as PUSH_TOKEN_LENGTH
from messenger_api.storage.models.push import GonePushToken as GonePushToken
from messenger_api.storage.models.push import PushCredential as PushCredential
from messenger_api.storage.models.push import PushToken as PushToken
from messenger_api.storage.models.raised import RaisedLimit as RaisedLimit
from messenger_api.storage.models.steps import LoginStep as LoginStep

# mesibo: an address is ASCII, case-sensitive, at most 64 characters.
ADDRESS_LENGTH = 64
NAME_LENGTH = 128
STATUS_LENGTH = 255
APPID_LENGTH = 128
DEVICE_LENGTH = 128
REPORT_LENGTH = 1000
KIND_LENGTH = 24


class User(Base):
    """An account. Times are unix seconds; `changed_at` moves whenever a contact would see a difference.

    `seen_at`: when it was last used, to the day. `news_at`: the newest change of anybody in its phone book
    (`storage.news`). `blocked`: the operator keeps it out. `closed_at`: its owner deleted it; the row goes as
    soon as its groups are handed over.
    """

    __tablename__ = "users"
    # A sync that has little to tell looks at the accounts that have changed, not through the phone book.
    __table_args__ = (Index(None, "changed_at"), NUMBERED)

    uid: ColumnElement[int] = column(ID, primary_key=True, autoincrement=True)
    address: ColumnElement[str] = column(ascii_text(ADDRESS_LENGTH), unique=True)
    contact_key: ColumnElement[bytes] = column(KEY, unique=True)
    mesibo_uid: ColumnElement[int] = column(BigInteger, server_default=ZERO)
    name: ColumnElement[str] = column(String(NAME_LENGTH), server_default=EMPTY)
    status: ColumnElement[str] = column(String(STATUS_LENGTH), server_default=EMPTY)
    photo: ColumnElement[str] = column(ascii_text(64), server_default=EMPTY)
    country: ColumnElement[str] = column(ascii_text(2), server_default=EMPTY)
    created_at: ColumnElement[int] = column(BigInteger)
    changed_at: ColumnElement[int] = column(BigInteger)
    seen_at: ColumnElement[int] = column(BigInteger, server_default=ZERO)
    blocked: ColumnElement[int] = column(SmallInteger, server_default=ZERO)
    closed_at: ColumnElement[int] = column(BigInteger, server_default=ZERO)
    news_at: ColumnElement[int] = column(BigInteger, server_default=ZERO)


class Thumbnail(Base):
    """The base64 JPEG that answers carry as `tn`, by the name of its photo."""

    __tablename__ = "thumbnails"
    __table_args__ = (MYSQL,)

    photo: ColumnElement[str] = column(ascii_text(64), primary_key=True)
    tn: ColumnElement[str] = column(Text)


class Session(Base):
    """A logged-in app. The token itself is never stored.

    `synced_to`: every change up to this second has been told to the app; with 0 and less it is told of all.
    `seen_at`: when the app last called, to the day.
    """

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "uid", "appid"), NUMBERED)

    sid: ColumnElement[int] = column(ID, primary_key=True, autoincrement=True)
    uid: ColumnElement[int] = column(ForeignKey("users.uid", ondelete="CASCADE"))
    token_hash: ColumnElement[bytes] = column(HASH, unique=True)
    appid: ColumnElement[str] = column(exact_text(APPID_LENGTH))
    device: ColumnElement[str] = column(exact_text(DEVICE_LENGTH), server_default=EMPTY)
    device_type: ColumnElement[int] = column(SmallInteger, server_default=ZERO)
    created_at: ColumnElement[int] = column(BigInteger)
    synced_to: ColumnElement[int] = column(BigInteger, server_default=ZERO)
    seen_at: ColumnElement[int] = column(BigInteger, server_default=ZERO, index=True)


class OneTimeCode(Base):
    """The code last made for an address, as a keyed hash: one row an address.

    `earlier`: those before it that are good as well, with their seconds of expiry (`storage.codes`).
    `sends` and `providers`: how often, and by whom, a code was sent since the last login. `attempts`: wrong
    tries; the next one may come at `wait_until`. `verification`: the provider who made the code itself, and
    its id. `reply`: the token that the code brought, sealed, for the device `reply_to` whose answer got lost.
    """

    __tablename__ = "one_time_codes"
    __table_args__ = (MYSQL,)

    contact_key: ColumnElement[bytes] = column(KEY, primary_key=True)
    code_hash: ColumnElement[bytes] = column(HASH)
    name: ColumnElement[str] = column(String(NAME_LENGTH), server_default=EMPTY)
    sends: ColumnElement[int] = column(SmallInteger, server_default=ZERO)
    providers: ColumnElement[str] = column(ascii_text(255), server_default=EMPTY)
    verification: ColumnElement[str] = column(ascii_text(255), server_default=EMPTY)
    attempts: ColumnElement[int] = column(SmallInteger, server_default=ZERO)
    wait_until: ColumnElement[int] = column(BigInteger, server_default=ZERO)
    used_at: ColumnElement[int] = column(BigInteger, server_default=ZERO)
    reply_to: ColumnElement[bytes | None] = column(KEY, nullable=True)
    reply: ColumnElement[bytes | None] = column(SEALED, nullable=True)
    sent_at: ColumnElement[int] = column(BigInteger)
    expires_at: ColumnElement[int] = column(BigInteger, index=True)
    earlier: ColumnElement[str] = column(ascii_text(255), server_default=EMPTY)


class LimitCounter(Base):
    """How often something happened of late: a limit and whom it counts, hashed where that is a person.

    `slots` holds the counts of short spans of time, so that counting reads one row, whatever the number.
    """

    __tablename__ = "limit_counters"
    __table_args__ = (MYSQL,)

    name: ColumnElement[str] = column(ascii_text(96), primary_key=True)
    slots: ColumnElement[str] = column(ascii_text(2048), server_default=EMPTY)
    expires_at: ColumnElement[int] = column(BigInteger, index=True)


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
        NUMBERED,
    )

    id: ColumnElement[int] = column(ID, primary_key=True, autoincrement=True)
    contact_key: ColumnElement[bytes] = column(KEY)
    provider: ColumnElement[str] = column(ascii_text(64))
    provider_id: ColumnElement[str] = column(ascii_text(128))
    channel: ColumnElement[str] = column(ascii_text(8))
    country: ColumnElement[str] = column(ascii_text(2), server_default=EMPTY)
    cost: ColumnElement[int] = column(BigInteger, server_default=ZERO)
    state: ColumnElement[int] = column(SmallInteger, server_default=ZERO)
    sent_at: ColumnElement[int] = column(BigInteger)


class Password(Base):
    """The argon2 hash of a password, for LOGIN_METHOD "password"."""

    __tablename__ = "passwords"
    __table_args__ = (MYSQL,)

    address: ColumnElement[str] = column(ascii_text(ADDRESS_LENGTH), primary_key=True)
    hash: ColumnElement[str] = column(ascii_text(255))
    changed_at: ColumnElement[int] = column(BigInteger)


class Contact(Base):
    """One entry of a phone book, blind: the keyed hash of the number (see `domain.secrets`)."""

    __tablename__ = "contacts"
    __table_args__ = (Index(None, "contact_key"), MYSQL)

    owner: ColumnElement[int] = column(ForeignKey("users.uid", ondelete="CASCADE"), primary_key=True)
    contact_key: ColumnElement[bytes] = column(KEY, primary_key=True)


class FormerContact(Base):
    """A number that was taken out of a phone book, blind; no new one for its owner until `expires_at`."""

    __tablename__ = "former_contacts"
    __table_args__ = (MYSQL,)

    owner: ColumnElement[int] = column(ForeignKey("users.uid", ondelete="CASCADE"), primary_key=True)
    contact_key: ColumnElement[bytes] = column(KEY, primary_key=True)
    expires_at: ColumnElement[int] = column(BigInteger, index=True)


class Block(Base):
    """Whom a user does not want to hear of or be found by; blind, as the phone book is."""

    __tablename__ = "blocks"
    __table_args__ = (MYSQL,)

    owner: ColumnElement[int] = column(ForeignKey("users.uid", ondelete="CASCADE"), primary_key=True)
    contact_key: ColumnElement[bytes] = column(KEY, primary_key=True)
    created_at: ColumnElement[int] = column(BigInteger)


class Report(Base):
    """A user's complaint about another, for the operator to read. It goes with either of the two.

    `closed_at`: when an operator acted on it, or dismissed it; 0 while it is open.
    """

    __tablename__ = "reports"
    __table_args__ = (
        Index(None, "reporter"),
        Index(None, "reported"),
        Index(None, "closed_at", "id"),
        NUMBERED,
    )

    id: ColumnElement[int] = column(ID, primary_key=True, autoincrement=True)
    reporter: ColumnElement[int] = column(ForeignKey("users.uid", ondelete="CASCADE"))
    reported: ColumnElement[int] = column(ForeignKey("users.uid", ondelete="CASCADE"))
    gid: ColumnElement[int] = column(BigInteger, server_default=ZERO)
    reason: ColumnElement[str] = column(ascii_text(32), server_default=EMPTY)
    text: ColumnElement[str] = column(String(REPORT_LENGTH), server_default=EMPTY)
    created_at: ColumnElement[int] = column(BigInteger)
    closed_at: ColumnElement[int] = column(BigInteger, server_default=ZERO)


class Group(Base):
    """A group, under the id that mesibo gave it. `version` moves with every change: an optimistic lock.

    `roster`: its members as apps are told (`domain.members`), so that a sync need not gather them. It counts
    only while `roster_version` is the `version`: older programs change groups and do not write it.
    `life_told`: mesibo knows how long the group shall live.
    """

    __tablename__ = "chat_groups"
    __table_args__ = (MYSQL,)

    gid: ColumnElement[int] = column(BigInteger, primary_key=True, autoincrement=False)
    name: ColumnElement[str] = column(String(NAME_LENGTH), server_default=EMPTY)
    photo: ColumnElement[str] = column(ascii_text(64), server_default=EMPTY)
    version: ColumnElement[int] = column(Integer, server_default=ZERO)
    created_at: ColumnElement[int] = column(BigInteger)
    changed_at: ColumnElement[int] = column(BigInteger)
    roster: ColumnElement[str | None] = column(LONG_TEXT, nullable=True)
    roster_version: ColumnElement[int] = column(Integer, server_default=text("'-1'"))
    life_told: ColumnElement[int] = column(SmallInteger, server_default=ZERO)


class Fact(Base):
    """What the installation remembers of itself: its key's fingerprint, when its outbox was looked after."""

    __tablename__ = "facts"
    __table_args__ = (MYSQL,)

    name: ColumnElement[str] = column(ascii_text(32), primary_key=True)
    value: ColumnElement[str] = column(ascii_text(255), server_default=EMPTY)


class GroupMember(Base):
    """Who is in which group; `role` is 0 member, 1 admin, 2 owner; `position` is the order of joining."""

    __tablename__ = "group_members"
    __table_args__ = (Index(None, "uid"), MYSQL)

    gid: ColumnElement[int] = column(ForeignKey("chat_groups.gid", ondelete="CASCADE"), primary_key=True)
    uid: ColumnElement[int] = column(ForeignKey("users.uid", ondelete="CASCADE"), primary_key=True)
    role: ColumnElement[int] = column(SmallInteger, server_default=ZERO)
    position: ColumnElement[int] = column(BigInteger, server_default=ZERO)


class NewGroup(Base):
    """A group that mesibo is being asked to make: noted before, gone with the commit that writes the group.

    One that stays may mean a group at mesibo that nobody here knows. `members`: the addresses that mesibo was
    told, as JSON. `asked_at`: the last second in which mesibo could not say whether there is such a group.
    """

    __tablename__ = "new_groups"
    __table_args__ = (Index(None, "created_at"), NUMBERED)

    id: ColumnElement[int] = column(ID, primary_key=True, autoincrement=True)
    name: ColumnElement[str] = column(exact_text(NAME_LENGTH))
    members: ColumnElement[str] = column(LONG_TEXT)
    created_at: ColumnElement[int] = column(BigInteger)
    asked_at: ColumnElement[int] = column(BigInteger, server_default=ZERO)


class OutboxItem(Base):
    """Work that must follow a commit. Items of one lane are done in the order of their ids."""

    __tablename__ = "outbox"
    __table_args__ = (Index(None, "lane", "id"), Index(None, "state", "due_at"), NUMBERED)

    id: ColumnElement[int] = column(ID, primary_key=True, autoincrement=True)
    lane: ColumnElement[str] = column(ascii_text(64))
    kind: ColumnElement[str] = column(ascii_text(KIND_LENGTH))
    payload: ColumnElement[str] = column(LONG_TEXT)
    state: ColumnElement[int] = column(SmallInteger, server_default=ZERO)
    attempts: ColumnElement[int] = column(SmallInteger, server_default=ZERO)
    created_at: ColumnElement[int] = column(BigInteger)
    due_at: ColumnElement[int] = column(BigInteger)
    claim: ColumnElement[str] = column(ascii_text(32), server_default=EMPTY)
    claimed_until: ColumnElement[int] = column(BigInteger, server_default=ZERO)
    last_error: ColumnElement[str] = column(String(255), server_default=EMPTY)

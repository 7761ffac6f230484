"""The tables. Migrations and `schema/mysql-schema.sql` must agree with them; a test compares all three.

Those about push, of figures and of the console stand in files of their own.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, SmallInteger, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

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
from messenger_api.storage.models.console import Administrator as Administrator
from messenger_api.storage.models.console import AdminSession as AdminSession
from messenger_api.storage.models.figures import FigureRow as FigureRow
from messenger_api.storage.models.push import PUSH_APP_LENGTH as PUSH_APP_LENGTH
from messenger_api.storage.models.push import PUSH_TOKEN_LENGTH as PUSH_TOKEN_LENGTH
from messenger_api.storage.models.push import GonePushToken as GonePushToken
from messenger_api.storage.models.push import PushCredential as PushCredential
from messenger_api.storage.models.push import PushToken as PushToken

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

    uid: Mapped[int] = mapped_column(ID, primary_key=True, autoincrement=True)
    address: Mapped[str] = mapped_column(ascii_text(ADDRESS_LENGTH), unique=True)
    contact_key: Mapped[bytes] = mapped_column(KEY, unique=True)
    mesibo_uid: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH), server_default=EMPTY)
    status: Mapped[str] = mapped_column(String(STATUS_LENGTH), server_default=EMPTY)
    photo: Mapped[str] = mapped_column(ascii_text(64), server_default=EMPTY)
    country: Mapped[str] = mapped_column(ascii_text(2), server_default=EMPTY)
    created_at: Mapped[int] = mapped_column(BigInteger)
    changed_at: Mapped[int] = mapped_column(BigInteger)
    seen_at: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    blocked: Mapped[int] = mapped_column(SmallInteger, server_default=ZERO)
    closed_at: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    news_at: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)


class Thumbnail(Base):
    """The base64 JPEG that answers carry as `tn`, by the name of its photo."""

    __tablename__ = "thumbnails"
    __table_args__ = (MYSQL,)

    photo: Mapped[str] = mapped_column(ascii_text(64), primary_key=True)
    tn: Mapped[str] = mapped_column(Text)


class Session(Base):
    """A logged-in app. The token itself is never stored.

    `synced_to`: every change up to this second has been told to the app. `seen_at`: when the app last called,
    to the day.
    """

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "uid", "appid"), NUMBERED)

    sid: Mapped[int] = mapped_column(ID, primary_key=True, autoincrement=True)
    uid: Mapped[int] = mapped_column(ForeignKey("users.uid", ondelete="CASCADE"))
    token_hash: Mapped[bytes] = mapped_column(HASH, unique=True)
    appid: Mapped[str] = mapped_column(exact_text(APPID_LENGTH))
    device: Mapped[str] = mapped_column(exact_text(DEVICE_LENGTH), server_default=EMPTY)
    device_type: Mapped[int] = mapped_column(SmallInteger, server_default=ZERO)
    created_at: Mapped[int] = mapped_column(BigInteger)
    synced_to: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    seen_at: Mapped[int] = mapped_column(BigInteger, server_default=ZERO, index=True)


class OneTimeCode(Base):
    """The code last made for an address, as a keyed hash: one row an address.

    `earlier`: those before it that are good as well, with their seconds of expiry (`storage.codes`).
    `sends` and `providers`: how often, and by whom, a code was sent since the last login. `attempts`: wrong
    tries; the next one may come at `wait_until`. `verification`: the provider who made the code itself, and
    its id. `reply`: the token that the code brought, sealed, for the device `reply_to` whose answer got lost.
    """

    __tablename__ = "one_time_codes"
    __table_args__ = (MYSQL,)

    contact_key: Mapped[bytes] = mapped_column(KEY, primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(HASH)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH), server_default=EMPTY)
    sends: Mapped[int] = mapped_column(SmallInteger, server_default=ZERO)
    providers: Mapped[str] = mapped_column(ascii_text(255), server_default=EMPTY)
    verification: Mapped[str] = mapped_column(ascii_text(255), server_default=EMPTY)
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=ZERO)
    wait_until: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    used_at: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    reply_to: Mapped[bytes | None] = mapped_column(KEY)
    reply: Mapped[bytes | None] = mapped_column(SEALED)
    sent_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)
    earlier: Mapped[str] = mapped_column(ascii_text(255), server_default=EMPTY)


class LimitCounter(Base):
    """How often something happened of late: a limit and whom it counts, hashed where that is a person.

    `slots` holds the counts of short spans of time, so that counting reads one row, whatever the number.
    """

    __tablename__ = "limit_counters"
    __table_args__ = (MYSQL,)

    name: Mapped[str] = mapped_column(ascii_text(96), primary_key=True)
    slots: Mapped[str] = mapped_column(ascii_text(2048), server_default=EMPTY)
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
        NUMBERED,
    )

    id: Mapped[int] = mapped_column(ID, primary_key=True, autoincrement=True)
    contact_key: Mapped[bytes] = mapped_column(KEY)
    provider: Mapped[str] = mapped_column(ascii_text(64))
    provider_id: Mapped[str] = mapped_column(ascii_text(128))
    channel: Mapped[str] = mapped_column(ascii_text(8))
    country: Mapped[str] = mapped_column(ascii_text(2), server_default=EMPTY)
    cost: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    state: Mapped[int] = mapped_column(SmallInteger, server_default=ZERO)
    sent_at: Mapped[int] = mapped_column(BigInteger)


class Password(Base):
    """The argon2 hash of a password, for LOGIN_METHOD "password"."""

    __tablename__ = "passwords"
    __table_args__ = (MYSQL,)

    address: Mapped[str] = mapped_column(ascii_text(ADDRESS_LENGTH), primary_key=True)
    hash: Mapped[str] = mapped_column(ascii_text(255))
    changed_at: Mapped[int] = mapped_column(BigInteger)


class Contact(Base):
    """One entry of a phone book, blind: the keyed hash of the number (see `domain.secrets`)."""

    __tablename__ = "contacts"
    __table_args__ = (Index(None, "contact_key"), MYSQL)

    owner: Mapped[int] = mapped_column(ForeignKey("users.uid", ondelete="CASCADE"), primary_key=True)
    contact_key: Mapped[bytes] = mapped_column(KEY, primary_key=True)


class FormerContact(Base):
    """A number that was taken out of a phone book, blind; no new one for its owner until `expires_at`."""

    __tablename__ = "former_contacts"
    __table_args__ = (MYSQL,)

    owner: Mapped[int] = mapped_column(ForeignKey("users.uid", ondelete="CASCADE"), primary_key=True)
    contact_key: Mapped[bytes] = mapped_column(KEY, primary_key=True)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)


class Block(Base):
    """Whom a user does not want to hear of or be found by; blind, as the phone book is."""

    __tablename__ = "blocks"
    __table_args__ = (MYSQL,)

    owner: Mapped[int] = mapped_column(ForeignKey("users.uid", ondelete="CASCADE"), primary_key=True)
    contact_key: Mapped[bytes] = mapped_column(KEY, primary_key=True)
    created_at: Mapped[int] = mapped_column(BigInteger)


class Report(Base):
    """A user's complaint about another, for the operator to read. It goes with either of the two."""

    __tablename__ = "reports"
    __table_args__ = (Index(None, "reporter"), Index(None, "reported"), NUMBERED)

    id: Mapped[int] = mapped_column(ID, primary_key=True, autoincrement=True)
    reporter: Mapped[int] = mapped_column(ForeignKey("users.uid", ondelete="CASCADE"))
    reported: Mapped[int] = mapped_column(ForeignKey("users.uid", ondelete="CASCADE"))
    gid: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    reason: Mapped[str] = mapped_column(ascii_text(32), server_default=EMPTY)
    text: Mapped[str] = mapped_column(String(REPORT_LENGTH), server_default=EMPTY)
    created_at: Mapped[int] = mapped_column(BigInteger)


class Group(Base):
    """A group, under the id that mesibo gave it. `version` moves with every change: an optimistic lock.

    `roster`: its members as apps are told (`domain.members`), so that a sync need not gather them. It counts
    only while `roster_version` is the `version`: older programs change groups and do not write it.
    `life_told`: mesibo knows how long the group shall live.
    """

    __tablename__ = "chat_groups"
    __table_args__ = (MYSQL,)

    gid: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH), server_default=EMPTY)
    photo: Mapped[str] = mapped_column(ascii_text(64), server_default=EMPTY)
    version: Mapped[int] = mapped_column(Integer, server_default=ZERO)
    created_at: Mapped[int] = mapped_column(BigInteger)
    changed_at: Mapped[int] = mapped_column(BigInteger)
    roster: Mapped[str | None] = mapped_column(LONG_TEXT)
    roster_version: Mapped[int] = mapped_column(Integer, server_default=text("'-1'"))
    life_told: Mapped[int] = mapped_column(SmallInteger, server_default=ZERO)


class Fact(Base):
    """What the installation remembers of itself: its key's fingerprint, when its outbox was looked after."""

    __tablename__ = "facts"
    __table_args__ = (MYSQL,)

    name: Mapped[str] = mapped_column(ascii_text(32), primary_key=True)
    value: Mapped[str] = mapped_column(ascii_text(255), server_default=EMPTY)


class GroupMember(Base):
    """Who is in which group; `role` is 0 member, 1 admin, 2 owner; `position` is the order of joining."""

    __tablename__ = "group_members"
    __table_args__ = (Index(None, "uid"), MYSQL)

    gid: Mapped[int] = mapped_column(ForeignKey("chat_groups.gid", ondelete="CASCADE"), primary_key=True)
    uid: Mapped[int] = mapped_column(ForeignKey("users.uid", ondelete="CASCADE"), primary_key=True)
    role: Mapped[int] = mapped_column(SmallInteger, server_default=ZERO)
    position: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)


class NewGroup(Base):
    """A group that mesibo is being asked to make: noted before, gone with the commit that writes the group.

    One that stays may mean a group at mesibo that nobody here knows. `members`: the addresses that mesibo was
    told, as JSON. `asked_at`: the last second in which mesibo could not say whether there is such a group.
    """

    __tablename__ = "new_groups"
    __table_args__ = (Index(None, "created_at"), NUMBERED)

    id: Mapped[int] = mapped_column(ID, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(exact_text(NAME_LENGTH))
    members: Mapped[str] = mapped_column(LONG_TEXT)
    created_at: Mapped[int] = mapped_column(BigInteger)
    asked_at: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)


class OutboxItem(Base):
    """Work that must follow a commit. Items of one lane are done in the order of their ids."""

    __tablename__ = "outbox"
    __table_args__ = (Index(None, "lane", "id"), Index(None, "state", "due_at"), NUMBERED)

    id: Mapped[int] = mapped_column(ID, primary_key=True, autoincrement=True)
    lane: Mapped[str] = mapped_column(ascii_text(64))
    kind: Mapped[str] = mapped_column(ascii_text(KIND_LENGTH))
    payload: Mapped[str] = mapped_column(LONG_TEXT)
    state: Mapped[int] = mapped_column(SmallInteger, server_default=ZERO)
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=ZERO)
    created_at: Mapped[int] = mapped_column(BigInteger)
    due_at: Mapped[int] = mapped_column(BigInteger)
    claim: Mapped[str] = mapped_column(ascii_text(32), server_default=EMPTY)
    claimed_until: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    last_error: Mapped[str] = mapped_column(String(255), server_default=EMPTY)

"""The sandbox's memory: one SQLite file that any number of threads and processes share."""

from __future__ import annotations

import dataclasses
import secrets
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from messenger_api.sandbox.records import Group, Message, TextMessage, User, UserToken
from messenger_api.sandbox.schema import create_tables

KEEP = 1_000
KEEP_TOKENS = 5
# Samples of mesibo's user tokens have 48, 49 and 55 characters. The length of a v2 token is not
# documented: a long one shows callers that count on a short one.
TOKEN_BYTES = 24
TOKEN_V2_BYTES = 60


class UnknownAddressError(Exception):
    """Addresses that should belong to mesibo users and do not."""

    def __init__(self, addresses: Sequence[str]) -> None:
        super().__init__(f"{len(addresses)} of the addresses are not mesibo users")
        self.addresses = tuple(addresses)


class UnknownGroupError(Exception):
    """There is no group of this id."""


class SandboxStore:
    """Users, groups, messages and text messages, in the SQLite file `path`; the faults of `Faults`, too.

    With no path the file is private and removed by `close`. The last `keep` messages and text
    messages stay. Power loss may cost data (no fsync); the death of a process does not.
    """

    def __init__(self, path: Path | None = None, *, keep: int = KEEP) -> None:
        self._folder = None if path else tempfile.TemporaryDirectory(prefix="messenger-sandbox-")
        self._keep = keep
        self._lock = threading.RLock()
        self.path = path or Path(self._folder.name if self._folder else "") / "sandbox.sqlite3"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(self.path, timeout=20, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        create_tables(self._db)

    def close(self) -> None:
        """Close the file; a private one is removed. A second call does nothing."""
        with self._lock:
            self._db.close()
            if self._folder:
                self._folder.cleanup()

    def __enter__(self) -> SandboxStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: committed at its end, undone by an exception."""
        # The lock is the connection's: SQLite has one transaction per connection.
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """What a statement finds."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    # Users and their tokens

    def put_user(
        self, address: str, *, name: str | None = None, active: bool | None = None, flag: int | None = None
    ) -> User:
        """Create the user of this address or change what is not None."""
        with self.writing() as db:
            new = (address, int(time.time()))
            db.execute("INSERT INTO users (address, created) VALUES (?, ?) ON CONFLICT DO NOTHING", new)
            change = "name = coalesce(?, name), active = coalesce(?, active), flag = coalesce(?, flag)"
            db.execute(f"UPDATE users SET {change} WHERE address = ?", (name, active, flag, address))  # noqa: S608
            row = db.execute("SELECT * FROM users WHERE address = ?", (address,)).fetchone()
        return _user(row)

    def user(self, address: str) -> User | None:
        """The user of this address."""
        return next(map(_user, self.rows("SELECT * FROM users WHERE address = ?", address)), None)

    def user_by_uid(self, uid: int) -> User | None:
        """The user of this mesibo uid."""
        return next(map(_user, self.rows("SELECT * FROM users WHERE uid = ?", uid)), None)

    def users(self, match: str = "*", limit: int = 100) -> list[User]:
        """Users whose address matches (`*` stands for any text), newest first."""
        sql = r"SELECT * FROM users WHERE address LIKE ? ESCAPE '\' ORDER BY uid DESC LIMIT ?"
        return [_user(row) for row in self.rows(sql, _like(match), limit)]

    def delete_user(self, address: str) -> bool:
        """Remove the user, the tokens and the memberships; False when there is no such user."""
        with self.writing() as db:
            gone = db.execute("DELETE FROM users WHERE address = ?", (address,)).rowcount
            db.execute("DELETE FROM tokens WHERE address = ?", (address,))
            db.execute("DELETE FROM members WHERE address = ?", (address,))
        return bool(gone)

    def mint_token(self, address: str, appid: str, *, v2: bool = False) -> UserToken:
        """A new token for this user and app; the last few of the same app stay valid.

        Raises:
            UnknownAddressError: when the address is no user's.
        """
        token = secrets.token_hex(TOKEN_V2_BYTES if v2 else TOKEN_BYTES)
        minted = UserToken(token, address, appid, int(time.time()))
        with self.writing() as db:
            _refuse_strangers(db, [address])
            db.execute("INSERT INTO tokens VALUES (?, ?, ?, ?)", dataclasses.astuple(minted))
            same = "SELECT rowid FROM tokens WHERE address = ? AND appid = ? ORDER BY rowid DESC"
            old = f"DELETE FROM tokens WHERE rowid IN ({same} LIMIT -1 OFFSET ?)"  # noqa: S608
            db.execute(old, (address, appid, KEEP_TOKENS))
        return minted

    def token(self, token: str) -> UserToken | None:
        """The record of a token that is valid now."""
        rows = self.rows("SELECT * FROM tokens WHERE token = ?", token)
        return UserToken(*rows[0]) if rows else None

    def tokens(self, address: str) -> list[UserToken]:
        """The valid tokens of a user, newest first."""
        sql = "SELECT * FROM tokens WHERE address = ? ORDER BY rowid DESC"
        return [UserToken(*row) for row in self.rows(sql, address)]

    def delete_tokens(self, address: str, appid: str) -> int:
        """End all tokens of a user for one app; their number."""
        with self.writing() as db:
            sql = "DELETE FROM tokens WHERE address = ? AND appid = ?"
            return db.execute(sql, (address, appid)).rowcount

    # Groups

    def add_group(self, name: str = "", members: Iterable[str] = (), *, flag: int = 0) -> Group:
        """Make a group. Its gid was never used before, not even by a group that is gone.

        Raises:
            UnknownAddressError: when a member is no user; then nothing is made.
        """
        with self.writing() as db:
            sql = "INSERT INTO groups (name, flag, created) VALUES (?, ?, ?)"
            gid = db.execute(sql, (name, flag, int(time.time()))).lastrowid or 0
            _join(db, gid, members)
            return _group(db, gid)

    def group(self, gid: int) -> Group | None:
        """The group of this id."""
        with self._lock:
            try:
                return _group(self._db, gid)
            except UnknownGroupError:
                return None

    def groups(self, match: str = "*", limit: int = 100) -> list[Group]:
        """Groups whose name matches (`*` stands for any text), newest first."""
        sql = r"SELECT gid FROM groups WHERE name LIKE ? ESCAPE '\' ORDER BY gid DESC LIMIT ?"
        with self._lock:
            return [_group(self._db, row["gid"]) for row in self.rows(sql, _like(match), limit)]

    def edit_group(
        self,
        gid: int,
        *,
        name: str | None = None,
        flag: int | None = None,
        active: bool | None = None,
        add: Iterable[str] = (),
        remove: Iterable[str] = (),
    ) -> Group:
        """Change what is not None, add and remove members, all or nothing.

        Raises:
            UnknownGroupError: there is no such group.
            UnknownAddressError: one of the addresses is no user's.
        """
        leaving = tuple(remove)
        with self.writing() as db:
            _group(db, gid)
            change = "name = coalesce(?, name), flag = coalesce(?, flag), active = coalesce(?, active)"
            db.execute(f"UPDATE groups SET {change} WHERE gid = ?", (name, flag, active, gid))  # noqa: S608
            _join(db, gid, add)
            _refuse_strangers(db, leaving)
            sql = "DELETE FROM members WHERE gid = ? AND address = ?"
            db.executemany(sql, [(gid, address) for address in leaving])
            return _group(db, gid)

    def delete_group(self, gid: int) -> bool:
        """Remove a group; False when there is none of this id."""
        with self.writing() as db:
            db.execute("DELETE FROM members WHERE gid = ?", (gid,))
            return bool(db.execute("DELETE FROM groups WHERE gid = ?", (gid,)).rowcount)

    # Messages and text messages

    def add_message(
        self,
        sender: str,
        to: Iterable[str],
        text: str,
        *,
        gid: int = 0,
        kind: int = 0,
        expiry: int = 0,
        flag: int = 0,
        forced: bool = False,
    ) -> Message:
        """Remember a message that was sent through mesibo."""
        values = (sender, ",".join(to), gid, kind, expiry, flag, forced, text, int(time.time()))
        columns = "sender, recipients, gid, type, expiry, flag, forced, text, time"
        return _message(self._append("messages", "mid", columns, values))

    def messages(self, limit: int = 100, after: int = 0) -> list[Message]:
        """Messages with a `mid` over `after`, newest first."""
        sql = "SELECT * FROM messages WHERE mid > ? ORDER BY mid DESC LIMIT ?"
        return [_message(row) for row in self.rows(sql, after, limit)]

    def message(self, mid: int) -> Message | None:
        """The message of this id."""
        return next(map(_message, self.rows("SELECT * FROM messages WHERE mid = ?", mid)), None)

    def record_sms(self, to: str, text: str, provider: str = "console", sender: str = "") -> TextMessage:
        """Put a text message on the pretended SMS network; a leading plus of `to` is dropped."""
        values = (to.removeprefix("+"), text, provider, sender, int(time.time()))
        return TextMessage(*self._append("texts", "id", "recipient, text, provider, sender, time", values))

    def texts(self, limit: int = 100, after: int = 0) -> list[TextMessage]:
        """Text messages with an `id` over `after`, newest first."""
        sql = "SELECT * FROM texts WHERE id > ? ORDER BY id DESC LIMIT ?"
        return [TextMessage(*row) for row in self.rows(sql, after, limit)]

    def _append(self, table: str, key: str, columns: str, values: tuple[object, ...]) -> sqlite3.Row:
        """Insert a row into a table of fixed name and forget the oldest beyond `keep`."""
        marks = ", ".join("?" * len(values))
        with self.writing() as db:
            sql = f"INSERT INTO {table} ({columns}) VALUES ({marks}) RETURNING *"  # noqa: S608
            row: sqlite3.Row = db.execute(sql, values).fetchall()[0]
            db.execute(f"DELETE FROM {table} WHERE {key} <= ?", (row[key] - self._keep,))  # noqa: S608
        return row


def _user(row: sqlite3.Row) -> User:
    return User(row["uid"], row["address"], row["name"], bool(row["active"]), row["flag"], row["created"])


def _message(row: sqlite3.Row) -> Message:
    found: dict[str, Any] = dict(row)
    to = tuple(filter(None, found.pop("recipients").split(",")))
    return Message(**{**found, "to": to, "forced": bool(found["forced"])})


def _group(db: sqlite3.Connection, gid: int) -> Group:
    row = db.execute("SELECT * FROM groups WHERE gid = ?", (gid,)).fetchone()
    if row is None:
        raise UnknownGroupError
    found = db.execute("SELECT address FROM members WHERE gid = ? ORDER BY rowid", (gid,))
    members = tuple(member["address"] for member in found)
    return Group(gid, row["name"], row["flag"], bool(row["active"]), members, row["created"])


def _join(db: sqlite3.Connection, gid: int, addresses: Iterable[str]) -> None:
    joining = tuple(addresses)
    _refuse_strangers(db, joining)
    sql = "INSERT INTO members VALUES (?, ?) ON CONFLICT DO NOTHING"
    db.executemany(sql, [(gid, address) for address in joining])


def _refuse_strangers(db: sqlite3.Connection, addresses: Sequence[str]) -> None:
    find = "SELECT 1 FROM users WHERE address = ?"
    strangers = [address for address in addresses if not db.execute(find, (address,)).fetchone()]
    if strangers:
        raise UnknownAddressError(strangers)


def _like(match: str) -> str:
    for special in "\\%_":
        match = match.replace(special, "\\" + special)
    return match.replace("*", "%")

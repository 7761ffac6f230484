"""Groups of the sandbox: members with what they may do, and the day on which a group ends."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from messenger_api.sandbox.memory import Memory, like, refuse_strangers
from messenger_api.sandbox.records import Group, Member

YEAR_SECONDS = 365 * 24 * 3600
RIGHTS = tuple(each.name for each in dataclasses.fields(Member))
_COLUMNS = ("name", "flag", "active", "expiry", "expiryext", "sflags", "pinned", "image")
Rights = Mapping[str, bool | None]


class UnknownGroupError(Exception):
    """There is no group of this id."""


class TooManyGroupsError(Exception):
    """A user is in as many groups as `useradd` allowed."""


class GroupStore(Memory):
    """Groups. One whose time is over is gone, as if it were deleted."""

    def add_group(
        self,
        name: str = "",
        members: Iterable[str] = (),
        *,
        flag: int = 0,
        expiry: int = YEAR_SECONDS,
        rights: Rights | None = None,
        **others: Any,
    ) -> Group:
        """Make a group. Its gid was never used before, not even by a group that is gone.

        Args:
            name: of the group.
            members: addresses.
            flag: bits, as mesibo documents them.
            expiry: seconds; 0 for never (inferred).
            rights: what these members may do, by names of `Member`.
            others: columns of `Group`.

        Raises:
            UnknownAddressError: when a member is no user; then nothing is made.
            TooManyGroupsError: a member may be in no more groups.
        """
        given = {"name": name, "flag": flag, "expiry": expiry, **_known(others)}
        values = (self.now(), self.after(expiry) if expiry else 0, *given.values())
        with self.writing() as db:
            columns, marks = ", ".join(given), ", ".join("?" * len(values))
            sql = f"INSERT INTO groups (created, ends, {columns}) VALUES ({marks})"  # noqa: S608
            gid = db.execute(sql, values).lastrowid or 0
            _join(db, gid, members, rights or {})
            return _group(db, gid)

    def group(self, gid: int) -> Group | None:
        """The group of this id."""
        with self._lock:
            self._end_groups()
            try:
                return _group(self._db, gid)
            except UnknownGroupError:
                return None

    def groups(self, match: str = "*", limit: int = 100) -> list[Group]:
        """Groups whose name matches (`*` stands for any text), newest first."""
        sql = r"SELECT gid FROM groups WHERE name LIKE ? ESCAPE '\' ORDER BY gid DESC LIMIT ?"
        with self._lock:
            self._end_groups()
            return [_group(self._db, row["gid"]) for row in self.rows(sql, like(match), limit)]

    def count_groups(self) -> int:
        """How many groups the app has."""
        self._end_groups()
        return int(self.rows("SELECT count(*) FROM groups")[0][0])

    def edit_group(
        self,
        gid: int,
        *,
        add: Iterable[str] = (),
        remove: Iterable[str] = (),
        rights: Rights | None = None,
        **changes: Any,
    ) -> Group:
        """Change what is given of the columns of `Group`, add members, give them rights, remove members.

        Raises:
            UnknownGroupError: no such group.
            UnknownAddressError: one to add or to remove is no user; then nothing is changed.
            TooManyGroupsError: a member may be in no more groups; then nothing is changed.
        """
        leaving = tuple(remove)
        given = {key: value for key, value in _known(changes).items() if value is not None}
        if "expiry" in given:
            given["ends"] = self.after(given["expiry"]) if given["expiry"] else 0
        self._end_groups()
        with self.writing() as db:
            _group(db, gid)
            for column, value in given.items():
                db.execute(f"UPDATE groups SET {column} = ? WHERE gid = ?", (value, gid))  # noqa: S608
            _join(db, gid, add, rights or {})
            refuse_strangers(db, leaving)
            sql = "DELETE FROM members WHERE gid = ? AND address = ?"
            db.executemany(sql, [(gid, address) for address in leaving])
            return _group(db, gid)

    def touch_group(self, gid: int) -> None:
        """Activity: the group lives at least `expiryext` seconds more, where that was set."""
        sql = "UPDATE groups SET ends = max(ends, ? + expiryext) WHERE gid = ? AND expiryext > 0 AND ends > 0"
        with self.writing() as db:
            db.execute(sql, (self.now(), gid))

    def next_in_turn(self, gid: int, among: list[str]) -> list[str]:
        """One of these members, another with every call."""
        with self.writing() as db:
            turn = db.execute(
                "UPDATE groups SET turn = turn + 1 WHERE gid = ? RETURNING turn - 1", (gid,)
            ).fetchall()
        return [among[turn[0][0] % len(among)]] if turn and among else []

    def delete_group(self, gid: int) -> bool:
        """Remove a group; False when there is none of this id."""
        self._end_groups()
        with self.writing() as db:
            db.execute("DELETE FROM members WHERE gid = ?", (gid,))
            return bool(db.execute("DELETE FROM groups WHERE gid = ?", (gid,)).rowcount)

    def _end_groups(self) -> None:
        over = "FROM groups WHERE ends BETWEEN 1 AND ?"
        now = self.now()
        if self.rows(f"SELECT 1 {over} LIMIT 1", now):
            with self.writing() as db:
                db.execute(f"DELETE FROM members WHERE gid IN (SELECT gid {over})", (now,))  # noqa: S608
                db.execute(f"DELETE {over}", (now,))


def _known(others: Mapping[str, Any]) -> dict[str, Any]:
    if unknown := set(others) - set(_COLUMNS):
        raise TypeError(f"no facts of a group: {', '.join(sorted(unknown))}")
    return dict(others)


def _group(db: sqlite3.Connection, gid: int) -> Group:
    row = db.execute("SELECT * FROM groups WHERE gid = ?", (gid,)).fetchone()
    if row is None:
        raise UnknownGroupError
    found: dict[str, Any] = {key: value for key, value in dict(row).items() if key != "turn"}
    members = db.execute("SELECT * FROM members WHERE gid = ? ORDER BY rowid", (gid,)).fetchall()
    rights = {each["address"]: Member(*map(_maybe, tuple(each)[2:])) for each in members}
    return Group(**{**found, "active": bool(found["active"])}, members=tuple(rights), rights=rights)


def _maybe(value: int | None) -> bool | None:
    return None if value is None else bool(value)


def _join(db: sqlite3.Connection, gid: int, addresses: Iterable[str], rights: Rights) -> None:
    joining = tuple(addresses)
    refuse_strangers(db, joining)
    _refuse_full(db, gid, joining)
    new = "INSERT INTO members (gid, address) VALUES (?, ?) ON CONFLICT DO NOTHING"
    db.executemany(new, [(gid, address) for address in joining])
    for right, value in rights.items():
        if right in RIGHTS and value is not None:
            sql = f"UPDATE members SET {right} = ? WHERE gid = ? AND address = ?"  # noqa: S608
            db.executemany(sql, [(value, gid, address) for address in joining])


def _refuse_full(db: sqlite3.Connection, gid: int, addresses: tuple[str, ...]) -> None:
    sql = (
        "SELECT 1 FROM users WHERE address = ? AND groups <= (SELECT count(*) FROM members"
        " WHERE members.address = users.address AND gid <> ?)"
    )
    if any(db.execute(sql, (address, gid)).fetchone() for address in addresses):
        raise TooManyGroupsError

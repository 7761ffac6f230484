"""Users of the sandbox: their tokens, one-time passwords, and whether they are connected."""

from __future__ import annotations

import secrets
import sqlite3
from typing import Any

from messenger_api.sandbox.memory import Memory, like, refuse_strangers
from messenger_api.sandbox.records import User, UserToken

KEEP_TOKENS = 5
# Samples of mesibo's user tokens have 48, 49 and 55 characters. The length of a v2 token is not
# documented: a long one shows callers that count on a short one.
TOKEN_BYTES = 24
TOKEN_V2_BYTES = 60
YEAR_MINUTES = 365 * 24 * 60
OTP_DIGITS = 6
_COLUMNS = ("name", "active", "flag", "groups", "session", "restrictions", "pinned", "storage", "ssr")


class UserStore(Memory):
    """Users and what they log in with."""

    def put_user(
        self,
        address: str,
        *,
        name: str | None = None,
        active: bool | None = None,
        flag: int | None = None,
        **others: int | None,
    ) -> User:
        """Create the user of this address or change what is not None; `others` are columns of `User`."""
        given: dict[str, Any] = {"name": name, "active": active, "flag": flag, **others}
        if unknown := set(given) - set(_COLUMNS):
            raise TypeError(f"no facts of a user: {', '.join(sorted(unknown))}")
        with self.writing() as db:
            new = (address, self.now())
            db.execute("INSERT INTO users (address, created) VALUES (?, ?) ON CONFLICT DO NOTHING", new)
            change = ", ".join(f"{column} = coalesce(?, {column})" for column in given)
            db.execute(f"UPDATE users SET {change} WHERE address = ?", (*given.values(), address))  # noqa: S608
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
        return [_user(row) for row in self.rows(sql, like(match), limit)]

    def count_users(self) -> int:
        """How many users the app has."""
        return int(self.rows("SELECT count(*) FROM users")[0][0])

    def delete_user(self, address: str) -> bool:
        """Remove the user with all that is the user's; False when there is no such user."""
        with self.writing() as db:
            gone = db.execute("DELETE FROM users WHERE address = ?", (address,)).rowcount
            for table in ("tokens", "members", "otps", "deliveries"):
                db.execute(f"DELETE FROM {table} WHERE address = ?", (address,))  # noqa: S608
        return bool(gone)

    # Tokens

    def mint_token(
        self, address: str, appid: str, *, v2: bool = False, expiry: int = YEAR_MINUTES
    ) -> UserToken:
        """A new token for this user and app; the last few of the same app stay valid.

        Args:
            address: the user's.
            appid: for which alone it works.
            v2: the newer format.
            expiry: minutes; 0 for ever.

        Raises:
            UnknownAddressError: when the address is no user's.
        """
        token = secrets.token_hex(TOKEN_V2_BYTES if v2 else TOKEN_BYTES)
        ends = self.after(expiry * 60) if expiry else 0
        minted = UserToken(token, address, appid, self.now(), ends)
        with self.writing() as db:
            refuse_strangers(db, [address])
            db.execute(
                "INSERT INTO tokens VALUES (?, ?, ?, ?, ?)", (token, address, appid, minted.created, ends)
            )
            same = "SELECT rowid FROM tokens WHERE address = ? AND appid = ? ORDER BY rowid DESC"
            old = f"DELETE FROM tokens WHERE rowid IN ({same} LIMIT -1 OFFSET ?)"  # noqa: S608
            db.execute(old, (address, appid, KEEP_TOKENS))
        return minted

    def token(self, token: str) -> UserToken | None:
        """The record of a token that lets its user in: it did not end, and the user is active."""
        sql = (
            "SELECT tokens.* FROM tokens JOIN users USING (address)"
            " WHERE token = ? AND active AND (ends = 0 OR ends > ?)"
        )
        rows = self.rows(sql, token, self.now())
        return UserToken(*rows[0]) if rows else None

    def tokens(self, address: str) -> list[UserToken]:
        """The tokens of a user that did not end, newest first."""
        sql = "SELECT * FROM tokens WHERE address = ? AND (ends = 0 OR ends > ?) ORDER BY rowid DESC"
        return [UserToken(*row) for row in self.rows(sql, address, self.now())]

    def delete_tokens(self, address: str, appid: str) -> int:
        """End all tokens of a user for one app; their number."""
        with self.writing() as db:
            sql = "DELETE FROM tokens WHERE address = ? AND appid = ?"
            return db.execute(sql, (address, appid)).rowcount

    # One-time passwords

    def make_otp(self, address: str, *, tries: int = 5, expiry: int = 300, reuse: bool = False) -> str:
        """A one-time password for an address, in the place of an earlier one; `expiry` in seconds."""
        code = f"{1 + secrets.randbelow(10**OTP_DIGITS - 1):0{OTP_DIGITS}d}"
        values = (address, code, tries, reuse, self.after(expiry))
        with self.writing() as db:
            db.execute("INSERT OR REPLACE INTO otps VALUES (?, ?, ?, ?, ?)", values)
        return code

    def check_otp(self, address: str, code: str) -> bool:
        """Whether this is the address's password; a right one is used up unless it may be used again."""
        with self.writing() as db:
            db.execute("DELETE FROM otps WHERE ends <= ? OR tries <= 0", (self.now(),))
            row = db.execute("SELECT * FROM otps WHERE address = ?", (address,)).fetchone()
            right = row is not None and secrets.compare_digest(str(row["code"]).encode(), code.encode())
            if not right:
                db.execute("UPDATE otps SET tries = tries - 1 WHERE address = ?", (address,))
            elif not row["reuse"]:
                db.execute("DELETE FROM otps WHERE address = ?", (address,))
        return right

    def otps(self) -> dict[str, str]:
        """The one-time passwords that can be used, by address."""
        rows = self.rows("SELECT address, code FROM otps WHERE ends > ? AND tries > 0", self.now())
        return {row["address"]: row["code"] for row in rows}


def _user(row: sqlite3.Row) -> User:
    found: dict[str, Any] = {key: value for key, value in dict(row).items() if key != "listening"}
    return User(**{**found, "active": bool(found["active"]), "online": bool(found["online"])})

"""Messages through mesibo, whom they reach and when, and text messages of the SMS network."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

from messenger_api.sandbox.memory import Memory
from messenger_api.sandbox.records import Delivery, Message, TextMessage

TRANSIENT = 4
"""The flag of a message that only who is online gets (mesibo's PHP backend)."""
_COLUMNS = 'sender, recipients, gid, type, expiry, flag, forced, text, time, "when", url, title, channel'


class MessageStore(Memory):
    """Messages wait for users who are not connected; `connect` plays the app of one that comes online."""

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
        when: int = 0,
        url: str = "",
        title: str = "",
        channel: int = 0,
        reaches: Iterable[str] = (),
        stored: bool = True,
    ) -> Message:
        """Remember a message that was sent through mesibo, on its way to the users that it `reaches`.

        Where it is not `stored`, is transient or has an expiry of 0, only who is online gets it.
        """
        given = (gid, kind, expiry, flag, forced, text, self.now(), when, url, title, channel)
        values = (sender, ",".join(to), *given)
        message = message_of(self.append("messages", "mid", _COLUMNS, values))
        due = self.after(when)
        ends = self.after(when + expiry) if stored and not flag & TRANSIENT else due
        with self.writing() as db:
            new = (
                "INSERT OR IGNORE INTO deliveries SELECT ?, address, ?, ?, NULL, NULL"
                " FROM users WHERE address = ?"
            )
            db.executemany(new, [(message.mid, due, ends, address) for address in reaches])
            db.execute("DELETE FROM deliveries WHERE mid <= ?", (message.mid - self._keep,))
        self.settle()
        return message

    def messages(self, limit: int = 100, after: int = 0) -> list[Message]:
        """Messages with a `mid` over `after`, newest first."""
        sql = "SELECT * FROM messages WHERE mid > ? ORDER BY mid DESC LIMIT ?"
        return [message_of(row) for row in self.rows(sql, after, limit)]

    def message(self, mid: int) -> Message | None:
        """The message of this id."""
        return next(map(message_of, self.rows("SELECT * FROM messages WHERE mid = ?", mid)), None)

    def count_messages(self) -> int:
        """How many messages were sent in all."""
        rows = self.rows("SELECT seq FROM sqlite_sequence WHERE name = 'messages'")
        return int(rows[0][0]) - 100_000

    # Who gets them

    def connect(self, address: str) -> list[Message]:
        """The user comes online, and gets what waited; those messages, oldest first. A user who is not active
        may not connect, and gets none."""
        before = {message.mid for message in self.inbox(address)}
        self._set_online(address, online=True)
        return [message for message in self.inbox(address) if message.mid not in before]

    def disconnect(self, address: str) -> None:
        """The user goes offline."""
        self._set_online(address, online=False)

    def inbox(self, address: str) -> list[Message]:
        """What the user received, oldest first."""
        self.settle()
        sql = (
            "SELECT messages.* FROM messages JOIN deliveries USING (mid)"
            " WHERE address = ? AND received IS NOT NULL ORDER BY received, mid"
        )
        return [message_of(row) for row in self.rows(sql, address)]

    def deliveries(self, mid: int) -> list[Delivery]:
        """Whom a message reaches; those whose time was over before they came are left out."""
        self.settle()
        return [Delivery(*row) for row in self.rows("SELECT * FROM deliveries WHERE mid = ?", mid)]

    def settle(self) -> None:
        """Hand what is due to those who are online; what is over for the others is gone."""
        now = self.now()
        waiting = "received IS NULL AND due <= ?"
        if not self.rows(f"SELECT 1 FROM deliveries WHERE {waiting} LIMIT 1", now):  # noqa: S608
            return
        online = "SELECT address FROM users WHERE online AND active"
        with self.writing() as db:
            # Whoever is online has been since before anything of this was due, for `connect` settles first;
            # or came while it waited, and gets what has not ended.
            db.execute(
                f"UPDATE deliveries SET received = ? WHERE {waiting} AND address IN ({online})",  # noqa: S608
                (now, now),
            )
            # A phone that listens fetches what is here for it by itself (`ChatStore`).
            listens = "SELECT address FROM users WHERE listening > ?"
            db.execute(
                f"DELETE FROM deliveries WHERE {waiting} AND ends <= ? AND address NOT IN ({listens})",  # noqa: S608
                (now, now, now),
            )

    def _set_online(self, address: str, *, online: bool) -> None:
        self.settle()
        with self.writing() as db:
            db.execute("UPDATE users SET online = ? AND active WHERE address = ?", (online, address))
        self.settle()

    # Text messages

    def record_sms(
        self, to: str, text: str, provider: str = "console", sender: str = "", *, delay: int = 0
    ) -> TextMessage:
        """Put a text message on the pretended SMS network, where it takes `delay` seconds, or for ever with
        `NEVER`; a leading plus of `to` is dropped. `texts.send` does so as the faults say that are set."""
        values = (to.removeprefix("+"), text, provider, sender, self.now(), self.after(delay))
        columns = "recipient, text, provider, sender, time, due"
        return TextMessage(*tuple(self.append("texts", "id", columns, values))[:-1])

    def texts(self, limit: int = 100, after: int = 0) -> list[TextMessage]:
        """Text messages that arrived, with an `id` over `after`, newest first."""
        sql = "SELECT * FROM texts WHERE id > ? AND due <= ? ORDER BY id DESC LIMIT ?"
        return [TextMessage(*tuple(row)[:-1]) for row in self.rows(sql, after, self.now(), limit)]


def message_of(row: sqlite3.Row) -> Message:
    """The message that a row of the table is."""
    found: dict[str, Any] = dict(row)
    to = tuple(filter(None, found.pop("recipients").split(",")))
    return Message(**{**found, "to": to, "forced": bool(found["forced"])})

"""Messages between users, as their phones see them: sent, fetched, delivered, read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from messenger_api.sandbox.messages import MessageStore, message_of
from messenger_api.sandbox.records import Message, Receipt

LISTENING_SECONDS = 20
"""How long a phone that asked counts as reachable: what only who is online gets waits for it that long."""


class ChatStore(MessageStore):
    """What phones ask of mesibo. A message is delivered when its recipient's phone fetches it."""

    def fetch(self, address: str, after: int = 0, limit: int = 100) -> list[Message]:
        """What there is for this user with a `mid` over `after`, oldest first; it is delivered by this."""
        self.settle()
        now = self.now()
        self._listen(address, now)
        waiting = "received IS NULL AND due <= ? AND address = ?"
        if self.rows(f"SELECT 1 FROM deliveries WHERE {waiting} LIMIT 1", now, address):  # noqa: S608
            with self.writing() as db:
                db.execute(f"UPDATE deliveries SET received = ? WHERE {waiting}", (now, now, address))  # noqa: S608
        sql = (
            "SELECT messages.* FROM deliveries JOIN messages USING (mid)"
            " WHERE address = ? AND received IS NOT NULL AND mid > ? ORDER BY mid LIMIT ?"
        )
        return [message_of(row) for row in self.rows(sql, address, after, limit)]

    def mark_read(self, address: str, mids: Iterable[int]) -> None:
        """The user has seen these messages; those that were not delivered to this user are left out."""
        sql = (
            "UPDATE deliveries SET read = ? WHERE mid = ? AND address = ?"
            " AND received IS NOT NULL AND read IS NULL"
        )
        now = self.now()
        with self.writing() as db:
            db.executemany(sql, [(now, mid, address) for mid in mids])

    def receipts(self, sender: str, limit: int = 50) -> list[Receipt]:
        """How far the last messages of this user came, newest first."""
        newest = "SELECT mid FROM messages WHERE sender = ? ORDER BY mid DESC LIMIT ?"
        sql = (
            f"SELECT mid, address, received, read FROM deliveries WHERE mid IN ({newest})"  # noqa: S608
            " ORDER BY mid DESC, address"
        )
        found: dict[int, tuple[list[str], list[str], list[str]]] = defaultdict(lambda: ([], [], []))
        for mid, address, received, read in self.rows(sql, sender, limit):
            waiting, delivered, seen = found[mid]
            (seen if read else delivered if received else waiting).append(address)
        return [Receipt(mid, *map(tuple, states)) for mid, states in found.items()]

    def _listen(self, address: str, now: int) -> None:
        # Phones ask several times a second: a fresh lease is left as it is.
        fresh = "SELECT 1 FROM users WHERE address = ? AND listening > ?"
        if not self.rows(fresh, address, now + LISTENING_SECONDS // 2):
            with self.writing() as db:
                until = now + LISTENING_SECONDS
                db.execute("UPDATE users SET listening = ? WHERE address = ?", (until, address))

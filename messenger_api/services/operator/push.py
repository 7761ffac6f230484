"""Credentials for push that mesibo was handed by a command: until when they are good, and whom they wake."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from messenger_api.domain.times import DAY_SECONDS
from messenger_api.storage import push_credentials
from messenger_api.storage.db import Database
from messenger_api.storage.push_credentials import FIREBASE, PRODUCTION, SANDBOX
from messenger_api.storage.push_credentials import KeptCredential as KeptCredential

WARNED_SECONDS = 30 * DAY_SECONDS


class PushCredentials:
    """Remembers credentials. Every method raises TryLater: the database is away, or lacks the table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, *, kind: str, app: str, place: str, fingerprint: bytes, ends_at: int) -> None:
        """Remember a credential that mesibo has just taken; see `KeptCredential`."""

        def work(tx: Connection, now: int) -> None:
            found = KeptCredential(kind, app, place, fingerprint, ends_at, uploaded_at=now)
            push_credentials.keep(tx, found)

        self._database.write(work)

    def kept(self) -> Sequence[KeptCredential]:
        """Every credential that is remembered."""
        return self._database.run(push_credentials.kept)

    def forget(self, fingerprint: bytes) -> bool:
        """Remember a credential no longer; whether it was."""
        return self._database.run(lambda tx: push_credentials.forget(tx, fingerprint))

    def seconds_left(self, credential: KeptCredential) -> int | None:
        """How long a credential is good for, negative when it is over; None: without end."""
        return credential.ends_at - self._database.now() if credential.ends_at else None

    def woken(self, kind: str, place: str) -> tuple[int, int]:
        """How many phones a credential is for, and how many the others of its kind are for."""
        counts, mine = self._database.run(push_credentials.count_tokens), places_of(kind, place)
        if kind == FIREBASE:
            return counts[FIREBASE], 0
        woken = sum(counts[each] for each in mine)
        return woken, counts[SANDBOX] + counts[PRODUCTION] - woken

    def asleep(self) -> dict[str, int]:
        """How many phones of Apple's no credential is for, by the place that they have registered in.

        Empty where there is no credential of Apple's: what mesibo got by its console is not known here.
        """
        places = {place for each in self.kept() for place in places_of(each.kind, each.place)} - {FIREBASE}
        if not places:
            return {}
        counts = self._database.run(push_credentials.count_tokens)
        others = {SANDBOX, PRODUCTION} - places
        return {place: counts[place] for place in sorted(others) if counts[place]}


def places_of(kind: str, place: str) -> set[str]:
    """Where the tokens come from that a credential is for: Firebase, Apple's sandbox or production."""
    return {FIREBASE} if kind == FIREBASE else {each for each in (SANDBOX, PRODUCTION) if each in place}

"""Phone books and syncs.

A sync must lose nothing although `ts` has whole seconds and transactions commit out of order. The app
sends the largest `ts` it saw and gets what changed later. Two things make that safe:

- No sync carries a `ts` younger than its *horizon*, the second up to which every change is certain to be
  visible. A change beyond it is reported at once under the horizon's `ts`, and therefore once more.
- A session remembers the horizon of its last sync. Apps also take the `ts` of an update message or of an
  edited group for one that they have "seen", and that says nothing of what else changed before it. So the
  answer starts at whichever is earlier.
- An answer to `phones` carries no `ts` beyond the one that the app sent.

While nothing is told, the app's `ts` stands still and others go on changing. What they changed is noted for
whoever has their number (`storage.news`), some seconds behind. So a sync looks at that note, and walks only
the changes since: what it costs to find nothing does not depend on what others do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection

from messenger_api.domain.errors import TooMany, TryLater
from messenger_api.domain.limits import Window
from messenger_api.services.callers import Callers
from messenger_api.services.identities import Identities
from messenger_api.services.limits import DAY, Claim, Limits
from messenger_api.services.people.news import rewind_where_set_back
from messenger_api.settings import Settings
from messenger_api.storage import contacts, news, sessions, syncs
from messenger_api.storage.contacts import Book
from messenger_api.storage.db import SETTLE_SECONDS, Database
from messenger_api.storage.sessions import Caller
from messenger_api.storage.syncs import GroupEntry, Own
from messenger_api.storage.users import Profile

OwnT = TypeVar("OwnT", bound=Own)

# Older than every account, and ten digits long as every `ts` that apps know.
LONG_AGO = 1_000_000_000
# What changed in so many seconds before the horizon is walked. While notes are further behind (no worker
# runs, or a first pass is under way) the database walks that or the phone book, whichever is less.
LATE_SECONDS = 60


@dataclass(frozen=True)
class Sync:
    """What the app learns: the own profile, those of others, and groups; the oldest change first.

    Every change up to the second `horizon` is certain to be visible.
    """

    own: Own
    contacts: Sequence[Profile]
    groups: Sequence[GroupEntry]
    horizon: int

    def ts(self, changed_at: int) -> int:
        """The `ts` under which a change is reported."""
        return min(changed_at, self.horizon)


class Contacts:
    """Keeps phone books as blind keys and tells what changed in them."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        callers: Callers,
        limits: Limits,
        identities: Identities,
    ) -> None:
        self._settings = settings
        self._database = database
        self._callers = callers
        self._limits = limits
        self._identities = identities
        # Up to which second changes are noted. Read with every sync, and used from the next one on: that one
        # sees all notes which the place that was read promises.
        self._noted = 0
        self._set_backs = 0

    def changes(self, token: str, since: int, *, reset: bool = False) -> Sync:
        """What changed after the second `since` in the stored phone book and in the groups of whose session
        this token is. Raises AuthFail."""
        # Taken before the first statement: what commits meanwhile lies beyond it.
        horizon = self._horizon()
        if self._set_backs != self._database.set_backs.count():
            self._set_backs, self._noted = rewind_where_set_back(self._database, self._set_backs), 0
        noted = self._noted
        start = _start(since, noted, horizon)
        if reset or start is None:
            caller, own = self._find(token, syncs.own)
            return self._told(caller, own, since, horizon, reset=reset)
        caller, glance = self._find(token, partial(syncs.glance, since=since, start=start))
        after = _after(caller, since, horizon)
        if _start(after, noted, horizon) is None:
            return self._told(caller, glance, since, horizon)
        people = glance.somebody or glance.news_at > after
        if not people and not glance.group:
            return Sync(glance, [], [], horizon)
        return self._told(caller, glance, since, horizon, people=people, groups=glance.group)

    def _find(self, token: str, look: Callable[..., tuple[Caller, OwnT] | None]) -> tuple[Caller, OwnT]:
        set_backs = self._set_backs
        found = self._callers.find_with(token, look)
        if set_backs == self._set_backs:  # else the place may be one of before
            self._noted = news.noted_to(found[1].place)
        return found

    def _told(
        self,
        caller: Caller,
        own: Own,
        since: int,
        horizon: int,
        *,
        people: bool = True,
        groups: bool = True,
        reset: bool = False,
    ) -> Sync:
        """Look for what changed among `people` and `groups`, and remember how far the app was told."""
        after = _after(caller, since, horizon)

        # Each statement stands alone: what commits between two lies beyond the horizon.
        def look(tx: Connection) -> Sync:
            if reset:
                contacts.clear(tx, caller.uid, self._known_until())
            found = syncs.changed(tx, caller.uid, caller.contact_key, after) if people else []
            _note(tx, own, found, self._database.now())
            return Sync(own, found, syncs.groups(tx, caller.uid, after) if groups else [], horizon)

        sync = self._database.run(look)
        # While there is nothing to tell, an older `synced_to` tells nothing twice.
        told = caller.synced_to < horizon and (sync.contacts or sync.groups)
        if (told or _is_ahead(caller, horizon)) and not reset:
            self._note_told(caller, horizon)
        return sync

    def _note_told(self, caller: Caller, horizon: int) -> None:
        """Remember how far the app was told. Without the note it is only told more than once."""
        with suppress(TryLater):
            self._database.run(lambda tx: sessions.note_sync(tx, caller, horizon))

    def add(
        self, caller: Caller, own: Own, entries: Sequence[str], since: int, *, reset: bool = False
    ) -> Sync:
        """Put numbers into the phone book; returns every one that has an account, whenever it changed.

        No entry carries a later `ts` than `since`, the one that the app has seen: it would say nothing of
        what else changed before it, and the app takes the largest of all.

        Raises:
            TooMany: more numbers than `MAX_PHONES_PER_CALL`, or more new ones than `NEW_NUMBERS`.
        """
        keys = self._contact_keys(caller, entries)
        book = self._count_new(caller, keys)
        horizon = self._horizon()
        seen = max(LONG_AGO, min(since, horizon))

        # Each statement stands alone: a request that breaks off between two is sent again by the app.
        def work(tx: Connection) -> Sync:
            if reset:
                contacts.remove(tx, caller.uid, book.keys - keys, self._known_until())
            # In order, so that two syncs of one user lock the same rows in the same order.
            contacts.add(tx, caller.uid, sorted(keys - book.keys))
            if not book.former.isdisjoint(keys):
                contacts.forget_former(tx, caller.uid)
            whole = reset or book.keys <= keys
            look = partial(syncs.changed, since=0) if whole else partial(syncs.named, keys=keys)
            found = look(tx, caller.uid, caller.contact_key)
            _note(tx, own, found, self._database.now())
            return Sync(own, found, [], seen)

        return self._database.run(work)

    def forget(self, caller: Caller, entries: Sequence[str]) -> None:
        """Take numbers out of the phone book."""
        keys = self._contact_keys(caller, entries)
        self._database.run(lambda tx: contacts.remove(tx, caller.uid, keys, self._known_until()))

    def _known_until(self) -> int:
        """Until when a number that is taken out of a phone book is no new one for its owner."""
        return self._database.now() + self._settings.new_numbers_days * DAY

    def _horizon(self) -> int:
        return self._database.now() - SETTLE_SECONDS

    def _contact_keys(self, caller: Caller, entries: Sequence[str]) -> set[bytes]:
        limit = self._settings.max_phones_per_call
        if len(entries) > limit:
            raise TooMany("phones_many", retry_after=1, limit=limit)
        return set(self._identities.keys(entries, caller.country))

    def _count_new(self, caller: Caller, keys: set[bytes]) -> Book:
        """Bound what one account can find out about who has an account; returns the phone book as it was.

        A number that was counted is not counted again while it stands in the phone book, nor for
        `NEW_NUMBERS_DAYS` after it was taken out: apps send a book in parts and forget the last one with the
        first of them.

        Raises:
            TooMany: so many new ones in so many days are too many.
        """
        settings = self._settings
        rule = Window(settings.new_numbers, settings.new_numbers_days * DAY)
        claim = Claim("new_numbers", str(caller.uid), rule)
        look = partial(contacts.book, now=self._database.now(), owner=caller.uid, counter=claim.counter)
        book = self._database.run(look)
        new = len(keys - book.keys - book.former)
        if new:
            self._limits.take_from(replace(claim, amount=new), book.counter)
        return book


def _is_ahead(caller: Caller, horizon: int) -> bool:
    """Whether a clock that has gone back since has noted how far the app was told: that says nothing."""
    return caller.synced_to > horizon + SETTLE_SECONDS


def _after(caller: Caller, since: int, horizon: int) -> int:
    """The second after which the app is to be told."""
    return 0 if _is_ahead(caller, horizon) else min(since, caller.synced_to)


def _start(after: int, noted: int, horizon: int) -> int | None:
    """The second after which a glance is to walk changes for who was told up to `after`; None: too many.

    What changed before `noted` is noted, but by a clock that has gone back since.
    """
    if after <= LONG_AGO:
        return None
    latest = horizon - LATE_SECONDS
    if latest < noted <= horizon + SETTLE_SECONDS:
        return noted
    return latest if after >= latest else None


def _note(tx: Connection, own: Own, found: Sequence[Profile], now: int) -> None:
    """Make good what was not noted for the owner: it lies before the number was added, or a block ended.

    Before the answer, which may get lost. Up to this moment and not to the horizon: the call may have waited,
    and the place gone on. What is younger is going to be noted.
    """
    newest_first = (each.changed_at for each in reversed(found))
    newest = next((changed_at for changed_at in newest_first if changed_at <= now), 0)
    if newest > own.news_at:
        news.tell(tx, own.uid, newest)

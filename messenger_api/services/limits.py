"""Limits: what happens when something happens too often.

What a limit counts stands in one row of the database (`storage.counters`), so that all processes count
together, and everything that one request wants is taken in one transaction: all of it, or nothing. When the
database is down nothing can be counted and nothing is sent: these limits stand shut.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from messenger_api.domain.counting import Accumulator
from messenger_api.domain.errors import TooMany, TryLater
from messenger_api.domain.figures import REFUSALS
from messenger_api.domain.limits import Bucket, Rule, Taken, Window
from messenger_api.settings import Settings
from messenger_api.storage import counters
from messenger_api.storage.db import Database, Uncertain
from messenger_api.storage.sessions import Caller
from messenger_api.throttle import Throttle

log = structlog.get_logger(__name__)
_seldom = Throttle()

T = TypeVar("T")

HOUR, DAY = 3600, 86_400
BUDGETS = frozenset({"sms_budget_day", "sms_budget_month"})
# How often a transaction starts over because somebody else made the same counter first.
ATTEMPTS = 5


@dataclass(frozen=True)
class Claim:
    """What one request wants to count: so much of a limit, for one subject.

    `kept` is how much of a limit that many share must stay free for others.
    """

    limit: str
    subject: str
    rule: Rule
    amount: float = 1
    kept: float = 0

    @property
    def counter(self) -> str:
        """The name of its row."""
        return f"{self.limit}:{self.subject}"


Taking = list[tuple[Claim, Taken]]
"""What was counted, and how each counter stands since."""


@dataclass(frozen=True)
class Counted:
    """Claims that were counted in the second `at`, and how their counters stand since."""

    claims: tuple[Claim, ...]
    at: int
    taken: Taking = field(default_factory=list)

    @property
    def amount(self) -> float:
        """The largest amount among the claims."""
        return max((claim.amount for claim in self.claims), default=0)

    def only(self, limits: Collection[str]) -> Counted:
        """Of these limits alone."""
        return replace(self, claims=tuple(claim for claim in self.claims if claim.limit in limits))

    def but(self, limits: Collection[str]) -> Counted:
        """Without these limits."""
        return replace(self, claims=tuple(claim for claim in self.claims if claim.limit not in limits))


@dataclass(frozen=True)
class Counts:
    """Counters as a transaction found them in the second `now`: whatever is decided is decided from these."""

    now: int
    states: Mapping[str, str]

    def state(self, claim: Claim) -> str:
        """The state of a counter; "" when it has counted nothing."""
        return self.states.get(claim.counter, "")

    def count(self, claim: Claim, rule: Window, *, but_last: int = 0) -> float:
        """How many a counter holds by this rule, those of the last `but_last` seconds left out."""
        return rule.count(self.state(claim), self.now, but_last=but_last)


@dataclass(frozen=True)
class Notice:
    """Something to tell of a limit that was reached: loud once an hour for each `subject`."""

    limit: str
    subject: str
    facts: Mapping[str, str]


class Tally:
    """Counters that one transaction has locked: looked at, counted up, and written back by `save`."""

    def __init__(
        self,
        tx: Connection,
        now: int,
        modes: Callable[[str], str],
        reached: Callable[[str, int], None],
        claims: Sequence[Claim],
    ) -> None:
        self._tx = tx
        self._modes = modes
        self._reached = reached
        names = {claim.counter for claim in claims}
        self._known = counters.lock(tx, names) if names else {}
        self._changed: dict[str, tuple[str, int]] = {}
        self.now = now

    @property
    def found(self) -> Counts:
        """The counters as they were when they were locked."""
        return Counts(self.now, self._known)

    def state(self, claim: Claim) -> str:
        """The state of a counter as it is by now; "" when it has counted nothing."""
        changed = self._changed.get(claim.counter)
        return changed[0] if changed else self._known.get(claim.counter, "")

    def take(self, claims: Sequence[Claim]) -> Taking:
        """Count all claims, or raise TooMany with the longest wait among those that do not fit."""
        wanted = [claim for claim in claims if self._modes(claim.limit) != "off"]
        taken = [(claim, self._try(claim)) for claim in wanted]
        reached = [(claim, found.wait) for claim, found in taken if found.wait]
        for claim, wait in reached:
            self._reached(claim.limit, wait)
            self._sound_alarm(claim.limit)
        waits = [(wait, claim.limit) for claim, wait in reached if self._modes(claim.limit) == "enforce"]
        if waits:
            longest, limit = max(waits)
            raise TooMany(retry_after=longest, why=limit)
        return self._keep(taken)

    def _sound_alarm(self, limit: str) -> None:
        """People are refused for want of money: an error, once a minute and not once a person."""
        if limit in BUDGETS and self._modes(limit) == "enforce" and _seldom.is_due(limit):
            log.error(
                "sms.budget_spent",
                limit=limit,
                what="people get no codes",
                to_do=f"raise {limit.upper()} if these are your users: messenger-api sms status",
            )

    def add(self, claims: Sequence[Claim]) -> None:
        """Count what has happened already; nothing is refused."""
        self._keep([(claim, self._try(claim)) for claim in claims])

    def uncount(self, claims: Sequence[Claim], at: int) -> None:
        """Take back what was counted in the second `at` and came to nothing."""
        for claim in claims:
            if state := self.state(claim):
                self.put(claim, claim.rule.uncount(state, at, self.now, claim.amount))

    def put(self, claim: Claim, state: str) -> None:
        """Give a counter this state."""
        self._changed[claim.counter] = (state, self.now + claim.rule.keeps)

    def save(self) -> None:
        """Write what changed. Raises IntegrityError, see `Limits.write`."""
        rows = [(name, state, until) for name, (state, until) in sorted(self._changed.items())]
        if rows:
            counters.write(self._tx, self._known, rows)

    def _try(self, claim: Claim) -> Taken:
        state = self.state(claim)
        # Only what is enforced never runs over.
        if isinstance(claim.rule, Bucket) and self._modes(claim.limit) == "enforce":
            state = claim.rule.believed(state, self.now)
        return claim.rule.take(state, self.now, claim.amount, claim.kept)

    def _keep(self, taken: Taking) -> Taking:
        for claim, found in taken:
            self.put(claim, found.state)
        return taken


class Limits:
    """Opens tallies, in transactions that start over when two of them make the same counter."""

    def __init__(self, settings: Settings, database: Database, figures: Accumulator) -> None:
        self._all = settings.limits
        self._modes: Mapping[str, str] = dict(settings.limit_modes)
        self._database = database
        self._figures = figures
        self._told: dict[str, int] = {}

    def mode(self, limit: str) -> str:
        """What happens at a limit: "enforce", "track" or "off"."""
        if self._all == "off":
            return "off"
        return self._modes.get(limit, self._all)

    def heeded(self, claims: Sequence[Claim]) -> Sequence[Claim]:
        """These claims, and none of them where LIMITS is "off": nothing is refused then, nothing taken."""
        return () if self._all == "off" else claims

    def write(self, work: Callable[[Connection, int], T]) -> T:
        """Run a transaction that opens a tally.

        Raises:
            TooMany: a limit was reached; nothing was counted or written.
            TryLater: the database is down.
        """
        for _ in range(ATTEMPTS):
            try:
                return self._database.write(work)
            except IntegrityError:
                continue
        raise TryLater(retry_after=2)

    def write_surely(self, work: Callable[[Connection, int], T]) -> T:
        """The same, and once more when nobody knows whether it was committed.

        Args:
            work: finds what an earlier run of it has written, and leaves it.
        """
        try:
            return self.write(work)
        except Uncertain:
            return self.write(work)

    def reached(self, limit: str, seconds: int = 0, *, level: int = logging.WARNING) -> None:
        """Log and count that a limit was reached; `seconds`: for so long, where that is known."""
        self._note(limit, level, {"seconds": seconds} if seconds else {})

    def tell(self, notice: Notice, now: int) -> None:
        """The same of a limit that has more to say: loud once an hour."""
        first = now >= self._told.get(notice.subject, 0) + HOUR
        if first:
            recent = {who: at for who, at in self._told.items() if now < at + HOUR}
            self._told = recent | {notice.subject: now}
        level = logging.ERROR if first else logging.INFO
        self._note(notice.limit, level, notice.facts)

    def _note(self, limit: str, level: int, facts: Mapping[str, str | int]) -> None:
        mode = self.mode(limit)
        log.log(level, "limit.reached", limit=limit, mode=mode, **facts)
        self._figures.count(REFUSALS, limit, mode)

    def open(self, tx: Connection, now: int, claims: Sequence[Claim]) -> Tally:
        """The counters of these claims, locked until the end of a transaction of `write`."""
        return Tally(tx, now, self.mode, self.reached, claims)

    def daily(self, limit: str, most: int) -> Callable[[Caller], None]:
        """A function that lets a caller do something so many times a day, and then raises TooMany."""

        def allow(caller: Caller) -> None:
            self.take([Claim(limit, str(caller.uid), Window(most, DAY))])

        return allow

    def take_from(self, claim: Claim, state: str | None) -> None:
        """Count one claim, whose counter was just seen in this `state`, in one statement.

        None: there was no such counter. When it has changed since, `take` looks again.

        Raises:
            TooMany: the limit was reached.
            TryLater: the database is down.
        """
        mode, now = self.mode(claim.limit), self._database.now()
        if mode == "off":
            return
        found = claim.rule.take(state or "", now, claim.amount)
        if found.wait:
            self.reached(claim.limit, found.wait)
            if mode == "enforce":
                raise TooMany(retry_after=found.wait, why=claim.limit)
        until = now + claim.rule.keeps

        def work(tx: Connection) -> bool:
            return counters.swap(tx, claim.counter, state, found.state, until)

        try:
            if self._database.run(work):
                return
        except IntegrityError:
            pass
        self.take([claim])

    def add(self, tx: Connection, now: int, claims: Sequence[Claim]) -> None:
        """Count what has happened, whatever LIMITS says. Within `write`."""
        tally = self.open(tx, now, claims)
        tally.add(claims)
        tally.save()

    def uncount(self, tx: Connection, now: int, unused: Sequence[Counted]) -> None:
        """Take back what came to nothing. Within `write`."""
        tally = self.open(tx, now, [claim for each in unused for claim in each.claims])
        for each in unused:
            tally.uncount(each.claims, each.at)
        tally.save()

    def note(self, claim: Claim) -> None:
        """Count what has happened, whatever LIMITS says, in a transaction of its own."""
        self.write(lambda tx, now: self.add(tx, now, [claim]))

    def is_noted(self, claim: Claim) -> bool:
        """Whether anything was counted by this claim while its counter is kept. Raises TryLater."""
        return bool(self._database.run(lambda tx: counters.read(tx, [claim.counter])))

    def take(self, claims: Sequence[Claim]) -> None:
        """Count all claims in a transaction of their own, or raise TooMany and count nothing."""

        def work(tx: Connection, now: int) -> None:
            tally = self.open(tx, now, claims)
            tally.take(claims)
            tally.save()

        self.write(work)

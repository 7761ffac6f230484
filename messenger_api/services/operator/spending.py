"""Money and limits: what texts cost, what is paused and let go on, and what limits refused."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from messenger_api.domain.figures import REFUSALS
from messenger_api.domain.health.judgement import forecast
from messenger_api.services.limits import DAY, Limits
from messenger_api.services.operator.audit import Audit
from messenger_api.services.operator.events import COMMAND, Paused, TextsResumed
from messenger_api.services.operator.figures import Figures
from messenger_api.services.operator.judgement import Judge
from messenger_api.services.sms.report import Country, Range, TextReports
from messenger_api.settings import Settings
from messenger_api.storage.db import Database


class Cap(msgspec.Struct, frozen=True):
    """What a period has cost, may cost, and will have cost if it goes on so: 0 while that is unknown.

    `raised_until`: as `domain.health.facts.Budget`.
    """

    period: str
    spent: float
    most: float
    forecast: float
    raised_until: int

    @property
    def is_spent(self) -> bool:
        """Whether nothing is left of it."""
        return self.spent >= self.most

    @property
    def ends_early(self) -> bool:
        """Whether it will not last."""
        return self.forecast > self.most


class Refused(msgspec.Struct, frozen=True):
    """How often a limit refused somebody in the last 24 hours, and how often it only would have."""

    limit: str
    refused: int
    tracked: int


class Spent(msgspec.Struct, frozen=True):
    """All of it; money in `currency`. `caps`: budgets that are enforced, where texts cost anything."""

    currency: str
    caps: list[Cap]
    countries: list[Country]
    ranges: list[Range]
    refusals: list[Refused]


class Spending:
    """Reads it, and ends pauses for `by`, an administrator; None is a command on the server.

    Every method raises TryLater when the database does not answer.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        limits: Limits,
        judge: Judge,
        texts: TextReports,
        figures: Figures,
        audit: Audit,
    ) -> None:
        self._settings = settings
        self._database = database
        self._limits = limits
        self._judge = judge
        self._texts = texts
        self._figures = figures
        self._audit = audit

    def read(self) -> Spent:
        """As it is now."""
        now = self._database.now()
        caps = [
            Cap(each.period, each.spent, each.most, forecast(each, now), each.raised_until)
            for each in self._judge.budgets()
        ]
        refusals = sorted(self._refusals(), key=lambda each: (-each.refused, -each.tracked, each.limit))
        return Spent(self._settings.sms_currency, caps, self._countries(), self.paused_ranges(), refusals)

    def paused_ranges(self) -> list[Range]:
        """Ranges whose codes are not entered, those that most networks asked for first."""
        return self._texts.paused_ranges() if self._pauses() else []

    def resume_country(self, country: str, *, by: str | None = None, reason: str = COMMAND) -> bool:
        """Let texts go to a country again. Whether it was paused."""
        if country not in [each.country for each in self._countries()]:
            return False
        self._note("country", country, by, reason)
        return self._texts.resume(country)

    def resume_range(self, name: str, *, by: str | None = None, reason: str = COMMAND) -> bool:
        """Let texts go to a range of numbers again, by its pseudonym. Whether it was paused."""
        if name not in [each.name for each in self.paused_ranges()]:
            return False
        self._note("range", name, by, reason)
        return self._texts.resume_range(name)

    def _note(self, what: Paused, subject: str, by: str | None, reason: str) -> None:
        self._audit.note(TextsResumed(what=what, subject=subject, reason=reason), by=by)

    def _pauses(self) -> bool:
        return self._limits.mode("sms_pause") == "enforce"

    def _countries(self) -> list[Country]:
        return self._texts.paused_countries() if self._pauses() else []

    def _refusals(self) -> Iterator[Refused]:
        found = self._figures.recent(REFUSALS, DAY)
        for limit in {limit for limit, _mode in found}:
            yield Refused(limit, found.get((limit, "enforce"), 0), found.get((limit, "track"), 0))

"""What texts cost and how many arrive, for `/metrics`, `messenger-api sms status` and the doctor."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from messenger_api.services.allowed import Allowed
from messenger_api.services.limits import DAY
from messenger_api.services.sms.money import MILLION, MONEY, periods
from messenger_api.services.sms.networks import HOURLY
from messenger_api.services.sms.pauses import Pauses, Watch
from messenger_api.settings import Settings
from messenger_api.storage import counters, texts
from messenger_api.storage.db import Database
from messenger_api.storage.texts import Delivery


@dataclass(frozen=True)
class Country:
    """The codes of the last hour to one country."""

    country: str
    sent: int
    entered: int
    paused: bool


@dataclass(frozen=True)
class Range:
    """A range of numbers by its pseudonym: networks that asked in the last 24 hours, and codes entered."""

    name: str
    networks: int
    entered: int


@dataclass(frozen=True)
class Budget:
    """What a day or month has cost, and may cost, in the configured currency.

    `raised_until`: the second until which it may cost so much, where an operator has raised it; else 0.
    """

    period: str
    spent: float
    most: float
    raised_until: int = 0


@dataclass(frozen=True)
class Sending:
    """What one provider sent to one country in the last 24 hours.

    `outcome` is sent, delivered or failed; unknown where the provider may have sent it and did not say so.
    """

    provider: str
    country: str
    outcome: str
    texts: int
    cost: float


@dataclass(frozen=True)
class TextReport:
    """Budgets, countries with codes in the last hour, and what providers sent; money in `currency`."""

    currency: str
    budgets: list[Budget]
    countries: list[Country]
    sendings: list[Sending]


class TextReports:
    """Reads the report, and ends pauses. Every method raises TryLater when the database does not answer."""

    def __init__(self, settings: Settings, allowed: Allowed, database: Database, pauses: Pauses) -> None:
        self._settings = settings
        self._allowed = allowed
        self._database = database
        self._pauses = pauses

    def read(self) -> TextReport:
        """The report of this moment."""
        now = self._database.now()

        def work(tx: Connection) -> TextReport:
            return TextReport(
                self._settings.sms_currency,
                self._budgets(tx, now),
                _countries(tx, self._pauses, now),
                [
                    Sending(provider, country, _outcome(state, known), count, _money(cost))
                    for provider, country, state, known, count, cost in texts.sums(tx, now - DAY)
                ],
            )

        return self._database.run(work)

    def budgets(self) -> list[Budget]:
        """What the day and the month have cost, and may cost."""
        return self._database.run(lambda tx: self._budgets(tx, self._database.now()))

    def _budgets(self, tx: Connection, now: int) -> list[Budget]:
        self._allowed.read(tx)
        counted = [f"{limit}:{name}" for limit, (name, *_) in zip(MONEY, periods(now), strict=True)]
        states = counters.read(tx, counted)
        return [self._budget(limit, states.get(name, "")) for limit, name in zip(MONEY, counted, strict=True)]

    def _budget(self, limit: str, state: str) -> Budget:
        raised, period = self._allowed.raised(limit), limit.rpartition("_")[2]
        ends_at = raised.ends_at if raised else 0
        return Budget(period, _money(float(state or 0)), self._allowed.most(limit), ends_at)

    def paused_countries(self) -> list[Country]:
        """Countries whose codes are not entered."""
        now = self._database.now()
        found = self._database.run(lambda tx: _countries(tx, self._pauses, now))
        return [country for country in found if country.paused]

    def paused_ranges(self) -> list[Range]:
        """Ranges of numbers whose codes are not entered, those that most networks asked for first."""
        now = self._database.now()
        asked = self._database.run(lambda tx: counters.named(tx, "sms_networks_range:"))
        entered = self._database.run(lambda tx: counters.named(tx, "sms_entered_range:"))
        found = []
        for name, networks in asked.items():
            watch, right = self._pauses.of_range(name), entered.get(name, "")
            if self._pauses.is_ignored(watch, networks, right, now):
                both = (round(watch.rule.count(state, now)) for state in (networks, right))
                found.append(Range(name, *both))
        return sorted(found, key=lambda each: (-each.networks, each.name))

    def resume(self, country: str) -> bool:
        """Let texts go to a country (two ISO letters) again; False when none were sent there of late."""
        return self._forget(self._pauses.country(country))

    def resume_range(self, name: str) -> bool:
        """The same of a range, by its pseudonym."""
        return self._forget(self._pauses.of_range(name))

    def _forget(self, watch: Watch) -> bool:
        counter = watch.networks.counter
        known = self._database.run(lambda tx: counters.read(tx, [counter]))
        self._database.run(lambda tx: counters.forget(tx, [counter]))
        return bool(known)


def _outcome(state: int, is_known: bool) -> str:
    return Delivery(state).name.lower() if is_known else "unknown"


def _countries(tx: Connection, pauses: Pauses, now: int) -> list[Country]:
    sent, entered, networks = (
        counters.named(tx, f"sms_{what}_country:") for what in ("sent", "entered", "networks")
    )

    def one(country: str) -> Country:
        asked, right = networks.get(country, ""), entered.get(country, "")
        return Country(
            country,
            round(HOURLY.count(sent[country], now)),
            round(HOURLY.count(right, now)),
            pauses.is_ignored(pauses.country(country), asked, right, now),
        )

    return [found for country in sorted(sent) if (found := one(country)).sent]


def _money(millionths: float) -> float:
    return round(float(millionths) / MILLION, 4)

"""How things stand: what `/metrics`, `messenger-api sms status` and the doctor tell of limits and money."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from messenger_api.services.sms.budget import MILLION, Spending, periods
from messenger_api.services.sms.networks import HOURLY
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
class Budget:
    """What a day or month has cost, and may cost, in the configured currency."""

    period: str
    spent: float
    most: float


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
    """Money, countries and providers of the texts."""

    currency: str
    budgets: list[Budget]
    countries: list[Country]
    sendings: list[Sending]


def text_report(settings: Settings, database: Database, spending: Spending) -> TextReport:
    """Read the counters and sums of this moment. Raises TryLater."""
    now = database.now()

    def work(tx: Connection) -> TextReport:
        return TextReport(
            settings.sms_currency,
            _budgets(tx, settings, now),
            _countries(tx, spending, now),
            [
                Sending(provider, country, _outcome(state, known), count, _money(cost))
                for provider, country, state, known, count, cost in texts.sums(tx, now - 86_400)
            ],
        )

    return database.run(work)


def _outcome(state: int, is_known: bool) -> str:
    return Delivery(state).name.lower() if is_known else "unknown"


def _budgets(tx: Connection, settings: Settings, now: int) -> list[Budget]:
    day, month = periods(now)
    limits = {
        f"sms_budget_day:{day[0]}": ("day", settings.sms_budget_day),
        f"sms_budget_month:{month[0]}": ("month", settings.sms_budget_month),
    }
    states = counters.read(tx, limits)
    return [
        Budget(period, _money(float(states.get(name, "") or 0)), most)
        for name, (period, most) in limits.items()
    ]


def _countries(tx: Connection, spending: Spending, now: int) -> list[Country]:
    sent, entered, networks = (
        counters.named(tx, f"sms_{what}_country:") for what in ("sent", "entered", "networks")
    )
    pauses = spending.pauses

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

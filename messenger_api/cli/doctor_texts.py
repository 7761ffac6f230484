"""What the doctor says of money and of texts that do not arrive: whether codes reach people just now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from messenger_api.cli.doctor_proxy import Verdict
from messenger_api.domain.secrets import Keys
from messenger_api.services.limits import Limits
from messenger_api.services.sms.pauses import Pauses
from messenger_api.services.sms.report import Budget, TextReport, TextReports
from messenger_api.settings import Settings
from messenger_api.storage.db import Database

# From so many texts to a country in a day on, half of them failed means that something is wrong.
TELLING, HALF = 5, 2


def without_money(settings: Settings) -> list[Verdict]:
    """Budgets in which the cheapest text has no room."""
    least = min([settings.sms_price, *(price for _, price in settings.sms_prices)])
    return [
        (
            "fault",
            f"nobody gets a code: {name} = {most:g}, and the cheapest text costs {least:g}",
            f"raise {name}",
        )
        for name, most, limit in (
            ("SMS_BUDGET_DAY", settings.sms_budget_day, "sms_budget_day"),
            ("SMS_BUDGET_MONTH", settings.sms_budget_month, "sms_budget_month"),
        )
        if least > most and is_enforced(settings, limit)
    ]


def is_enforced(settings: Settings, limit: str) -> bool:
    """Whether a limit refuses anybody."""
    return settings.limits != "off" and dict(settings.limit_modes).get(limit, settings.limits) == "enforce"


def texts_verdicts(settings: Settings, database: Database, keys: Keys) -> list[Verdict]:
    """Budgets that are spent, countries and ranges that are paused, providers whose texts fail.

    Raises:
        TryLater: the database does not answer, or lacks its tables.
    """
    reports = TextReports(settings, database, Pauses(settings, keys, Limits(settings, database)))
    found = reports.read()
    verdicts = [*_spent(settings, found), *_failing(found)]
    if is_enforced(settings, "sms_pause"):
        verdicts += _paused(found)
        if ranges := reports.paused_ranges():
            what = f"{ranges} ranges of numbers get one text in a while: their codes are not entered"
            verdicts.append(("warning", what, "SMS_RANGE_PAUSE_SENT sets from how many networks on"))
    return verdicts


def _spent(settings: Settings, found: TextReport) -> Iterator[Verdict]:
    least = min([settings.sms_price, *(price for _, price in settings.sms_prices)])
    for budget in found.budgets:
        if budget.most < least or not is_enforced(settings, f"sms_budget_{budget.period}"):
            continue  # told of already, or of no consequence
        if budget.most - budget.spent < least:
            yield "fault", f"nobody gets a code: {_sum(budget, found.currency)}", _raise(budget)
        elif budget.spent * HALF >= budget.most:
            what = f"strangers get no codes any more, or soon: {_sum(budget, found.currency)}"
            yield "warning", what, _raise(budget)


def _sum(budget: Budget, currency: str) -> str:
    return f"{budget.spent:.2f} of {budget.most:.2f} {currency} of the {budget.period} are spent"


def _raise(budget: Budget) -> str:
    return f"raise SMS_BUDGET_{budget.period.upper()} if these are your users: messenger-api sms status"


def _paused(found: TextReport) -> Iterator[Verdict]:
    for country in found.countries:
        if country.paused:
            what = (
                f"texts to {country.country} are paused: of {country.sent} codes in the last hour"
                f" {country.entered} were entered"
            )
            yield "fault", what, f"messenger-api sms resume {country.country}, if these are your users"


def _failing(found: TextReport) -> Iterator[Verdict]:
    for provider in sorted({sending.provider for sending in found.sendings}):
        texts = Counter[str]()
        for sending in found.sendings:
            if sending.provider == provider:
                texts[sending.outcome] += sending.texts
        known = texts["failed"] + texts["delivered"]
        if known >= TELLING and texts["failed"] * HALF >= known:
            what = (
                f"{provider} reports {texts['failed']} of {known} texts of the last 24 hours as not delivered"
            )
            yield "fault", what, "see its console, or put another first in SMS_PROVIDERS"

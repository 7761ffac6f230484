"""What the doctor says of codes by text: whether a provider takes them, and whether they reach people now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from messenger_api.cli.common import is_to_be_made
from messenger_api.cli.doctor.verdicts import State, Verdict
from messenger_api.composition import Parts
from messenger_api.domain.errors import TryLater
from messenger_api.gateways.sms import SmsError
from messenger_api.keyfile import kept_key
from messenger_api.services.sms.report import Budget, TextReport, TextReports
from messenger_api.settings import EVERYWHERE, Settings, SettingsError

NAME_COUNTRIES = "set SMS_COUNTRIES to those where the users are"
# From so many texts to a country in a day on, half of them failed means that something is wrong.
TELLING, HALF = 5, 2


def sms(settings: Settings, parts: Parts) -> Iterator[Verdict]:
    """Whether the providers can be used, by a real call, and where texts may go."""
    if not settings.texts_codes:
        yield "ok", "not in use", ""
        return
    names = ", ".join(settings.sms_providers)
    if "console" in settings.sms_providers and not settings.uses_sandbox:
        found = "the console provider prints codes and sends nothing, while mesibo is real"
        # People may be told codes of mesibo's console.
        state: State = "warning" if settings.codes_are_mesibos else "fault"
        yield state, found, "name another in SMS_PROVIDERS, for example twilio"
        return
    try:
        sender = parts.sms
    except (ValueError, SettingsError) as error:
        yield "fault", str(error), ""
        return
    try:
        sender.check()
    except SmsError as error:
        yield "fault", str(error), "check the provider's keys in the configuration"
        return
    if sender.costs and EVERYWHERE in settings.texted_countries:
        found = f"{names}; texts may go to any country, which swindlers use to earn on them"
        yield "warning", found, NAME_COUNTRIES
    else:
        yield "ok", names, ""


def texts(settings: Settings, parts: Parts) -> Iterator[Verdict]:
    """Whether codes reach people just now, as far as money, pauses and receipts tell."""
    if not settings.texts_codes:
        yield "ok", "not in use", ""
        return
    found = [] if settings.uses_sandbox else without_money(settings)
    if not kept_key(settings) or is_to_be_made(settings):
        yield from found or [("ok", "none were sent yet", "")]
        return
    try:
        found += texts_verdicts(settings, parts.texts)
    except TryLater:
        yield from found or [("ok", "not looked at: the database does not answer, or lacks its tables", "")]
        return
    yield from found or [("ok", "budgets have room, and nothing is paused", "")]


def without_money(settings: Settings) -> list[Verdict]:
    """Budgets in which the cheapest text has no room."""
    least = _cheapest(settings)
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


def _cheapest(settings: Settings) -> float:
    return min([settings.sms_price, *(price for _, price in settings.sms_prices)])


def is_enforced(settings: Settings, limit: str) -> bool:
    """Whether a limit refuses anybody."""
    return settings.limits != "off" and dict(settings.limit_modes).get(limit, settings.limits) == "enforce"


def texts_verdicts(settings: Settings, reports: TextReports) -> list[Verdict]:
    """Budgets that are spent, countries and ranges that are paused, providers whose texts fail.

    Raises:
        TryLater: the database does not answer, or lacks its tables.
    """
    found = reports.read()
    verdicts = [*_spent(settings, found), *_failing(found)]
    if is_enforced(settings, "sms_pause"):
        verdicts += _paused(found)
        if ranges := reports.paused_ranges():
            what = f"{ranges} ranges of numbers get one text in a while: their codes are not entered"
            verdicts.append(("warning", what, "SMS_RANGE_PAUSE_SENT sets from how many networks on"))
    return verdicts


def _spent(settings: Settings, found: TextReport) -> Iterator[Verdict]:
    least = _cheapest(settings)
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

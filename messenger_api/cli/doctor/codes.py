"""What the doctor says of codes by text: whether a provider takes them, and whether they reach people now."""

from __future__ import annotations

from collections.abc import Iterator

from messenger_api.cli.doctor.judged import of_area
from messenger_api.cli.doctor.verdicts import State, Verdict
from messenger_api.composition import Parts
from messenger_api.gateways.sms import SmsError
from messenger_api.services.sms.money import cheapest
from messenger_api.settings import EVERYWHERE, Settings, SettingsError

NAME_COUNTRIES = "set SMS_COUNTRIES to those where the users are"


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
    found = found or list(of_area("texts", settings, parts))
    yield from found or [("ok", "budgets have room, and nothing is paused", "")]


def without_money(settings: Settings) -> list[Verdict]:
    """Budgets in which the cheapest text has no room."""
    least = cheapest(settings)
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

"""The keys of the limits: how often, how much, and what happens then."""

from __future__ import annotations

from dataclasses import dataclass

from messenger_api.settings.conversions import (
    as_flag,
    as_prices,
    as_text,
    key,
    modes_of,
    money,
    one_of,
    seconds,
    whole_number,
)

# The counting limits, by the names that LIMIT_MODES and the log know them by.
LIMITS = (
    "resend_gap",
    "sms_per_number_hour",
    "sms_per_number_day",
    "sms_per_ip",
    "sms_per_prefix",
    "sms_per_country",
    "sms_per_hour",
    "sms_budget_day",
    "sms_budget_month",
    "sms_pause",
    "wrong_codes",
    "login_tries_per_ip",
    "new_numbers",
    "exports",
    "number_changes",
    "reports",
)


@dataclass(frozen=True)
class LimitKeys:
    """A part of `Settings`."""

    limits: str = key("enforce", one_of("enforce", "track", "off"))
    limit_modes: tuple[tuple[str, str], ...] = key((), modes_of(*LIMITS))
    sms_per_number_hour: int = key(5, whole_number(1, 100))
    sms_per_number_day: int = key(10, whole_number(1, 500))
    sms_per_ip_hour: int = key(10, whole_number(1, 100_000))
    sms_per_prefix_hour: int = key(30, whole_number(1, 100_000))
    sms_per_country_burst: int = key(50, whole_number(1, 100_000))
    sms_per_country_minute: float = key(1.0, seconds(0.01, 10_000))
    sms_per_hour: int = key(100, whole_number(1, 1_000_000))
    sms_price: float = key(0.05, money(0, 100))
    sms_prices: tuple[tuple[str, float], ...] = key((), as_prices)
    sms_price_voice: float = key(0.10, money(0, 100))
    sms_prices_voice: tuple[tuple[str, float], ...] = key((), as_prices)
    sms_budget_day: float = key(25.0, money(0, 1_000_000))
    sms_budget_month: float = key(250.0, money(0, 30_000_000))
    sms_currency: str = key("USD", as_text)
    sms_pause_below: int = key(30, whole_number(0, 100))
    sms_pause_sent: int = key(20, whole_number(5, 100_000))
    sms_range_pause_sent: int = key(20, whole_number(2, 1000))
    sms_pause_grace: int = key(120, whole_number(0, 600))
    sms_to_voip: bool = key(False, as_flag)
    sms_to_satellite: bool = key(False, as_flag)
    sms_delivery_wait: int = key(7, whole_number(0, 300))
    login_tries_per_ip_hour: int = key(300, whole_number(5, 1_000_000))
    new_numbers: int = key(20_000, whole_number(100, 10_000_000))
    new_numbers_days: int = key(10, whole_number(1, 90))

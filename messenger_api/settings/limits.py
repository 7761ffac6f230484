"""The keys of the limits: how often, how much, and what happens then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from messenger_api.settings.conversions import (
    Convert,
    Unacceptable,
    as_flag,
    as_text,
    money,
    one_of,
    seconds,
    whole_number,
)
from messenger_api.settings.countries import as_prices
from messenger_api.settings.keys import Keys, key

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


# The keys that an operator may raise until a time, where texts are asked for and logins tried.
RAISABLE = (
    "sms_budget_day",
    "sms_budget_month",
    "sms_per_hour",
    "sms_per_country_minute",
    "sms_per_prefix_hour",
    "sms_per_ip_hour",
    "sms_per_number_hour",
    "sms_per_number_day",
    "login_tries_per_ip_hour",
)


def modes_of(*names: str) -> Convert[tuple[tuple[str, str], ...]]:
    """Some of the named limits, and what happens at each."""
    accepted = ("enforce", "track", "off")

    def convert(value: object) -> tuple[tuple[str, str], ...]:
        if not isinstance(value, Mapping):
            raise Unacceptable(f'limits and their modes such as {{"{names[0]}": "track"}}')
        for name, mode in value.items():
            if name not in names or mode not in accepted:
                raise Unacceptable(f"enforce, track or off for any of {', '.join(names)}")
        return tuple((str(name), str(mode)) for name, mode in value.items())

    return convert


@dataclass(frozen=True)
class LimitKeys(Keys):
    """Limits

    How often and how much, and what happens then.
    """

    limits: str = key(
        "enforce",
        one_of("enforce", "track", "off"),
        'What happens at a counting limit, such as OTP_RESEND_AFTER: "enforce" it, only count and log it'
        ' ("track"), or nothing ("off"). How long a code is good and how often it may be guessed always'
        " holds.",
        "track",
    )
    limit_modes: tuple[tuple[str, str], ...] = key(
        (),
        modes_of(*LIMITS),
        'The same for one limit alone: "enforce", "track" or "off". The names are those that the log'
        " shows with limit.reached; docs/security.md lists them.",
        {"sms_per_ip": "track"},
    )
    sms_per_number_hour: int = key(
        5,
        whole_number(1, 100),
        "Texts and calls to one number in an hour.",
        3,
    )
    sms_per_number_day: int = key(
        10,
        whole_number(1, 500),
        "Texts and calls to one number in a day.",
        6,
    )
    login_tries_per_ip_hour: int = key(
        300,
        whole_number(5, 1_000_000),
        "Tries to log in (codes, passwords) from one address of the internet in an hour.",
        1000,
    )
    new_numbers: int = key(
        20_000,
        whole_number(100, 10_000_000),
        "Numbers that a user may add to the phone book in NEW_NUMBERS_DAYS; those that stand in it"
        " already are free, and so are those that were taken out of it in as many days. Without this"
        " limit, one account could find out which of all numbers have accounts.",
        50_000,
    )
    new_numbers_days: int = key(
        10,
        whole_number(1, 90),
        "The days in which NEW_NUMBERS may be added.",
        30,
    )
    max_phones_per_call: int = key(
        2_000,
        whole_number(100, 10_000),
        "Phone numbers in one request at most, 100 to 10000. The apps send up to 200.",
        1000,
    )
    max_group_members: int = key(
        256,
        whole_number(2, 5_000),
        "Members of a group at most, 2 to 5000, its owner included. A message about a full group must fit"
        " into MESIBO_MAX_BODY: 506 members do into 8192 bytes.",
        500,
    )


@dataclass(frozen=True)
class SpendingKeys(Keys):
    """Limits of texts that cost money

    They hold for providers that cost money; the console costs none.
    """

    sms_per_ip_hour: int = key(
        10,
        whole_number(1, 100_000),
        "Texts that one address of the internet may cause in an hour; of IPv6, one network of 64 bits;"
        " and one of 48 bits three times as many. Each code that is entered makes room for another, up to"
        " three times as many.",
        30,
    )
    sms_per_prefix_hour: int = key(
        30,
        whole_number(1, 100_000),
        "Texts in an hour to numbers that differ in their last four digits alone: swindlers own whole"
        " ranges.",
        50,
    )
    sms_per_country_burst: int = key(
        50,
        whole_number(1, 100_000),
        "Texts to one country: so many at once, and then SMS_PER_COUNTRY_MINUTE.",
        200,
    )
    sms_per_country_minute: float = key(
        1.0,
        seconds(0.01, 10_000),
        "Texts to one country in a minute, once SMS_PER_COUNTRY_BURST are used up.",
        10,
    )
    sms_per_hour: int = key(
        100,
        whole_number(1, 1_000_000),
        "Texts in an hour in all. Raise it when your app is known to more people.",
        1000,
    )
    sms_price: float = key(
        0.05,
        money(0, 100),
        "What a text costs to every country that SMS_PRICES does not name. Twilio and others publish"
        " their prices.",
        0.12,
    )
    sms_prices: tuple[tuple[str, float], ...] = key(
        (),
        as_prices,
        "What a text costs, by country.",
        {"IN": 0.083, "US": 0.0079},
    )
    sms_price_voice: float = key(
        0.10,
        money(0, 100),
        "What a call costs to every country that SMS_PRICES_VOICE does not name. It lasts under a minute,"
        " and a begun minute is charged.",
        0.2,
    )
    sms_prices_voice: tuple[tuple[str, float], ...] = key(
        (),
        as_prices,
        "What a call costs, by country.",
        {"IN": 0.03, "US": 0.014},
    )
    sms_budget_day: float = key(
        25.0,
        money(0, 1_000_000),
        "The most that a day may cost, in UTC; the log says when 50, 80 and 100 % are spent. 0: nothing"
        " may be spent.",
        100,
    )
    sms_budget_month: float = key(
        250.0,
        money(0, 30_000_000),
        "The most that a month may cost, in UTC; the log says when 50, 80 and 100 % are spent. 0: nothing"
        " may be spent.",
        2000,
    )
    sms_currency: str = key(
        "USD",
        as_text,
        "The currency of these prices, for the log.",
        "EUR",
    )
    sms_pause_below: int = key(
        30,
        whole_number(0, 100),
        "Where under SMS_PAUSE_BELOW percent of the codes are entered, those of the last SMS_PAUSE_GRACE"
        " seconds left out: a network gets one text in six hours until a code is entered, from 10 codes in"
        " a week on.",
        20,
    )
    sms_pause_sent: int = key(
        20,
        whole_number(5, 100_000),
        "A country is paused where too few codes to it are entered, from so many networks in an hour on"
        " that asked for them. This and SMS_RANGE_PAUSE_SENT hold for networks where nobody lately logged"
        " in. It ends when what counts against it is an hour old.",
        50,
    )
    sms_range_pause_sent: int = key(
        20,
        whole_number(2, 1000),
        "A range of 10,000 numbers gets one text in six hours until a code is entered, from so many"
        " networks a day on.",
        10,
    )
    sms_pause_grace: int = key(
        120,
        whole_number(0, 600),
        "The codes of the last so many seconds are left out of SMS_PAUSE_BELOW: they may still be entered.",
        180,
    )
    sms_to_voip: bool = key(
        False,
        as_flag,
        "Whether numbers of internet telephony get texts. Premium-rate, shared-cost and pager numbers"
        " never do.",
        True,
    )
    sms_to_satellite: bool = key(
        False,
        as_flag,
        "Whether numbers of satellites and of networks that span countries (+870, +881, +882, +883) get"
        " texts and calls, whatever SMS_COUNTRIES says. They cost many times what others do; SMS_PRICE and"
        " SMS_PRICE_VOICE are their prices too.",
        True,
    )
    sms_delivery_wait: int = key(
        7,
        whole_number(0, 300),
        "Seconds after which a text that its provider took but did not deliver is sent again by the next"
        " provider, 0 to 300; 0: never. It needs delivery receipts (SMS_RECEIPTS) and a second provider.",
        15,
    )

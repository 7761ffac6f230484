"""The keys of the login and of one-time codes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from messenger_api.settings.conversions import (
    Unacceptable,
    as_date,
    as_text,
    seconds,
    whole_number,
    whole_numbers,
)
from messenger_api.settings.countries import as_country
from messenger_api.settings.keys import Keys, key


def as_numbers_to_codes(value: object) -> tuple[tuple[str, str], ...]:
    """Phone numbers and the fixed code of each."""
    if not isinstance(value, Mapping):
        raise Unacceptable('phone numbers and their codes such as {"14155550123": "123456"}')
    pairs = tuple((str(number), str(code)) for number, code in value.items())
    if not all(code.isascii() and code.isdigit() for whole_number, code in pairs):
        raise Unacceptable("codes of digits, written as texts")
    return pairs


@dataclass(frozen=True)
class LoginKeys(Keys):
    """Login

    How people prove who they are, and the one-time codes.
    """

    secret_key: str = key(
        "",
        as_text,
        "The key of this installation, made with: openssl rand -hex 32. It protects codes and hides phone"
        " books. Required with MySQL; with SQLite one is made at the first start and kept in INSTANCE_PATH."
        " Keep a backup apart from the database's: with another key no phone book matches any more.",
        "output of: openssl rand -hex 32",
        secret=True,
    )
    login_method: str = key(
        "otp",
        as_text,
        'How people prove who they are. "otp": by a one-time code in a text message. "mesibo_otp": by one'
        ' that mesibo makes and judges. "email": by one in an e-mail. "ldap", "radius", "oidc": a server'
        ' that you have already knows them. "password": by passwords that are kept here. Or a class of'
        " your own by its dotted path. docs/login-methods.md has a page about each.",
        "ldap",
    )
    login_timeout: float = key(
        5.0,
        seconds(0.5, 20),
        "Seconds that a login may take at the server that LOGIN_METHOD asks, 0.5 to 20.",
        3,
    )
    default_country: str = key(
        "",
        as_country,
        "The country, as two ISO letters, in which numbers without a country code are read at the login."
        " Empty: they are refused.",
        "IN",
    )
    otp_length: int = key(
        6,
        whole_number(6, 10),
        "Digits of a one-time code, 6 to 10. Check that your apps take more than 6.",
        8,
    )
    otp_ttl: int = key(
        300,
        whole_number(60, 600),
        "Seconds for which a code is good, 60 to 600.",
        600,
    )
    otp_max_attempts: int = key(
        5,
        whole_number(1, 10),
        "Wrong codes after which a code is dead, 1 to 10.",
        3,
    )
    otp_pauses: tuple[int, ...] = key(
        (0, 0, 0, 10, 30),
        whole_numbers(0, 600),
        "Seconds to wait before each of the tries, 0 to 600: none before the first three, then 10 and 30."
        " They do not hold a phone that has made no more than one slip at this number in the last 24"
        " hours, so that nobody can be kept out by somebody else's guessing.",
        [0, 5, 10, 20, 60],
    )
    otp_resend_after: tuple[int, ...] = key(
        (30, 60, 120, 300, 600),
        whole_numbers(0, 3600),
        "Seconds before another code may be asked for, 0 to 3600: after the first code, the second and so"
        " on; the last one holds for all that follow. A login, or an hour without a code, starts anew.",
        60,
    )
    otp_wrong_per_day: int = key(
        25,
        whole_number(5, 1000),
        "Wrong codes in 24 hours, 5 to 1000, after which a number is slowed down: it then gets a code"
        " every OTP_SLOW_RESEND_AFTER seconds. It is never locked, for then a stranger could lock out"
        " anyone.",
        50,
    )
    otp_slow_resend_after: int = key(
        3600,
        whole_number(60, 86_400),
        "Seconds between two codes of a number that was slowed down, 60 to 86400.",
        1800,
    )
    otp_replay_seconds: int = key(
        60,
        whole_number(0, 300),
        "Seconds for which the same right code from the same phone gets the same answer again, 0 to 300,"
        " since the answer may get lost on its way.",
        0,
    )
    otp_test_numbers: tuple[tuple[str, str], ...] = key(
        (),
        as_numbers_to_codes,
        "Numbers that log in with a fixed code and are sent no text, for the reviewers of the app stores.",
        {"+1 415 555 0123": "739164"},
        secret=True,
    )
    otp_test_numbers_until: dt.date | None = key(
        None,
        as_date,
        "The last day, in UTC, on which those codes work. Required with OTP_TEST_NUMBERS.",
        "2027-01-31",
    )
    max_sessions: int = key(
        6,
        whole_number(1, 100),
        "Sessions that a user has in one app at most, each on a device of its own; beyond it, a login"
        " ends the oldest.",
        1,
    )

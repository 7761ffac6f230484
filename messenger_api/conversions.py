"""From a value in a configuration file or the environment to the type that its key declares.

Each function returns the value to keep, or raises `Unacceptable` with what is accepted instead.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

_HOST = re.compile(r"[\w.-]+(:[0-9]{1,5})?", re.ASCII)

# ISO 3166-1 codes are checked for their form here and for their existence where they are used.
COUNTRY_LETTERS = 2


class Unacceptable(Exception):
    """What a key accepts, raised by the converter that met something else."""


Convert = Callable[[object], Any]


def as_text(value: object) -> str:
    """A text, without the blanks around it."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise Unacceptable("a text")
    return str(value).strip()


def as_literal(value: object) -> str:
    """A password: spaces at its ends belong to it."""
    as_text(value)
    return str(value)


def as_url(value: object) -> str:
    """An http or https URL, or ""."""
    text = as_text(value)
    if text and not (text.startswith(("http://", "https://")) and _has_host(text)):
        raise Unacceptable("a URL that begins with http:// or https://")
    return text


def _has_host(url: str) -> bool:
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:
        return False


def as_database(value: object) -> str:
    """SQLAlchemy's address of a database, or ""."""
    text = as_text(value)
    if text and not text.startswith(("sqlite:///", "mysql+", "mariadb+")):
        raise Unacceptable(
            'an address such as "mysql+pymysql://user:password@host/name" or "sqlite:////path/file"'
        )
    return text


def as_hosts(value: object) -> str:
    """Host names, comma separated, each with a port if wanted."""
    text = as_text(value)
    hosts = [host.strip() for host in text.split(",")]
    if text and not all(_HOST.fullmatch(host) for host in hosts):
        raise Unacceptable('host names, comma separated, each with ":port" where it is not DB_PORT')
    return text


def as_flag(value: object) -> bool:
    """True or False."""
    words = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
    word = str(value).strip().lower()
    if word not in words:
        raise Unacceptable("True or False")
    return words[word]


def whole_number(low: int, high: int) -> Convert:
    """A whole number from `low` to `high`."""

    def convert(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            raise Unacceptable(f"a whole number from {low} to {high}")
        try:
            number = int(value)
        except ValueError:
            raise Unacceptable(f"a whole number from {low} to {high}") from None
        if not low <= number <= high:
            raise Unacceptable(f"a whole number from {low} to {high}")
        return number

    return convert


def seconds(low: float, high: float) -> Convert:
    """Seconds from `low` to `high`, fractions allowed."""

    def convert(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise Unacceptable(f"seconds from {low:g} to {high:g}")
        return float(value)

    return convert


def one_of(*accepted: str) -> Convert:
    """One of the `accepted` words."""

    def convert(value: object) -> str:
        if value not in accepted:
            raise Unacceptable("one of " + ", ".join(accepted))
        return str(value)

    return convert


def as_texts(value: object) -> tuple[str, ...]:
    """A list of texts; one text is split at its commas."""
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, (list, tuple)) or not all(isinstance(item, str) for item in items):
        raise Unacceptable("a list of texts")
    return tuple(item.strip() for item in items if item.strip())


def as_country(value: object) -> str:
    """An ISO country code, or ""."""
    text = value.strip().upper() if isinstance(value, str) else "?"
    if text and not (len(text) == COUNTRY_LETTERS and text.isascii() and text.isalpha()):
        raise Unacceptable('a two-letter ISO country code such as "IN", or ""')
    return text


def as_countries(value: object) -> tuple[str, ...]:
    """A list of ISO country codes."""
    try:
        return tuple(code for code in map(as_country, as_texts(value)) if code)
    except Unacceptable:
        raise Unacceptable('a list of two-letter ISO country codes such as ["IN", "DE"]') from None


def as_numbers_to_codes(value: object) -> tuple[tuple[str, str], ...]:
    """Phone numbers and the fixed code of each."""
    if not isinstance(value, Mapping):
        raise Unacceptable('phone numbers and their codes such as {"14155550123": "123456"}')
    pairs = tuple((str(number), str(code)) for number, code in value.items())
    if not all(code.isascii() and code.isdigit() for whole_number, code in pairs):
        raise Unacceptable("codes of digits, written as texts")
    return pairs


def as_date(value: object) -> dt.date | None:
    """A date, or None."""
    if value in (None, ""):
        return None
    if isinstance(value, dt.date):
        return dt.date(value.year, value.month, value.day)
    try:
        return dt.date.fromisoformat(str(value))
    except ValueError:
        raise Unacceptable("a date such as 2027-01-31") from None


def as_maybe_flag(value: object) -> bool | None:
    """True, False, or None for neither."""
    return None if value is None else as_flag(value)


# What is a text, whatever JSON would make of it.
PLAIN = (as_text, as_literal, as_url, as_database, as_hosts, as_country)

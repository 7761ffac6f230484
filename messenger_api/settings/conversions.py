"""From a value in a configuration file or the environment to the type that its key declares.

Each function returns the value to keep, or raises `Unacceptable` with what is accepted instead.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar
from urllib.parse import urlsplit

from messenger_api.domain.network import is_loopback

_HOST = re.compile(r"[\w.-]+(:[0-9]{1,5})?", re.ASCII)


_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class Unacceptable(Exception):
    """What a key accepts, raised by the converter that met something else."""


T = TypeVar("T")
Convert = Callable[[object], T]
"""From what the operator wrote to the value that is kept; raises `Unacceptable` for anything else."""


class Verbatim(Generic[T]):
    """A converter to which a variable of the environment is given as it stands, and not read as JSON.

    JSON would make 100000.0 of a password such as 1e5.
    """

    def __init__(self, convert: Convert[T]) -> None:
        self._convert = convert

    def __call__(self, value: object) -> T:
        """The value to keep."""
        return self._convert(value)


@Verbatim
def as_text(value: object) -> str:
    """A text, without the blanks around it."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise Unacceptable("a text")
    return str(value).strip()


@Verbatim
def as_literal(value: object) -> str:
    """A password: spaces at its ends belong to it."""
    as_text(value)
    return str(value)


@Verbatim
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


@Verbatim
def as_hosts(value: object) -> str:
    """Host names, comma separated, each with a port if wanted."""
    text = as_text(value)
    hosts = [host.strip() for host in text.split(",")]
    if text and not all(_HOST.fullmatch(host) for host in hosts):
        raise Unacceptable('host names, comma separated, each with ":port" where it has one of its own')
    return text


def as_flag(value: object) -> bool:
    """True or False."""
    words = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
    word = str(value).strip().lower()
    if word not in words:
        raise Unacceptable("True or False")
    return words[word]


def whole_number(low: int, high: int) -> Convert[int]:
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


def zero_or(convert: Convert[int]) -> Convert[int]:
    """0, or what `convert` accepts."""

    def zero_too(value: object) -> int:
        if value in (0, "0") and not isinstance(value, bool):
            return 0
        try:
            return convert(value)
        except Unacceptable as wanted:
            raise Unacceptable(f"0 or {wanted}") from None

    return zero_too


def seconds(low: float, high: float) -> Convert[float]:
    """Seconds from `low` to `high`, fractions allowed."""

    def convert(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise Unacceptable(f"seconds from {low:g} to {high:g}")
        return float(value)

    return convert


def whole_numbers(low: int, high: int) -> Convert[tuple[int, ...]]:
    """One whole number from `low` to `high`, or a list of them."""
    each = whole_number(low, high)

    def convert(value: object) -> tuple[int, ...]:
        items = value if isinstance(value, (list, tuple)) else [value]
        try:
            numbers = tuple(each(item) for item in items)
        except Unacceptable:
            numbers = ()
        if not numbers:
            raise Unacceptable(f"whole numbers from {low} to {high} such as [{low}, {high}]")
        return numbers

    return convert


def one_of(*accepted: str) -> Convert[str]:
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


def money(low: float, high: float) -> Convert[float]:
    """An amount of money from `low` to `high`, fractions allowed."""

    def convert(value: object) -> float:
        try:
            return seconds(low, high)(value)
        except Unacceptable:
            raise Unacceptable(f"an amount from {low:g} to {high:g}") from None

    return convert


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


def is_local(url: str) -> bool:
    """Whether a URL leads to this machine, so that nobody can listen on the way."""
    return is_loopback(urlsplit(url).hostname or "")


def as_headers(value: object) -> tuple[tuple[str, str], ...]:
    """Names and values of HTTP headers."""
    wanted = 'names and values of HTTP headers such as {"Authorization": "Bearer ..."}'
    if not isinstance(value, Mapping):
        raise Unacceptable(wanted)
    pairs = tuple((str(name).strip(), str(text).strip()) for name, text in value.items())
    # A line break would end the header and begin one of somebody else's.
    if not all(_HEADER.fullmatch(name) and text.isprintable() and text.isascii() for name, text in pairs):
        raise Unacceptable(wanted)
    return pairs


def as_statuses(value: object) -> tuple[int, ...]:
    """HTTP statuses; one alone is a list of one."""
    wanted = "a list of HTTP statuses such as [200, 202]"
    items = [value] if isinstance(value, (int, str)) else value
    if not isinstance(items, (list, tuple)):
        raise Unacceptable(wanted)
    try:
        return tuple(map(whole_number(100, 599), (part for item in items for part in _parts(item))))
    except Unacceptable:
        raise Unacceptable(wanted) from None


def _parts(item: object) -> list[object]:
    return [part for part in item.split(",") if part.strip()] if isinstance(item, str) else [item]

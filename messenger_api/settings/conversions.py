"""From a value in a configuration file or the environment to the type that its key declares.

Each function returns the value to keep, or raises `Unacceptable` with what is accepted instead.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from email.utils import parseaddr
from typing import Generic, TypeVar
from urllib.parse import urlsplit

import phonenumbers

from messenger_api.domain.network import is_loopback

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# A bucket's name has 3 to 63 of these characters; the prefix is a path without "." and "..".
_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/(?!\.{1,2}(?:/|$))[\w.=@+-]+)*/?", re.ASCII)
_REGION = re.compile(r"[A-Za-z0-9-]{0,63}", re.ASCII)
_HOST = re.compile(r"[\w.-]+(:[0-9]{1,5})?", re.ASCII)
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_MAIL_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_APP_HASH = re.compile(r"[A-Za-z0-9+/]{11}")

DOMAIN_LENGTH = 60
"""More than that, and no other word has room in a text message with a code."""

# Countries by their ISO 3166-1 codes: those with telephone numbers, and those without.
COUNTRIES = phonenumbers.SUPPORTED_REGIONS | {"AQ", "BV", "GS", "HM", "PN", "TF", "UM"}
# What people write instead of the code, and the European Union does for Greece.
MISTAKEN = {"UK": "GB", "EN": "GB", "EL": "GR"}
EVERYWHERE = "*"
# The sandbox answers the machine that it runs on, and nobody else.
OWN_MACHINE = "local"


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


def key(default: T, convert: Convert[T], *, secret: bool = False) -> T:
    """A field of the settings: its default, its converter, and whether its value is never shown."""
    return field(default=default, metadata={"convert": convert, "secret": secret})


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
def as_database(value: object) -> str:
    """SQLAlchemy's address of a database, or ""."""
    text = as_text(value)
    if text and not text.startswith(("sqlite:///", "mysql+", "mariadb+")):
        raise Unacceptable(
            'an address such as "mysql+pymysql://user:password@host/name" or "sqlite:////path/file"'
        )
    return text


@Verbatim
def as_hosts(value: object) -> str:
    """Host names, comma separated, each with a port if wanted."""
    text = as_text(value)
    hosts = [host.strip() for host in text.split(",")]
    if text and not all(_HOST.fullmatch(host) for host in hosts):
        raise Unacceptable('host names, comma separated, each with ":port" where it has one of its own')
    return text


@Verbatim
def as_domain(value: object) -> str:
    """A domain in lower case, or ""."""
    text = as_text(value).lower()
    if text and not (len(text) <= DOMAIN_LENGTH and _DOMAIN.fullmatch(text)):
        raise Unacceptable(
            f'a domain of at most {DOMAIN_LENGTH} characters such as "chat.example.com", or ""'
        )
    return text


def as_mail_domains(value: object) -> tuple[str, ...]:
    """Domains of e-mail addresses, also such as the world does not know."""
    domains = tuple(domain.lower().removeprefix("@") for domain in as_texts(value))
    if not all(_MAIL_DOMAIN.fullmatch(domain) for domain in domains):
        raise Unacceptable('a list of domains such as ["firma.local"]')
    return domains


@Verbatim
def as_app_hash(value: object) -> str:
    """The hash by which Android knows an app, or ""."""
    text = as_text(value)
    if text and not _APP_HASH.fullmatch(text):
        raise Unacceptable('11 letters, digits, "+" or "/" such as "FA+9qCX9VSu", or ""')
    return text


@Verbatim
def as_place(value: object) -> str:
    """Where files rest: the path of a folder, or a bucket and a prefix."""
    text = as_text(value)
    if "://" in text and not _BUCKET.fullmatch(text):
        raise Unacceptable('a folder, or a bucket such as "s3://bucket/prefix"')
    return text.rstrip("/") if is_bucket(text) else text


@Verbatim
def as_region(value: object) -> str:
    """The name of a bucket's region, or ""."""
    text = as_text(value)
    if not _REGION.fullmatch(text):
        raise Unacceptable('a region such as "eu-central-1", or ""')
    return text


def is_bucket(place: str) -> bool:
    """Whether files rest in a bucket there, and not in a folder."""
    return place.startswith("s3://")


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


@Verbatim
def as_country(value: object) -> str:
    """An ISO country code, or ""."""
    text = value.strip().upper() if isinstance(value, str) else "?"
    if text and text not in COUNTRIES:
        raise Unacceptable('a two-letter ISO country code such as "IN", or ""' + _instead([text]))
    return text


def _instead(codes: Sequence[object]) -> str:
    """The first code that is none, with the right one where that is known."""
    wrong = [str(code).upper() for code in codes if str(code).upper() not in COUNTRIES]
    if not wrong or not re.fullmatch(r"[A-Z]{2}", wrong[0]):
        return ""
    right = MISTAKEN.get(wrong[0])
    return f"; {wrong[0]} is none" + (f", write {right}" if right else "")


def as_countries(value: object) -> tuple[str, ...]:
    """A list of ISO country codes, or "*" for all countries."""
    if value in (EVERYWHERE, [EVERYWHERE], (EVERYWHERE,)):
        return (EVERYWHERE,)
    wanted = 'a list of two-letter ISO country codes such as ["IN", "DE"], or "*"'
    try:
        codes = as_texts(value)
    except Unacceptable:
        raise Unacceptable(wanted) from None
    try:
        return tuple(map(as_country, codes))
    except Unacceptable:
        raise Unacceptable(wanted + _instead(codes)) from None


def as_numbers_to_codes(value: object) -> tuple[tuple[str, str], ...]:
    """Phone numbers and the fixed code of each."""
    if not isinstance(value, Mapping):
        raise Unacceptable('phone numbers and their codes such as {"14155550123": "123456"}')
    pairs = tuple((str(number), str(code)) for number, code in value.items())
    if not all(code.isascii() and code.isdigit() for whole_number, code in pairs):
        raise Unacceptable("codes of digits, written as texts")
    return pairs


def as_prices(value: object) -> tuple[tuple[str, float], ...]:
    """Countries and the price of a text, or a call, to each."""
    wanted = 'countries and prices such as {"IN": 0.08, "DE": 0.09}'
    if not isinstance(value, Mapping):
        raise Unacceptable(wanted)
    try:
        return tuple((as_country(code), seconds(0, 100)(price)) for code, price in value.items())
    except Unacceptable:
        raise Unacceptable(wanted) from None


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


def money(low: float, high: float) -> Convert[float]:
    """An amount of money from `low` to `high`, fractions allowed."""

    def convert(value: object) -> float:
        try:
            return seconds(low, high)(value)
        except Unacceptable:
            raise Unacceptable(f"an amount from {low:g} to {high:g}") from None

    return convert


@Verbatim
def as_redis(value: object) -> str:
    """The address of a Redis, or ""."""
    text = as_text(value)
    if text and not text.startswith(("redis://", "rediss://", "unix://")):
        raise Unacceptable('an address such as "redis://127.0.0.1:6379/0"')
    return text


def _parts(item: object) -> list[object]:
    return [part for part in item.split(",") if part.strip()] if isinstance(item, str) else [item]


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


def as_sandbox(value: object) -> bool | str | None:
    """True, False, `OWN_MACHINE`, or None for none of them."""
    if value is None or value == OWN_MACHINE:
        return value
    try:
        return as_flag(value)
    except Unacceptable:
        raise Unacceptable(f'True or False, or "{OWN_MACHINE}" (for this machine alone)') from None


def as_login_method(names: Sequence[str]) -> Convert[str]:
    """One of the `names`, or a dotted path."""

    def convert(value: object) -> str:
        if isinstance(value, str) and (value in names or "." in value):
            return value
        raise Unacceptable(f"one of {', '.join(names)}, or a dotted path such as mycompany.login.MyMethod")

    return convert


@Verbatim
def as_mailbox(value: object) -> str:
    """A sender of e-mail, with a name if wanted, or ""."""
    text = as_text(value)
    address = parseaddr(text)[1]
    # No more than the form: what a sender's address may be, its own mail server decides.
    if text and not (re.fullmatch(r"[!-?A-~]+@[!-?A-~]+", address) and text.isprintable()):
        raise Unacceptable('an address such as "no-reply@example.com" or "Chat <no-reply@example.com>"')
    return text


@Verbatim
def as_header(value: object) -> str:
    """The name of an HTTP header. Servers and proxies drop or fold names with underscores."""
    text = as_text(value)
    if not re.fullmatch(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*", text):
        raise Unacceptable('a header of letters, digits and hyphens such as "X-Forwarded-For"')
    return text


@Verbatim
def as_ldap_url(value: object) -> str:
    """An ldap or ldaps URL of a server, or ""."""
    text = as_text(value)
    if text and not re.fullmatch(r"ldaps?://[\w.\-\[\]:]+/?", text, re.ASCII):
        raise Unacceptable('a URL such as "ldaps://ldap.example.com", without anything behind host and port')
    return text


@Verbatim
def as_ldap_filter(value: object) -> str:
    """A search filter with a place for the address."""
    text = as_text(value)
    if "{address}" not in text or not (text.startswith("(") and text.endswith(")")):
        raise Unacceptable('a filter in brackets with {address} in it such as "(uid={address})"')
    return text


def as_algorithms(value: object) -> tuple[str, ...]:
    """Names of signature algorithms with a public key, RFC 7518 and RFC 8037."""
    names = as_texts(value)
    if not names or not all(re.fullmatch(r"(RS|PS|ES)(256|384|512)|EdDSA", name) for name in names):
        raise Unacceptable('a list of algorithms with a public key such as ["RS256", "ES256"]')
    return names


def is_local(url: str) -> bool:
    """Whether a URL leads to this machine, so that nobody can listen on the way."""
    return is_loopback(urlsplit(url).hostname or "")

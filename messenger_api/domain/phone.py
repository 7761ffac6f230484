"""Phone numbers: read once into the digits of E.164, from there on passed as such.

The rules are the contract's: punctuation, `+`, leading zeros and extensions are dropped; what is not valid
internationally, or was written by a person at home, is read in the caller's country; a number that is
possible by its country's numbering plan is accepted even when it is not assigned, as test ranges are.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

from messenger_api.domain.later import Later
from messenger_api.domain.numbering import by_trunk_zero, countries_of, is_certain
from messenger_api.domain.renumbered import RENUMBERINGS, todays

if TYPE_CHECKING:
    import phonenumbers
    from phonenumbers import PhoneNumber
else:
    phonenumbers = Later("phonenumbers")

# E.164 allows fifteen digits; an entry much longer than any dialling string is no number.
LONGEST_ENTRY = 40
# No national number of a mobile that begins with its country's calling code, as 39x in Italy, is longer.
LONGEST_MOBILE = 11
# Older Android apps write this in front of a local number when they know no country code.
UNKNOWN_COUNTRY = "null"
# What phonenumbers calls the region of numbers that belong to none: freephone (+800), satellites (+881).
NO_COUNTRY = "001"

_DIGITS = re.compile(r"\++[0-9]+|[0-9]+")
_INVISIBLE = re.compile(r"[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
# What stands between digits without being one, beside blanks, dashes and brackets of any alphabet.
_BETWEEN = frozenset("\t*./~\u2044\u2053\u2212\u223c\u30fc\u00b7\u2022\u30fb")
_BLANKS_DASHES_BRACKETS = frozenset({"Zs", "Pd", "Ps", "Pe"})
# The forms of ASCII that take as much room as an ideograph (Unicode, U+FF01 to U+FF5E).
_NARROW = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
_TRAILING = re.compile(r"[^\w]+$")
# What may follow a number in the address `tel:` (RFC 3966), and what its local numbers are completed by.
_PARAMETERS = re.compile(r";[a-z-]+=.*", re.IGNORECASE)
_CONTEXT = re.compile(r";phone-context=(\+[^;]*)", re.IGNORECASE)
# Where Brazilians write that one dials the code of a carrier.
_CARRIER = re.compile(r"(?<=0)\s*[xX]{2}(?=\s*[0-9])")
# Whether a number has an extension does not depend on its country, which has to be named.
_ANY_COUNTRY = "US"


class Kind(Enum):
    """The kinds of number that are treated differently."""

    MOBILE = "mobile"
    LANDLINE = "landline"
    VOIP = "voip"
    SATELLITE = "satellite"
    """Of no country: a satellite's, or of a network that spans countries and is priced like one."""
    PREMIUM = "premium"
    """Whoever texts or calls it pays its owner, or it reaches no person."""


@cache
def _kinds() -> dict[int, Kind]:
    """phonenumbers cannot tell mobiles from landlines in some countries, and knows nothing of test ranges:
    whatever is not named here may be a mobile."""
    of = phonenumbers.PhoneNumberType
    paid = (of.PREMIUM_RATE, of.SHARED_COST, of.PAGER, of.TOLL_FREE, of.UAN, of.VOICEMAIL)
    return {of.FIXED_LINE: Kind.LANDLINE, of.VOIP: Kind.VOIP, **dict.fromkeys(paid, Kind.PREMIUM)}


# Calling codes without a country: Inmarsat, the satellite systems (Iridium, Globalstar), and the two that
# networks which span countries share (Thuraya and others). ITU-T E.164, list of assigned country codes.
SATELLITES = frozenset({870, 881, 882, 883})


class Phone(Struct, frozen=True, dict=True):
    """A phone number in its normal form."""

    digits: str
    """E.164 without `+`, for example `919876543210`."""

    def __repr__(self) -> str:
        return f"Phone({masked(self.digits)})"

    @property
    def address(self) -> str:
        """What mesibo knows the user by: the digits."""
        return self.digits

    @property
    def match(self) -> str:
        """What the blind keys are made of."""
        return match_key(self)

    @property
    def prefix(self) -> str:
        """The range that the number is from: all but the last four digits, which are 10,000 numbers."""
        return self.digits[:-4]

    @cached_property
    def kind(self) -> Kind:
        """What a text to this number would reach."""
        number = _parsed(self.digits)
        kind = _kinds().get(phonenumbers.number_type(number), Kind.MOBILE)
        if number.country_code in SATELLITES and kind is not Kind.PREMIUM:
            return Kind.SATELLITE
        return Kind.MOBILE if kind is Kind.LANDLINE and _may_be_mobile(number) else kind

    @property
    def country_code(self) -> str:
        """The country calling code, for example `91`."""
        return str(_parsed(self.digits).country_code)

    @property
    def region(self) -> str:
        """The ISO code of the country, for example `IN`; "" when the number tells none."""
        countries = countries_of(self.digits)
        told = phonenumbers.region_code_for_number(_parsed(self.digits)) if len(countries) > 1 else ""
        region = told or countries[0]
        return "" if region == NO_COUNTRY else region


def read(entry: str, country: str = "") -> Phone | None:
    """Read a number as people and phone books write it.

    Args:
        entry: the number; anything unreadable gives None.
        country: ISO code of the caller's country, for numbers without a country code; "" for none.
    """
    if len(entry) > LONGEST_ENTRY:
        return None
    if entry.isascii() and entry.isdecimal() and is_certain(entry):
        return Phone(entry)  # as `_read` does, at a quarter of its cost: what apps send is mostly so
    return _read(entry, country)


@lru_cache(maxsize=4096)
def _read(entry: str, country: str) -> Phone | None:
    text = _INVISIBLE.sub("", entry).strip()
    dialled = _dialled(text.removeprefix(UNKNOWN_COUNTRY))
    if dialled is None:
        return None
    local_only = text.startswith(UNKNOWN_COUNTRY) and not dialled.digits.startswith("+")
    at_home = _at_home(dialled)
    # Most numbers of a phone book are of this kind, and the library takes twenty times as long.
    abroad = "" if local_only else _without_zeros(dialled.digits)
    if is_certain(full := by_trunk_zero(dialled.digits, country) if at_home else abroad):
        return Phone(full)
    readings = []
    for reading in (_local, _international) if at_home else (_international, _local):
        number = reading(dialled.digits, country, local_only)
        if number is not None:
            if phonenumbers.is_valid_number(number):
                return _phone(number)
            readings.append(number)
    return next(map(_phone, filter(_possible, readings)), None)


@dataclass(frozen=True)
class _Dialled:
    """The digits of an entry, with `+` in front where it stood; `by_hand`: a person wrote it with blanks,
    dashes, dots or brackets."""

    digits: str
    by_hand: bool


def _at_home(dialled: _Dialled) -> bool:
    """Whether an entry is read at home first.

    One zero in front is how people at home write their trunk prefix: without it, 0151 23456789 from a German
    phone book would be somebody in Texas. So is what a person wrote without `+` or 00: 150-1234-5678 is a
    mobile in China, and nobody in Arkansas. Digits alone come from apps, which write them internationally.
    """
    if dialled.digits.startswith(("+", "00")):
        return False
    return dialled.by_hand or dialled.digits.startswith("0")


def _dialled(text: str) -> _Dialled | None:
    """What an entry has one dial; None for what is no number."""
    if _DIGITS.fullmatch(text):
        return _Dialled(_one_plus(text), by_hand=False)
    text = _CARRIER.sub("", _ascii_digits(text.translate(_NARROW)))
    if ";" in text:
        text = _of_address(text)
    first = next((at for at, char in enumerate(text) if char == "+" or char.isdecimal()), 0)
    label, text = text[:first], _TRAILING.sub("", text[first:])
    if _holds_other_text(label):
        return None
    digits = _bare(text)
    if not _DIGITS.fullmatch(digits):
        digits = _bare(_without_extension(text))
    if not _DIGITS.fullmatch(digits):
        return None
    return _Dialled(_one_plus(digits), by_hand=digits != text or bool(label))


def _holds_other_text(label: str) -> bool:
    """Whether what stands in front of a number makes it none: lines of text, or a letter right before it."""
    return bool(label) and (not label.isprintable() or label[-1].isalnum())


def _bare(text: str) -> str:
    return "".join(char for char in text if not _is_between(char))


def _one_plus(text: str) -> str:
    return "+" + text.lstrip("+") if text.startswith("+") else text


def _is_between(char: str) -> bool:
    return char in _BETWEEN or unicodedata.category(char) in _BLANKS_DASHES_BRACKETS


def _of_address(text: str) -> str:
    """The number in an address as RFC 3966 writes it, without its extension and other parameters."""
    context, number = _CONTEXT.search(text), _PARAMETERS.sub("", text)
    scheme, _, local = number.rpartition(":")
    return f"{scheme}:{context[1]}{local}" if context and not local.startswith("+") else number


def _without_extension(text: str) -> str:
    """The entry up to the last digit before its extension, if it has one."""
    number = _as_written(text, _ANY_COUNTRY)
    extension = len(number.extension or "") if number else 0
    if not extension:
        return text
    places = [at for at, char in enumerate(text) if char.isdecimal()]
    return text[: places[-extension - 1] + 1] if len(places) > extension else text


def _phone(number: PhoneNumber) -> Phone:
    return Phone(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:])


def match_key(phone: Phone) -> str:
    """The form under which two spellings of one subscriber's number meet.

    Two countries have forms that are both numbers of their plans: Argentina (a 9 after 54 from abroad) and
    Brazil (a ninth digit, a leading 9, since 2016). Landlines keep their own numbers. The account's address
    is never rewritten. Forms that a plan has left are read as today's (`domain.renumbered`).
    """
    digits = phone.digits
    if digits.startswith("549") and len(digits) == 13:
        return "54" + digits[3:]
    if digits.startswith("55") and len(digits) == 12 and digits[4] in "6789":
        return digits[:4] + "9" + digits[4:]
    return digits


def masked(digits: str) -> str:
    """A number as it may stand in a log: `9198*****10`."""
    if len(digits) < 8:
        return "*" * len(digits)
    return digits[:4] + "*" * (len(digits) - 6) + digits[-2:]


def _ascii_digits(text: str) -> str:
    return "".join(str(int(char)) if char.isdecimal() else char for char in text)


def _without_zeros(text: str) -> str:
    """What is dialled from abroad, behind `+` or whatever zeros a country dials instead."""
    return text.lstrip("+0")


def _international(text: str, _country: str, local_only: bool) -> PhoneNumber | None:
    return None if local_only else _parse("+" + _without_zeros(text), None)


def _local(text: str, country: str, _local_only: bool) -> PhoneNumber | None:
    """Read in the caller's country: with its trunk zeros where the country knows them, else without."""
    if not country or text.startswith("+"):
        return None
    number = _parse(text, country)
    if number is None or not phonenumbers.is_valid_number(number):
        bare = _parse(text.lstrip("0"), country)
        if bare is not None and (number is None or phonenumbers.is_valid_number(bare)):
            return bare
    return _behind_own_code(text, country) or number


def _behind_own_code(text: str, country: str) -> PhoneNumber | None:
    """What is valid behind the caller's own calling code, written without `+`, where plans are so wide that
    the whole is a valid number as well: 49 151 23456789 in Germany."""
    code = str(phonenumbers.country_code_for_region(country))
    if not text.startswith(code) or len(text) <= LONGEST_MOBILE:
        return None
    number = _parse("+" + text, None)
    return number if number is not None and phonenumbers.is_valid_number(number) else None


def _possible(number: PhoneNumber) -> bool:
    # Without its area code a number is "possible locally", which identifies nobody.
    return phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE


def _parse(text: str, country: str | None) -> PhoneNumber | None:
    """Today's number of the subscriber whom the library reads."""
    number = _as_written(text, country)
    code = number.country_code or 0 if number else 0
    if number and code in RENUMBERINGS:
        today = todays(code, phonenumbers.national_significant_number(number))
        return _as_written(f"+{code}{today}", None) if today else number
    return number


def _as_written(text: str, country: str | None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None


def _may_be_mobile(number: PhoneNumber) -> bool:
    """Whether mobiles are dialled at home like this landline: abroad, digits of their own mark them."""
    token = phonenumbers.country_mobile_token(number.country_code or 0)
    marked = _parse(f"+{number.country_code}{token}{number.national_number}", None) if token else None
    return marked is not None and phonenumbers.number_type(marked) == phonenumbers.PhoneNumberType.MOBILE


@lru_cache(maxsize=4096)
def _parsed(digits: str) -> PhoneNumber:
    return phonenumbers.parse("+" + digits)

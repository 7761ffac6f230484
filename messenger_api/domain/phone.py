"""Phone numbers: read once into the digits of E.164, from there on passed as such.

The rules are the contract's: punctuation, `+` and leading zeros are dropped; what is not valid
internationally, or is written with the one zero of a trunk prefix, is read in the caller's country; a
number that is possible by its country's numbering plan is accepted even when it is not assigned, as test
ranges are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberType, ValidationResult

# E.164 allows fifteen digits; an entry much longer than any dialling string is no number.
LONGEST_ENTRY = 40
# Older Android apps write this in front of a local number when they know no country code.
UNKNOWN_COUNTRY = "null"
# What phonenumbers calls the region of numbers that belong to none: freephone (+800), satellites (+881).
NO_COUNTRY = "001"

_PUNCTUATION = re.compile(r"[\s().\-/\u00ad\u200b-\u200f\u2010-\u2015\u202a-\u202e\u2060-\u2069\ufeff]+")
_DIGITS = re.compile(r"\+?[0-9]+")


class Kind(Enum):
    """The kinds of number that are treated differently."""

    MOBILE = "mobile"
    LANDLINE = "landline"
    VOIP = "voip"
    DEAR = "dear"
    """Whoever texts or calls it pays its owner, or it reaches no person."""


# phonenumbers cannot tell mobiles from landlines in some countries, and knows nothing of test ranges:
# whatever is not named here may be a mobile.
KINDS = {
    PhoneNumberType.FIXED_LINE: Kind.LANDLINE,
    PhoneNumberType.VOIP: Kind.VOIP,
    PhoneNumberType.PREMIUM_RATE: Kind.DEAR,
    PhoneNumberType.SHARED_COST: Kind.DEAR,
    PhoneNumberType.PAGER: Kind.DEAR,
    PhoneNumberType.TOLL_FREE: Kind.DEAR,
    PhoneNumberType.UAN: Kind.DEAR,
    PhoneNumberType.VOICEMAIL: Kind.DEAR,
}


@dataclass(frozen=True)
class Phone:
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

    @property
    def kind(self) -> Kind:
        """What a text to this number would reach."""
        return KINDS.get(phonenumbers.number_type(_parsed(self.digits)), Kind.MOBILE)

    @property
    def country_code(self) -> str:
        """The country calling code, for example `91`."""
        return str(_parsed(self.digits).country_code)

    @property
    def region(self) -> str:
        """The ISO code of the country, for example `IN`; "" when the number tells none."""
        number = _parsed(self.digits)
        region = phonenumbers.region_code_for_number(number) or (
            phonenumbers.region_code_for_country_code(number.country_code or 0)
        )
        return "" if region == NO_COUNTRY else region


def read(entry: str, country: str = "") -> Phone | None:
    """Read a number as people and phone books write it.

    Args:
        entry: the number; anything unreadable gives None.
        country: ISO code of the caller's country, for numbers without a country code; "" for none.
    """
    if len(entry) > LONGEST_ENTRY:
        return None
    return _read(entry, country)


@lru_cache(maxsize=4096)
def _read(entry: str, country: str) -> Phone | None:
    text = _PUNCTUATION.sub("", entry)
    local_only = text.startswith(UNKNOWN_COUNTRY)
    text = _ascii_digits(text.removeprefix(UNKNOWN_COUNTRY))
    if not _DIGITS.fullmatch(text):
        return None
    # One zero in front is how people at home write their trunk prefix: without it, 0151 23456789 from a
    # German phone book would be somebody in Texas.
    at_home = text.startswith("0") and not text.startswith("00")
    readings = []
    # Most numbers of a phone book are valid as they are first read: what costs is the second reading.
    for reading in (_local, _international) if at_home else (_international, _local):
        number = reading(text, country, local_only)
        if number is not None:
            if phonenumbers.is_valid_number(number):
                return _phone(number)
            readings.append(number)
    return next(map(_phone, filter(_possible, readings)), None)


def _phone(number: PhoneNumber) -> Phone:
    return Phone(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:])


def match_key(phone: Phone) -> str:
    """The form under which two spellings of one subscriber's number meet.

    Three countries changed how their mobile numbers are written while phone books kept the old form:
    Argentina (a 9 after 54 from abroad), Mexico (a 1 after 52 until 2019), Brazil (a ninth digit,
    a leading 9, since 2016). Landlines keep their own numbers. The account's address is never rewritten.
    """
    digits = phone.digits
    if digits.startswith("549") and len(digits) == 13:
        return "54" + digits[3:]
    if digits.startswith("521") and len(digits) == 13:
        return "52" + digits[3:]
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


def _international(text: str, _country: str, local_only: bool) -> PhoneNumber | None:
    return None if local_only else _parse("+" + text.lstrip("+0"), None)


def _local(text: str, country: str, _local_only: bool) -> PhoneNumber | None:
    """Read in the caller's country: with its trunk zeros where the country knows them, else without."""
    if not country or text.startswith("+"):
        return None
    number = _parse(text, country)
    if number is None or not phonenumbers.is_valid_number(number):
        bare = _parse(text.lstrip("0"), country)
        if bare is not None and (number is None or phonenumbers.is_valid_number(bare)):
            return bare
    return number


def _possible(number: PhoneNumber) -> bool:
    # Without its area code a number is "possible locally", which identifies nobody.
    return phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE


def _parse(text: str, country: str | None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, country)
    except NumberParseException:
        return None


@lru_cache(maxsize=4096)
def _parsed(digits: str) -> PhoneNumber:
    return phonenumbers.parse("+" + digits)

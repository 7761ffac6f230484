"""Numbers that are certain by their plan alone are what phonenumbers finds, in all countries."""

from __future__ import annotations

import random
from collections.abc import Iterator

import phonenumbers
import pytest

from messenger_api.domain import numbering
from messenger_api.domain import phone as phones
from tests.matrix import LONG

NUMBERS = 1_000_000 if LONG else 25_000
CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
LONGEST = 15


def examples() -> dict[int, list[str]]:
    """National numbers of all kinds and countries, by calling code."""
    found: dict[int, list[str]] = {code: [] for code in CODES}
    kinds = phonenumbers.PhoneNumberType.values()
    for region in phonenumbers.SUPPORTED_REGIONS:
        for number in (phonenumbers.example_number_for_type(region, kind) for kind in kinds):
            if number and number.country_code:
                found[number.country_code].append(phonenumbers.national_significant_number(number))
    for code in CODES:
        number = phonenumbers.example_number_for_non_geo_entity(code)
        if number:
            found[code].append(phonenumbers.national_significant_number(number))
    return found


def numbers(count: int) -> Iterator[str]:
    """Numbers behind every calling code, more where several countries share one."""
    chance, known = random.Random(count), examples()
    kinds = sum(map(len, known.values()))
    for code, models in known.items():
        for _ in range(-(-count * len(models) // kinds)):
            yield f"{code}{national(chance, models)}"


def national(chance: random.Random, models: list[str]) -> str:
    """A national number like one of these, or unlike."""
    like = chance.choice(models)
    match chance.randrange(8):
        case 0:
            return any_digits(chance, chance.randint(2, LONGEST))
        case 1:
            # With what is dialled in front at home, or was once.
            return chance.choice(("0", "1", "8", "9", "15", "01", "044")) + like
    kept = chance.randint(0, len(like))
    return like[:kept] + any_digits(chance, len(like) - kept)


def any_digits(chance: random.Random, count: int) -> str:
    return "".join(chance.choices("0123456789", k=count))


def by_the_library(digits: str) -> str | None:
    """The normal form of a valid number; None for others."""
    number = phones._parse(f"+{digits}", None)
    if number is None or not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]


@pytest.mark.long
def test_what_is_certain_is_valid_for_the_library_and_stays_as_it_is() -> None:
    certain = valid = 0
    for digits in numbers(NUMBERS):
        wanted = by_the_library(digits)
        if numbering.is_certain(digits):
            certain += 1
            assert wanted == digits
        valid += wanted == digits

    assert valid > NUMBERS / 4
    assert certain > 0.97 * valid, "the library is asked for more than it has to be"


@pytest.mark.long
def test_digits_that_are_certain_are_read_at_once_as_they_would_be_step_by_step() -> None:
    chance, countries = random.Random(1), ["", "DE", "US", "CN", "IN"]
    for digits in numbers(NUMBERS // 10):
        country = chance.choice(countries)
        assert phones.read(digits, country) == phones._read(digits, country), (digits, country)


@pytest.mark.long
def test_the_country_of_a_number_is_the_librarys() -> None:
    several = 0
    for digits in numbers(NUMBERS // 10):
        if not numbering.is_certain(digits):
            continue
        number = phonenumbers.parse("+" + digits)
        wanted = phonenumbers.region_code_for_number(number)
        wanted = wanted or phonenumbers.region_code_for_country_code(number.country_code or 0)
        assert phones.Phone(digits).region == ("" if wanted == "001" else wanted), digits
        several += len(numbering.countries_of(digits)) > 1
    assert several > NUMBERS // 1000


@pytest.mark.long
def test_a_zero_at_home_means_for_the_library_what_is_certain_of_it() -> None:
    chance, known = random.Random(0), examples()
    regions, certain = sorted(phonenumbers.SUPPORTED_REGIONS), 0
    for region in regions:
        models = known[phonenumbers.country_code_for_region(region)]
        for _ in range(NUMBERS // len(regions) // 2):
            entry = "0" + national(chance, models)
            full = numbering.by_trunk_zero(entry, region)
            if numbering.is_certain(full):
                certain += 1
                number = phones._local(entry, region, False)
                assert number is not None
                assert phonenumbers.is_valid_number(number)
                assert phones._phone(number) == phones.Phone(full), (entry, region)

    assert certain > NUMBERS / 20


@pytest.mark.parametrize("digits", ["", "0", "9", "00919876543210", "999", "9" * 40, "0" * 40])
def test_what_begins_like_no_country_is_not_certain(digits: str) -> None:
    assert not numbering.is_certain(digits)

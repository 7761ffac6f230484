"""The world's numbering plans: a regular expression for each calling code, made of phonenumbers' metadata.

phonenumbers decides whether a number is valid in some forty steps. Most numbers need one: the plan of their
calling code, matched as a whole. It is made when the first number of the code is met. What it does not
match may be valid all the same, and is left to the library.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from messenger_api.domain.later import Later
from messenger_api.domain.renumbered import RENUMBERINGS

if TYPE_CHECKING:
    import phonenumbers
    from phonenumbers import PhoneMetadata
    from phonenumbers.phonemetadata import PhoneNumberDesc
else:
    phonenumbers = Later("phonenumbers")

_LONGEST_CODE = 3
# The most common kind comes first: the first that matches ends the search.
_KINDS = (
    "mobile",
    "fixed_line",
    "voip",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
)


def is_certain(digits: str) -> bool:
    """Whether phonenumbers finds `+` and these ASCII digits valid, and reads them as they stand.

    False means that it has to be asked. Numbers that may be of a plan which their country has left, or may
    begin with a trunk prefix, are not certain.
    """
    plan = _plan(digits[:_LONGEST_CODE])
    return plan is not None and plan.fullmatch(digits) is not None


def by_trunk_zero(digits: str, country: str) -> str:
    """What `0` and more digits mean in a country where a zero is dialled in front at home, with its code.

    "" where they do not begin so, or the country dials otherwise.
    """
    code = _code_behind_zero(country)
    return f"{code}{digits[1:]}" if code and digits.startswith("0") else ""


@lru_cache(maxsize=512)
def _code_behind_zero(country: str) -> int:
    """The calling code of a country whose trunk prefix is a zero and nothing else; 0 for others.

    Countries that share their code with a larger one have plans of their own, and are among the others.
    """
    code = phonenumbers.country_code_for_region(country)
    plan = phonenumbers.PhoneMetadata.metadata_for_region(country, None)
    if plan is None or phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code][0] != country:
        return 0
    is_plain = plan.national_prefix_for_parsing == "0" and not plan.national_prefix_transform_rule
    return code if is_plain and plan.international_prefix == "00" else 0


def countries_of(digits: str) -> tuple[str, ...]:
    """The countries that have the calling code of a number in E.164, the main one first; none for no code.

    phonenumbers' "001" for a code that belongs to no country.
    """
    code = _code(digits[:_LONGEST_CODE])
    return phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code] if code else ()


@cache
def _code(start: str) -> int:
    """The calling code that digits begin with; 0 for none."""
    codes = (int(start[:length]) for length in range(1, len(start) + 1))
    return next((code for code in codes if code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE), 0)


@cache
def _plan(start: str) -> re.Pattern[str] | None:
    """The certain numbers of the calling code that `start` begins with; None if it begins with none."""
    code = _code(start)
    if not code or start.startswith("0"):
        return None
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
    metadata = [
        phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(code, region) for region in regions
    ]
    plans = [plan for plan in metadata if plan is not None]
    old = (change.old.pattern for change in RENUMBERINGS.get(code, ()))
    return re.compile(
        rf"{code}{_without_trunk_prefix(code, plans)}{_none_of(old)}(?:{_valid(plans)})", re.ASCII
    )


def _without_trunk_prefix(code: int, plans: list[PhoneMetadata]) -> str:
    """Nothing that the code's main country may take for a trunk prefix or a carrier's code stands next.

    The prefixes of some match nothing at all, too, which is none.
    """
    prefix = plans[0].national_prefix_for_parsing if plans else None
    return rf"(?!(?:{prefix})(?<!\A{code}))" if prefix else ""


def _none_of(patterns: Iterable[str]) -> str:
    return "".join(rf"(?!(?:{pattern})\Z)" for pattern in patterns)


def _valid(plans: list[PhoneMetadata]) -> str:
    """The valid national numbers of all countries that share a code.

    The first country whose leading digits a number has decides; one without decides what it finds valid.
    """
    alternatives, others = [], ""
    for plan in plans:
        begins = f"(?={plan.leading_digits})" if plan.leading_digits and len(plans) > 1 else ""
        alternatives.append(f"{others}{begins}{_of_country(plan)}")
        others += f"(?!{plan.leading_digits})" if begins else ""
    return "|".join(alternatives)


def _of_country(plan: PhoneMetadata) -> str:
    kinds = [getattr(plan, kind) for kind in _KINDS]
    return f"(?={_described(plan.general_desc)}\\Z)(?:{'|'.join(filter(None, map(_described, kinds)))})"


def _described(kind: PhoneNumberDesc | None) -> str:
    """The numbers of a kind; "" if it has none."""
    if kind is None or not kind.national_number_pattern:
        return ""
    lengths = "|".join(rf"\d{{{length}}}" for length in kind.possible_length)
    return (rf"(?=(?:{lengths})\Z)" if lengths else "") + f"(?:{kind.national_number_pattern})"

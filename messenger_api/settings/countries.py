"""Countries in the configuration, by their ISO 3166-1 codes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import phonenumbers

from messenger_api.settings.conversions import Unacceptable, Verbatim, as_texts, seconds

# Countries by their ISO 3166-1 codes: those with telephone numbers, and those without.
COUNTRIES = phonenumbers.SUPPORTED_REGIONS | {"AQ", "BV", "GS", "HM", "PN", "TF", "UM"}
# What people write instead of the code, and the European Union does for Greece.
MISTAKEN = {"UK": "GB", "EN": "GB", "EL": "GR"}
EVERYWHERE = "*"


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


def as_prices(value: object) -> tuple[tuple[str, float], ...]:
    """Countries and the price of a text, or a call, to each."""
    wanted = 'countries and prices such as {"IN": 0.08, "DE": 0.09}'
    if not isinstance(value, Mapping):
        raise Unacceptable(wanted)
    try:
        return tuple((as_country(code), seconds(0, 100)(price)) for code, price in value.items())
    except Unacceptable:
        raise Unacceptable(wanted) from None

"""Countries in the configuration, by their ISO 3166-1 codes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from messenger_api.settings.conversions import Unacceptable, Verbatim, as_texts, seconds

# Countries by their ISO 3166-1 codes, those without telephone numbers and three that phonenumbers tells apart
# (AC, TA, XK) among them: to load it for its list would take a tenth of a command's start.
_CODES = """
AC AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS
BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG
EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR
HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR
LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG
NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE
SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TA TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ
UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW
"""
COUNTRIES = frozenset(_CODES.split())
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

"""Countries that gave their subscribers new numbers while phone books kept the old ones.

The numbering plans of phonenumbers hold today's numbers alone. A number in an old form means the same
subscriber under today's, so it is read as that; the account's address is always today's.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Renumbering:
    """One change of a country's plan.

    `old` matches the whole of an old national number; `new` is what takes its place, as for `re.sub`.
    """

    since: dt.date
    old: re.Pattern[str]
    new: str | Callable[[re.Match[str]], str]


# Mobile prefixes, the old three digits and the new two (Ministry of Information and Communications, 2018).
_VIETNAM = {
    "120": "70",
    "121": "79",
    "122": "77",
    "126": "76",
    "128": "78",
    "123": "83",
    "124": "84",
    "125": "85",
    "127": "81",
    "129": "82",
    **{f"16{digit}": f"3{digit}" for digit in "23456789"},
    "186": "58",
    "188": "56",
    "199": "59",
}
# The second digit told the operator, whose two digits stand in front since (ARTCI, 2021).
_IVORY_COAST = {**dict.fromkeys("0123", "01"), **dict.fromkeys("456", "05"), **dict.fromkeys("789", "07")}


def _renumbering(since: str, old: str, new: str | Callable[[re.Match[str]], str]) -> Renumbering:
    return Renumbering(dt.date.fromisoformat(since), re.compile(old), new)


RENUMBERINGS: dict[int, tuple[Renumbering, ...]] = {
    # A 1 in front of mobiles from abroad; 044, 045 and 01 at home, and in phone books behind +52 too.
    52: (_renumbering("2019-08-03", r"(?:0?1|0?4[45])(\d{10})", r"\1"),),
    # The zone's digit and seven more; those of 46 have eight digits today, too.
    57: (_renumbering("2021-09-01", r"(?!46)[124-8][2-9]\d{6}", r"60\g<0>"),),
    84: (_renumbering("2018-09-15", r"(1\d\d)(\d{7})", lambda m: _VIETNAM.get(m[1], m[1]) + m[2]),),
    225: (_renumbering("2021-01-31", r"([04-9])(\d)(\d{6})", lambda m: _IVORY_COAST[m[2]] + m[0]),),
    229: (_renumbering("2024-11-30", r"\d{8}", r"01\g<0>"),),
    230: (_renumbering("2013-09-01", r"[79]\d{6}", r"5\g<0>"),),
    237: (
        _renumbering("2014-11-21", r"[23]\d{7}", r"2\g<0>"),
        _renumbering("2014-11-21", r"[5-9]\d{7}", r"6\g<0>"),
    ),
    # Old numbers were written with their zero, from abroad too.
    241: (
        _renumbering("2019-11-15", r"0?(1\d{6})", r"1\1"),
        _renumbering("2019-11-15", r"0?([256]\d{6})", r"6\1"),
        _renumbering("2019-11-15", r"0?([47]\d{6})", r"7\1"),
    ),
}
"""By country calling code."""


def todays(country_code: int, national: str) -> str | None:
    """Today's national number of a subscriber whose old one this is; None when it has no old form."""
    for change in RENUMBERINGS.get(country_code, ()):
        if change.old.fullmatch(national):
            now = change.old.sub(change.new, national)
            return now if now != national else None
    return None

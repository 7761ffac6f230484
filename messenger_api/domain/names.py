"""Texts that other people read, without the characters that nobody sees.

A name travels to followers' phones, into the names of groups and onto operators' screens. What moves a
cursor, turns the direction of what follows or shows nothing at all is taken out of it: controls, marks of
direction, fillers, joiners that join nothing. What belongs to a visible sign stays: joiners, variation
selectors and tags of emoji (Unicode Technical Standard 51), joiners within scripts that write with them
(Unicode Standard, chapter 23.2), variation selectors of ideographs and Mongolian letters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import islice

# Letters and marks that a joiner or non-joiner may follow: the scripts from Arabic to Khmer and Mongolian.
_JOINING = (
    "\u0600-\u08ff\u0900-\u109f\u1780-\u18af\u1900-\u1cff\ua840-\uabff\ufb50-\ufdff\ufe70-\ufefc"
    "\U00010a00-\U00011fff\U0001e900-\U0001e95f"
)
_IDEOGRAPHS = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_EMOJI = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u27bf\u2900-\u297f\u2b00-\u2bff"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
_ONE_EMOJI = f"[{_EMOJI}][\ufe0e\ufe0f]?[\U0001f3fb-\U0001f3ff]?\ufe0f?"
# Flags of England, Scotland and the like: a black flag, letters and digits as tags, the end of tags.
_TAGGED_FLAG = "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,8}\U000e007f"
_KEPT = (
    f"{_TAGGED_FLAG}|{_ONE_EMOJI}(?:\u200d{_ONE_EMOJI})*|[0-9#*]\ufe0f?\u20e3"
    f"|[{_JOINING}][\u200c\u200d\ufe00]|[\u1820-\u18aa][\u180b-\u180d\u180f]|[{_IDEOGRAPHS}][{_SELECTORS}]"
)
# Beside the categories below: what Unicode calls "default ignorable", and what stands for nothing.
_INVISIBLE = (
    "\u034f\u115f\u1160\u200c\u200d\u17b4\u17b5\u180b-\u180f\u2028\u2029\u2065\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufffc"
    "\ufdd0-\ufdef\ufffe\uffff\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_SEEN = re.compile(f"({_KEPT})|[{_INVISIBLE}]")
# Controls, and half a character. Formats that show: signs that stand before a number in Arabic and Kaithi,
# and what arranges hieroglyphs.
_CONTROLS = frozenset({"Cc", "Cf", "Cs"})
_SHOWN_FORMATS = re.compile(
    "[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd\U00013430-\U0001343f]"
)
_JOINERS = re.compile("[\u200c\u200d\U000e0020-\U000e007f]")
_NOTHING = frozenset({"Mn", "Me", "Mc", "Zs", "Zl", "Zp", *_CONTROLS})
_BLANK_BRAILLE = "\u2800"
_LINE_ENDS = "\r\n"
# No name has so many digits, and every phone number with its country code has.
DIGITS_OF_NUMBER = 7


def cleaned(text: str, *, lines: bool = False) -> str:
    """The text without invisible characters and blanks around it; "" when nothing is left to see.

    `lines` keeps line ends, as a status has them.
    """
    if text.isascii() and text.isprintable():
        return text.strip()
    kept = "".join(char for char in text if not _controls(char) or (lines and char in _LINE_ENDS))
    kept = _SEEN.sub(_kept, kept)
    return kept.strip() if any(map(_shows, kept)) else ""


def of_group(members: Iterable[str], longest: int) -> str:
    """What to call a group that nobody named: the first three names of its members, in so many characters.

    "" when none of them has one. A name that is a number is none: it would tell members each other's.
    """
    told = list(islice((name for name in map(cleaned, members) if name and not _is_number(name)), 3))
    while len(told) > 1 and len(", ".join(told)) > longest:
        told.pop()
    return ", ".join(told)[:longest]


def _is_number(name: str) -> bool:
    """Whether a name is a number, or holds one: digits without letters, or as many as phone numbers have."""
    digits = sum(map(str.isdigit, name))
    return digits >= DIGITS_OF_NUMBER or (digits > 0 and not any(map(str.isalpha, name)))


def _controls(char: str) -> bool:
    """Whether a character goes wherever it stands; joiners and tags are looked at with their neighbours."""
    if unicodedata.category(char) not in _CONTROLS:
        return False
    return not (_JOINERS.match(char) or _SHOWN_FORMATS.match(char))


def _kept(found: re.Match[str]) -> str:
    return found[1] or ""


def _shows(char: str) -> bool:
    return unicodedata.category(char) not in _NOTHING and char != _BLANK_BRAILLE

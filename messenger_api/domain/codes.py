"""One-time codes as people type them and as apps send them."""

from __future__ import annotations

import unicodedata

# General categories (Unicode Standard, 4.5) that hold no digit: blanks, punctuation with its dashes and dots,
# marks such as those of keycaps, controls, and formats with the marks of direction.
_BESIDE = ("Z", "P", "M", "C")
# Dashes among the signs, and letters and signs that are blanks.
_SIGNS = frozenset("\u2212\u207b\u208b\u2796\u02d7\u00b7\u2800\u3164\uffa0\u115f\u1160")


class Number(str):
    """A secret that came as a JSON number: as a code it has lost the zeros in front."""

    __slots__ = ()


def read_code(entered: str, length: int) -> str:
    """A code in ASCII digits, of whatever decimal digits it was typed in, and whatever stood between them.

    What holds anything else is no code and comes back as it is, without blanks around it: whoever typed it is
    told that it is wrong. A `Number` is padded to `length`.
    """
    text = entered.strip()
    kept = [char for char in text if char not in _SIGNS and unicodedata.category(char)[0] not in _BESIDE]
    digits = [unicodedata.decimal(char, None) for char in kept]
    if not digits or None in digits:
        return text
    code = "".join(map(str, digits))
    return code.zfill(length) if isinstance(entered, Number) else code

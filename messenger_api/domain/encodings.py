"""From bytes to texts as apps really send them: mostly UTF-8, sometimes cut, sometimes something older."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TypeVar

import msgspec

T = TypeVar("T")

UTF8 = "utf-8"
# What bytes that cannot be UTF-8 are taken for, when nobody says what they are.
WESTERN = "cp1252"
# HTTP libraries write these without asking: what can be UTF-8 is read as that all the same.
_ASSUMED = frozenset({"ascii", "iso8859-1", WESTERN})
# What is read when a label says so, beside UTF-8. What else Python knows is no encoding of texts, or takes
# quadratic time.
WIDE = frozenset({"utf-16", "utf-16-be", "utf-16-le", "utf-32", "utf-32-be", "utf-32-le"})
_READ = frozenset(
    {
        *WIDE,
        *(f"iso8859-{part}" for part in (*range(2, 12), *range(13, 17))),
        *(f"cp125{page}" for page in range(9)),
        "koi8-r", "koi8-u", "tis-620", "cp874", "shift_jis", "cp932", "euc_jp", "iso2022_jp",
        "euc_kr", "cp949", "gb2312", "gbk", "gb18030", "big5", "big5hkscs",
    }
)  # fmt: skip
# As bytes of a body begin; the longer marks first.
_MARKS = (
    (codecs.BOM_UTF8, UTF8),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Where zeros stand around a first character of ASCII; True is a zero.
_ZEROS: Mapping[tuple[bool, ...], str] = {
    (False, True, True, True): "utf-32-le",
    (True, True, True, False): "utf-32-be",
    (False, True, False, True): "utf-16-le",
    (True, False, True, False): "utf-16-be",
}
LOST = "\ufffd"
# What a JSON text shall be. To look a type up takes longer than to decode, so a decoder is made of it once.
OBJECT = msgspec.json.Decoder(dict[str, object])
ARRAY = msgspec.json.Decoder(list)
# How msgspec says that a number is too large for it.
OUT_OF_RANGE = "out of range"
# Digits of an integer; one that has more is a number beyond any range.
LONGEST_NUMBER = 40
# In JSON: an escaped backslash, a whole pair, and what is half of one.
_ESCAPES = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)


@lru_cache(maxsize=64)
def known(charset: str) -> str:
    """The name by which `text` knows an encoding; "" for UTF-8 and what nobody writes texts in."""
    try:
        name = codecs.lookup(charset.strip("\"' ")[:40]).name
    except (LookupError, ValueError):
        return ""
    return WESTERN if name in _ASSUMED else name if name in _READ else ""


def in_utf8(data: bytes) -> bytes:
    """The same text without a byte order mark, in UTF-8 if it was UTF-16 or UTF-32."""
    if data[:1] not in b"\xef\xff\xfe" and b"\x00" not in data[:4]:
        return data
    for mark, name in _MARKS:
        if data.startswith(mark):
            data = data[len(mark) :]
            return data if name == UTF8 else _wide(data, name)
    wide = _ZEROS.get(tuple(byte == 0 for byte in data[:4]))
    return _wide(data, wide) if wide else data


def _wide(data: bytes, name: str) -> bytes:
    return data.decode(name, "replace").encode()


def text(data: bytes, charset: str = "") -> str:
    """A text that was written in `charset`, as `known` names it, or in nobody knows what.

    Never fails, and holds no half of a surrogate pair: what cannot be read is U+FFFD.
    """
    if charset not in ("", WESTERN):
        return data.decode(charset, "replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        pass
    try:
        return _paired(data.decode(UTF8, "surrogatepass"))
    except UnicodeDecodeError:
        pass
    # A text that was cut within a character has others that are whole; one in an older encoding has none.
    lenient = data.decode(UTF8, "replace")
    if lenient.replace(LOST, "").isascii():
        return data.decode(WESTERN, "replace")
    return lenient


def _paired(found: str) -> str:
    """Halves that stand together, as Java writes them, made one character; any other is lost."""
    return found.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _mended(escape: re.Match[bytes]) -> bytes:
    return b"\\ufffd" if escape[1] else escape[0]


def from_json(data: bytes, kind: msgspec.json.Decoder[T]) -> T:
    """Decode JSON in UTF-8. Halves of surrogate pairs, escaped or not, become U+FFFD.

    Raises:
        msgspec.DecodeError, UnicodeDecodeError, RecursionError: it is not JSON, or not of this kind.
    """
    try:
        return kind.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        mended = _paired(data.decode(UTF8, "surrogatepass")).encode()
        mended = _ESCAPES.sub(_mended, mended)
    try:
        return kind.decode(mended)
    except msgspec.DecodeError as error:
        if OUT_OF_RANGE not in str(error):
            raise
    found: T = msgspec.convert(_with_any_number(mended), kind.type)
    return found


def _with_any_number(data: bytes) -> object:
    """What JSON holds: its grammar bounds no number, and what is beyond any range is infinite here."""
    try:
        return json.loads(data, parse_int=_number, parse_float=float, parse_constant=_no_number)
    except ValueError as error:
        raise msgspec.DecodeError(str(error)) from None


def _number(digits: str) -> float:
    return int(digits) if len(digits) <= LONGEST_NUMBER else float(digits)


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")

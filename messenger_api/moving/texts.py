"""Texts of the PHP demo's database: bytes in whatever encoding they were written, as people meant them."""

from __future__ import annotations

import re

from messenger_api.domain.names import cleaned

# What mysql_real_escape_string writes (MySQL manual, C API), and what was meant.
_ESCAPES = {"'": "'", '"': '"', "\\": "\\", "n": "\n", "r": "\r", "0": "", "Z": ""}
_ESCAPE = re.compile(r"\\(['\"\\nr0Z])")
# Nobody types a backslash in front of a quote: where one stands, the text was escaped once too often.
_ESCAPED_QUOTE = re.compile(r"\\['\"]")


def decoded(raw: bytes) -> str:
    """Bytes as text: UTF-8, else the Western alphabet of Windows, which holds all of latin1."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace").replace("\ufffd", "")


def unescaped(text: str) -> str:
    """A text without the escapes of SQL, if it has any: `O\\'Neil` is O'Neil."""
    if not _ESCAPED_QUOTE.search(text):
        return text
    return _ESCAPE.sub(lambda found: _ESCAPES[found[1]], text)


def readable(raw: bytes, longest: int, *, lines: bool = False) -> str:
    """A name, or with `lines` a status, as it is kept here: visible characters, `longest` at most."""
    return cleaned(unescaped(decoded(raw)), lines=lines)[:longest].rstrip()

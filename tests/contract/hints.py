"""Reads the header of hints as any reader of structured field values would."""

from __future__ import annotations

import re

from werkzeug.test import TestResponse

HEADER = "X-Messenger-Hint"
MOST_BYTES = 2_000
_STRING = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"(?:, |$)')


def hints_of(response: TestResponse) -> list[str]:
    """The strings of an answer's hints: a list of RFC 9651 that fits beside other headers, or no header."""
    values = response.headers.getlist(HEADER)
    assert len(values) <= 1
    rest = values[0] if values else ""
    assert len(rest) <= MOST_BYTES
    found = []
    while rest:
        string = _STRING.match(rest)
        assert string, rest
        found.append(re.sub(r"\\(.)", r"\1", string[1]))
        rest = rest[string.end() :]
    return found

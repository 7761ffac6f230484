"""What is taken out of texts that are handed to others: secrets, numbers, codes, tokens, people."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping, Sequence

NUMBER, TOKEN, PERSON, SECRET = "[number]", "[token]", "[person]", "[secret]"

# Shorter ones stand in texts by chance.
SHORTEST_SECRET = 4
# Codes have six digits and more; numbers may be parted by blanks, hyphens, points and brackets after a plus.
_NUMBER = re.compile(r"\+[0-9](?:[ ()./-]*[0-9]){5,}|(?<![0-9A-Za-z._-])[0-9]{6,}(?![0-9A-Za-z_-])")
_USERINFO = re.compile(r"(?<=//)[^/@\s]+(?=@)")
_PERSON = re.compile(r"[^\s@'\"<>=(),:/]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
# Of letters and digits both: names of modules and events have letters alone.
_TOKEN = re.compile(r"(?=[A-Za-z_-]*[0-9])(?=[0-9_-]*[A-Za-z])[0-9A-Za-z_-]{16,}")
# The same where times, amounts and paths need not be kept: four digits and more, whatever people put between
# them; anything as long as a token; whatever stands around an @.
_ANY_NUMBER = re.compile(r"\+?[0-9](?:[ ().-]{0,2}[0-9]){3,}")
_ANY_TOKEN = re.compile(
    r"[0-9A-Za-z_+/=-]*[0-9][0-9A-Za-z_+/=-]{14,}|[0-9A-Za-z_+/=-]{14,}[0-9][0-9A-Za-z_+/=-]*|[^\W_]{32,}"
)
_ANY_PERSON = re.compile(r"[^\s@'\"<>]+@[^\s@'\"<>]+")
# Integers from this on have as many digits as a phone number.
_LONG = 100_000
# Fields whose numbers are unix seconds.
_TIME = re.compile(r"(^|_)(at|now|since|until|end|ends|first|last)$")


def redacted(text: str, secrets: Collection[str] = (), *, strict: bool = False) -> str:
    """The text without the `secrets`, and without whatever looks like a number, a token or a person.

    `strict`: also without what may be one, times and paths among it.
    """
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, SECRET)
    if strict:
        return _ANY_NUMBER.sub(NUMBER, _ANY_TOKEN.sub(TOKEN, _ANY_PERSON.sub(PERSON, text)))
    text = _USERINFO.sub(SECRET, text)
    text = _PERSON.sub(PERSON, text)
    return _NUMBER.sub(NUMBER, _TOKEN.sub(TOKEN, text))


def redacted_value(value: object, secrets: Collection[str] = (), field: str = "") -> object:
    """The same for what JSON is made of: times are written as such, long integers with commas."""
    if isinstance(value, Mapping):
        return {
            redacted(str(name), secrets): redacted_value(each, secrets, str(name))
            for name, each in value.items()
        }
    if isinstance(value, str):
        return redacted(value, secrets)
    if isinstance(value, Sequence):
        return [redacted_value(each, secrets, field) for each in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _LONG:
        return dt.datetime.fromtimestamp(value, dt.UTC).isoformat() if _TIME.search(field) else f"{value:,}"
    return value

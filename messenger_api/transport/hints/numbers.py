"""Hints about the numbers of a list: which of them could not be read."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import msgspec

from messenger_api.domain.encodings import ARRAY, from_json
from messenger_api.ops.binding import entry
from messenger_api.ops.groups import decoded
from messenger_api.services.record import Services
from messenger_api.transport.hints.asked import Asked, declared, listed
from messenger_api.transport.reading import LISTS

# So many entries of a list are looked at.
MOST_ENTRIES = 10_000


def hints(asked: Asked, services: Services) -> Iterator[str]:
    """Which entries of `phones` and `m` are no numbers, by their position, beginning with 1."""
    if asked.request is None or asked.operation is None or asked.call is None or asked.call.found is None:
        return  # who calls is not looked up for this
    country, own = asked.call.found.country, asked.call.found.contact_key
    for name in sorted(LISTS.intersection(declared(asked.operation), asked.request.fields)):
        value = asked.request.fields[name]
        encoded = asked.op == "setgroup"
        entries = list(islice(_entries(value, encoded=encoded), MOST_ENTRIES))
        yield from _unread(name, entries, services, country, left_out=not asked.error)
        if asked.op == "getcontacts":
            yield from _own(name, entries, services, country, own)


def _unread(
    name: str, entries: list[object], services: Services, country: str, *, left_out: bool
) -> Iterator[str]:
    unread = [
        str(position)
        for position, each in enumerate(entries, 1)
        if each != "" and (not isinstance(each, str) or not services.identities.key(each, country))
    ]
    if unread:
        word, it, was = ("entries", "they", "were") if len(unread) > 1 else ("entry", "it", "was")
        rest = f"; {it} {was} left out" if left_out else ""
        yield f"'{name}': {word} {listed(unread)} of {len(entries)} could not be read{rest}"


def _own(name: str, entries: list[object], services: Services, country: str, own: bytes) -> Iterator[str]:
    for position, each in enumerate(entries, 1):
        if isinstance(each, str) and services.identities.key(each, country) == own:
            yield f"'{name}': entry {position} is the caller's own number, who is no contact"


def _entries(value: object, *, encoded: bool) -> Iterator[object]:
    """The entries of a list however it was sent (`ops.binding`), blanks and what is no text among them."""
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, str):
            text = decoded(each.strip()) if encoded else each
            for part in _written_out(text) or text.split(","):
                yield part.strip() if isinstance(part, str) else part
        else:
            yield entry(each) or each


def _written_out(text: str) -> list[object]:
    """The entries of a JSON array in a text; none where it is not one."""
    if not text.lstrip().startswith("["):
        return []
    try:
        array = from_json(text.encode(), ARRAY)
    except (msgspec.DecodeError, RecursionError):
        return []
    parts = (each.split(",") if isinstance(each, str) else [entry(each) or each] for each in array)
    return [part for each in parts for part in each]

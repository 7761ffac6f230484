"""Lists that are longer than mesibo answers in one call.

mesibo gives 20 items and documents no way to ask for the next. But it takes a pattern, and one that finds 20
is split: `49*` into `490*`, `491*` and so on, and `49` itself.
"""

from __future__ import annotations

import string
from collections.abc import Generator, Sequence

from messenger_api.mesibo.errors import MesiboUnreachable
from messenger_api.mesibo.wire import ITEMS_PER_CALL

ALPHABET = string.digits + string.ascii_lowercase + "@._-+ "
"""Characters that a longer name goes on with. mesibo's match is taken to ignore case (inferred)."""

WILDCARD = "*"

Walk = Generator[str, Sequence[str], None]


def following(walk: Walk, found: Sequence[str]) -> str | None:
    """What to ask for next, once `found` was found; None at the end."""
    try:
        return walk.send(found)
    except StopIteration:
        return None


def patterns(pattern: str, alphabet: str) -> Walk:
    """Yields what to ask for; is sent the names that were found by it.

    Raises:
        MesiboUnreachable: `too many` where the items of a pattern cannot be told apart any further, or `bad
            answer` where the server does not look at the pattern.
    """
    waiting = [pattern]
    while waiting:
        asked = waiting.pop()
        found = yield asked
        if len(found) < ITEMS_PER_CALL:
            continue
        prefix = asked.removesuffix(WILDCARD)
        if not asked.endswith(WILDCARD) or WILDCARD in prefix:
            raise MesiboUnreachable("too many")
        if not all(name.casefold().startswith(prefix.casefold()) for name in found):
            raise MesiboUnreachable("bad answer")
        # Last in, first out: the name itself first, then the longer ones in their order.
        waiting += [prefix + letter + WILDCARD for letter in reversed(alphabet)]
        if prefix:
            waiting.append(prefix)

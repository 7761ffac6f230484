"""Lists that are longer than mesibo answers in one call.

mesibo gives 20 items and documents no way to ask for the next. But it takes a pattern, and one that finds 20
is split: `49*` into `490*`, `491*` and so on, and `49` itself.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from messenger_api.mesibo.errors import MesiboUnreachable
from messenger_api.mesibo.operation import Operation
from messenger_api.mesibo.ops import Group, GroupsGet, User, UsersGet
from messenger_api.mesibo.wire import ITEMS_PER_CALL

ALPHABET = string.digits + string.ascii_lowercase + "@._-+ "
"""Characters that a longer name goes on with. mesibo's match is taken to ignore case (inferred)."""

WILDCARD = "*"

Item = TypeVar("Item")


@dataclass(frozen=True)
class Listing(Generic[Item]):
    """What can be listed.

    Attributes:
        call: asks for at most 20 items of a pattern.
        name: what of an item the pattern is compared with.
        key: what no two items share.
    """

    call: Callable[[str], Operation[tuple[Item, ...]]]
    name: Callable[[Item], str | None]
    key: Callable[[Item], object]


USERS: Listing[User] = Listing(
    call=lambda pattern: UsersGet(address=pattern, count=ITEMS_PER_CALL),
    name=lambda user: user.address,
    key=lambda user: (user.address, user.appid),
)
GROUPS: Listing[Group] = Listing(
    call=lambda pattern: GroupsGet(name=pattern, count=ITEMS_PER_CALL),
    name=lambda group: group.name,
    key=lambda group: group.gid,
)


class Walk(Generic[Item]):
    """Yields the calls that find all items of a pattern. `new` is given the answer to each, before the next.

    It sends nothing, so that a client of either kind can go it.
    """

    def __init__(self, listing: Listing[Item], pattern: str, alphabet: str) -> None:
        self._listing = listing
        self._pattern = pattern
        self._alphabet = alphabet
        self._names: list[str] = []
        self._seen: set[object] = set()

    def __iter__(self) -> Iterator[Operation[tuple[Item, ...]]]:
        """The calls.

        Raises:
            MesiboUnreachable: `too many` where the items of a pattern cannot be told apart any further, or
                `bad answer` where the server does not look at the pattern.
        """
        waiting = [self._pattern]
        while waiting:
            asked = waiting.pop()
            yield self._listing.call(asked)
            if len(self._names) >= ITEMS_PER_CALL:
                waiting += self._longer(asked)

    def new(self, found: Sequence[Item]) -> list[Item]:
        """Of what the last call found, what none found before."""
        self._names = [self._listing.name(item) or "" for item in found]
        new: list[Item] = []
        for item in found:
            if (key := self._listing.key(item)) not in self._seen:
                self._seen.add(key)
                new.append(item)
        return new

    def _longer(self, asked: str) -> list[str]:
        """The patterns into which one is split, the last to be asked first."""
        prefix = asked.removesuffix(WILDCARD)
        if not asked.endswith(WILDCARD) or WILDCARD in prefix:
            raise MesiboUnreachable("too many")
        if not all(name.casefold().startswith(prefix.casefold()) for name in self._names):
            raise MesiboUnreachable("bad answer")
        # Last in, first out: the name itself first, then the longer ones in their order.
        longer = [prefix + letter + WILDCARD for letter in reversed(self._alphabet)]
        return [*longer, prefix] if prefix else longer

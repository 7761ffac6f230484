"""How often something may happen: pure rules over a small state that is kept as a text.

A rule looks at the state of one counter and says whether an amount more fits, and if not, in how many
seconds it will. Counting therefore reads one row, whatever the numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import msgspec

# A window is kept in this many slots. What lies in the oldest slot counts until the whole slot has left the
# window, so no stretch of time of that length ever holds more than allowed.
SLOTS = 60
# Seconds that sums of times in unix seconds may be off, as floats of that size are.
ROUNDING = 1e-4


@dataclass(frozen=True)
class Taken:
    """The state after a try; `wait` seconds until it would fit, 0 when it does. `used` counts it in."""

    state: str
    used: float
    wait: int = 0


class Rule(Protocol):
    """What all rules can do. `amount` is how many at once; `now` is in unix seconds."""

    @property
    def keeps(self) -> int:
        """Seconds after which an untouched state says nothing any more."""

    def take(self, state: str, now: float, amount: float = 1) -> Taken:
        """Try to count `amount` more."""

    def give_back(self, state: str, at: float, now: float, amount: float = 1) -> str:
        """Undo a `take` of the second `at` that came to nothing; what others took since is not touched."""


@dataclass(frozen=True)
class Window:
    """At most `most` in any `seconds`."""

    most: float
    seconds: int

    @property
    def keeps(self) -> int:
        """The window and the slot that is counted whole."""
        return self.seconds + self._slot

    @property
    def _slot(self) -> int:
        return max(1, math.ceil(self.seconds / SLOTS))

    def take(self, state: str, now: float, amount: float = 1) -> Taken:
        """See `Rule`."""
        slots = self._alive(state, now)
        used = sum(slots.values()) + amount
        wait = self._wait(slots, now, used - self.most) if used > self.most else 0
        here = int(now) // self._slot
        slots[here] = slots.get(here, 0) + amount
        return Taken(_written(slots), used, wait)

    def give_back(self, state: str, at: float, now: float, amount: float = 1) -> str:
        """See `Rule`."""
        slots, here = self._alive(state, now), int(at) // self._slot
        left = slots.pop(here, 0) - amount
        return _written({**slots, here: left} if left > 0 else slots)

    def count(self, state: str, now: float, *, but_last: int = 0) -> float:
        """How many there were, those of the last `but_last` seconds left out."""
        return sum(n for slot, n in self._alive(state, now).items() if slot * self._slot <= now - but_last)

    def _alive(self, state: str, now: float) -> dict[int, float]:
        slots = msgspec.json.decode(state, type=dict[int, float]) if state else {}
        return {slot: n for slot, n in slots.items() if (slot + 1) * self._slot > now - self.seconds}

    def _wait(self, slots: dict[int, float], now: float, too_many: float) -> int:
        """Seconds until enough of what is counted has left the window; the whole of it for an odd amount."""
        for slot in sorted(slots):
            too_many -= slots[slot]
            if too_many <= 0:
                return max(1, math.ceil((slot + 1) * self._slot + self.seconds - now))
        return self.seconds


@dataclass(frozen=True)
class Bucket:
    """`burst` at once, and one more every `each` seconds. The state is when the bucket will be full again."""

    burst: float
    each: float

    @property
    def keeps(self) -> int:
        """As long as a burst takes to come back."""
        return math.ceil(self.burst * self.each)

    def take(self, state: str, now: float, amount: float = 1) -> Taken:
        """See `Rule`."""
        full_at = max(float(state or 0), now) + amount * self.each
        wait = math.ceil(full_at - now - self.burst * self.each - ROUNDING)
        return Taken(repr(full_at), (full_at - now) / self.each, max(0, wait))

    def give_back(self, state: str, at: float, now: float, amount: float = 1) -> str:
        """See `Rule`. Less what has come back by itself meanwhile."""
        return repr(float(state or 0) - max(0.0, amount * self.each - (now - at)))


@dataclass(frozen=True)
class Period:
    """At most `most` until the second `ends_at`; the counter's name says which period it is."""

    most: float
    ends_at: int
    keeps: int

    def take(self, state: str, now: float, amount: float = 1) -> Taken:
        """See `Rule`."""
        used = float(state or 0) + amount
        wait = max(1, math.ceil(self.ends_at - now)) if used > self.most else 0
        return Taken(repr(used), used, wait)

    def give_back(self, state: str, at: float, now: float, amount: float = 1) -> str:
        """See `Rule`."""
        return repr(max(0.0, float(state or 0) - amount))


def _written(slots: dict[int, float]) -> str:
    whole = {slot: int(n) if n == int(n) else n for slot, n in slots.items()}
    return msgspec.json.encode(whole).decode()

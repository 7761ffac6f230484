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
# Clocks of several machines differ by less. What is dated further ahead was counted before a clock was put
# back, and binds nobody.
AHEAD = 60
# The part of a window that `count` can leave out has so many slots, of a second if these suffice.
YOUNG = 24


@dataclass(frozen=True)
class Taken:
    """The state after a try; `wait` seconds until it would fit, 0 when it does. `used` counts it in."""

    state: str
    used: float
    wait: int = 0


class Rule(Protocol):
    """What all rules can do.

    `amount` is how many at once; `now` is in unix seconds; `kept` is how much of the room is for others.
    """

    @property
    def most(self) -> float:
        """How many fit."""

    @property
    def keeps(self) -> int:
        """Seconds after which an untouched state says nothing any more."""

    def take(self, state: str, now: float, amount: float = 1, kept: float = 0) -> Taken:
        """Try to count `amount` more."""

    def uncount(self, state: str, at: float, now: float, amount: float = 1) -> str:
        """Undo a `take` of the second `at` that came to nothing; what others took since is not touched."""


@dataclass(frozen=True)
class Window:
    """At most `most` in any `seconds`.

    What is younger than `apart` seconds is kept to the second, so that `count` can leave some of it out.
    """

    most: float
    seconds: int
    apart: int = 0

    @property
    def keeps(self) -> int:
        """The window and the slot that is counted whole."""
        return self.seconds + self._slot

    @property
    def _slot(self) -> int:
        return max(1, math.ceil(self.seconds / SLOTS))

    def take(self, state: str, now: float, amount: float = 1, kept: float = 0) -> Taken:
        """Count `amount` in the slot of `now`; the wait lasts until enough has left the window."""
        slots = self._alive(state, now)
        used = sum(slots.values()) + amount
        too_many = used + kept - self.most
        wait = self._wait(slots, now, too_many) if too_many > 0 else 0
        here = -int(now) if self.apart else int(now) // self._slot
        slots[here] = slots.get(here, 0) + amount
        return Taken(_written(_thinned(slots)), used, wait)

    def uncount(self, state: str, at: float, now: float, amount: float = 1) -> str:
        """Take `amount` out of the slot of `at`, if it still counts."""
        slots = self._alive(state, now)
        # The second itself, or the later one that it was thinned into.
        young = [key for key in slots if key < 0 and -key >= int(at)]
        here = max(young) if young else int(at) // self._slot
        left = slots.pop(here, 0) - amount
        return _written({**slots, here: left} if left > 0 else slots)

    def count(self, state: str, now: float, *, but_last: int = 0) -> float:
        """How many there were, those of the last `but_last` seconds left out, at most `apart` of them."""
        alive = self._alive(state, now)
        return sum(n for key, n in alive.items() if not but_last or self._begins(key) <= now - but_last)

    def _alive(self, state: str, now: float) -> dict[int, float]:
        """What still counts, by slot; what is young by its second, as a negative number."""
        alive: dict[int, float] = {}
        for found, n in (msgspec.json.decode(state, type=dict[int, float]) if state else {}).items():
            key = -found // self._slot if found < 0 and -found <= now - self.apart else found
            if now - self.seconds < self._ends(key) and self._begins(key) <= now + AHEAD:
                alive[key] = alive.get(key, 0) + n
        return alive

    def _begins(self, key: int) -> int:
        return -key if key < 0 else key * self._slot

    def _ends(self, key: int) -> int:
        return 1 - key if key < 0 else (key + 1) * self._slot

    def _wait(self, slots: dict[int, float], now: float, too_many: float) -> int:
        """Seconds until enough of what is counted has left the window; the whole of it for an odd amount."""
        for key in sorted(slots, key=self._ends):
            too_many -= slots[key]
            if too_many <= 0:
                # What is young will have moved into a slot by then.
                whole = key if key >= 0 else -key // self._slot
                return max(1, math.ceil(self._ends(whole) + self.seconds - now))
        return self.seconds


@dataclass(frozen=True)
class Bucket:
    """`burst` at once, and one more every `each` seconds. The state is when the bucket will be full again."""

    burst: float
    each: float

    @property
    def most(self) -> float:
        """The whole of a burst."""
        return self.burst

    @property
    def keeps(self) -> int:
        """As long as a burst takes to come back."""
        return math.ceil(self.burst * self.each)

    def take(self, state: str, now: float, amount: float = 1, kept: float = 0) -> Taken:
        """Put off by `amount` when the bucket is full again; the wait lasts until there is room."""
        full_at = max(float(state or 0), now) + amount * self.each
        wait = math.ceil(full_at + (kept - self.burst) * self.each - now - ROUNDING)
        return Taken(repr(full_at), (full_at - now) / self.each, max(0, wait))

    def believed(self, state: str, now: float) -> str:
        """The state, or "" for one that is beyond full: it was written before a clock was put back."""
        return state if float(state or 0) <= now + self.burst * self.each + AHEAD else ""

    def uncount(self, state: str, at: float, now: float, amount: float = 1) -> str:
        """Bring forward when it is full again, by what of `amount` has not come back since `at`."""
        return repr(float(state or 0) - max(0.0, amount * self.each - (now - at)))


@dataclass(frozen=True)
class Period:
    """At most `most` until the second `ends_at`; the counter's name says which period it is."""

    most: float
    ends_at: int
    keeps: int

    def take(self, state: str, now: float, amount: float = 1, kept: float = 0) -> Taken:
        """Add `amount`; the wait lasts until the period ends."""
        used = float(state or 0) + amount
        wait = max(1, math.ceil(self.ends_at - now)) if used + kept > self.most else 0
        return Taken(repr(used), used, wait)

    def uncount(self, state: str, at: float, now: float, amount: float = 1) -> str:
        """Subtract `amount`, down to 0."""
        return repr(max(0.0, float(state or 0) - amount))


def _thinned(slots: dict[int, float]) -> dict[int, float]:
    """With few enough seconds: those of a short span become its last one."""
    span = 1
    while sum(key < 0 for key in slots) > YOUNG:
        span *= 2
        found, slots = slots, {}
        for key, n in found.items():
            last = key if key >= 0 else 1 - (-key // span + 1) * span
            slots[last] = slots.get(last, 0) + n
    return slots


def _written(slots: dict[int, float]) -> str:
    whole = {slot: int(n) if n == int(n) else n for slot, n in slots.items()}
    return msgspec.json.encode(whole).decode()

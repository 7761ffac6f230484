"""Whether the clock of this machine was set back: what was stamped before is then later than what follows.

The clock that only goes on tells by how much, and since when at most, however late somebody looks.
"""

from __future__ import annotations

import math
from typing import NamedTuple

# By more than that neither do the clocks of two machines differ, nor is one set back without a word.
CLOCK_SECONDS = 5


class SetBack(NamedTuple):
    """The clock was set back by so many seconds; `to`: the earliest second that was stamped since."""

    to: int
    seconds: int


class SetBacks:
    """Those that a process has noticed, the last one last."""

    def __init__(self) -> None:
        self.found: list[SetBack] = []
        # The most by which the clock was ahead of the steady one, and when that was looked at last.
        self._ahead = -math.inf
        self._looked = math.inf

    def look(self, wall: float, steady: float) -> None:
        """Compare unix seconds with those of a clock that is never set."""
        ahead, since = wall - steady, max(0.0, steady - self._looked)
        self._looked = steady
        if ahead > self._ahead:
            self._ahead = ahead
        elif ahead < self._ahead - CLOCK_SECONDS:
            self.found.append(SetBack(int(wall - since), round(self._ahead - ahead)))
            self._ahead = ahead

    def count(self) -> int:
        """How many there were; for `earliest`, later."""
        return len(self.found)

    def earliest(self, seen: int) -> SetBack | None:
        """Of those behind the first `seen`, the one to the earliest second; None: there is none."""
        return min(self.found[seen:], default=None)

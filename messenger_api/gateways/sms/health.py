"""Which provider to try first: the configured order, with those that failed behind the others.

A provider that fails goes to the end for `FIRST_PAUSE` seconds, then for twice as long with every further
failure, at most `LONGEST_PAUSE`. When the pause is over, one message tries it in its old place; until that
one is answered the others go on passing it by. Behind the others it is still there: when all else fails it
is asked as well, and a success at any time brings it back.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

FIRST_PAUSE = 30.0
LONGEST_PAUSE = 300.0


@dataclass
class _Backoff:
    pause: float
    until: float
    probing: bool = False


class Health:
    """What the last attempts say of each provider. Used by several threads at a time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._backoffs: dict[str, _Backoff] = {}
        self._lock = threading.Lock()

    def order(self, names: Iterable[str]) -> Iterator[str]:
        """These providers in the order in which to try them.

        Lazy, and to be used so: a provider whose pause is over is claimed as the caller comes to it,
        so that a probe is only taken by who makes it.
        """
        last = []
        for name in names:
            if self._claim(name):
                yield name
            else:
                last.append(name)
        yield from last

    def failed(self, name: str) -> None:
        """The provider had a fault of its own."""
        with self._lock:
            now, backoff = self._clock(), self._backoffs.get(name)
            if backoff is None:
                self._backoffs[name] = _Backoff(FIRST_PAUSE, now + FIRST_PAUSE)
            elif backoff.probing:
                pause = min(2 * backoff.pause, LONGEST_PAUSE)
                self._backoffs[name] = _Backoff(pause, now + pause)
            # Else many failed at the same moment, which is one outage and not many.

    def succeeded(self, name: str) -> None:
        """The provider did its work."""
        with self._lock:
            self._backoffs.pop(name, None)

    def _claim(self, name: str) -> bool:
        with self._lock:
            now, backoff = self._clock(), self._backoffs.get(name)
            if backoff is None:
                return True
            if now < backoff.until:
                return False
            # Whoever probes may die over it: the next may then try after another pause.
            backoff.probing, backoff.until = True, now + backoff.pause
            return True

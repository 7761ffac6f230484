"""What counts in a process, in memory and for all its threads."""

from __future__ import annotations

import re
import threading
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from messenger_api.domain.figures import MILLION, SUM, Figure

OTHER = "other"
"""What stands for a label that is none, and for those of a figure that has too many series."""

# Of one figure in one process: ten providers, 60 countries each, every outcome.
MOST_SERIES = 4_000

# Seconds that were told and not sorted in yet: some kilobytes, and as many as take a millisecond.
MOST_TOLD = 4_000

# No digits alone: a number of a person is no label, wherever it comes from.
_is_label = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9_.-]{1,32}", re.ASCII).fullmatch

# In the values of a series, those of a histogram's seconds and of the second in which it last grew.
_SUM, _LAST = -2, -1


@dataclass(frozen=True)
class Growth:
    """By how much a part of a series (`Figure.parts`) has grown, and in which second last."""

    figure: Figure
    labels: tuple[str, ...]
    value: int
    last_at: int


_Growths = dict[tuple[Figure, tuple[str, ...]], Growth]


class Accumulator:
    """Counts until somebody takes what was counted."""

    def __init__(self, now: Callable[[], int]) -> None:
        """`now`: the current unix second."""
        self._now = now
        self._lock = threading.Lock()
        self._grown: dict[tuple[Figure, tuple[str, ...]], list[float]] = {}
        self._kept: _Growths = {}
        self._known: dict[Figure, set[tuple[str, ...]]] = {}
        self._told: deque[tuple[Figure, float, tuple[str, ...]]] = deque()
        self._tell = self._told.append

    def count(self, figure: Figure, *labels: str, by: int = 1) -> None:
        """A counter grows; a label for each of the declaration's."""
        with self._lock:
            grown = self._grown.get((figure, labels)) or self._begin(figure, labels)
            grown[0] += by
            grown[_LAST] = self._now()

    def observe(self, figure: Figure, seconds: float, *labels: str) -> None:
        """A histogram gets another value, and its counter (`Figure.counted`) grows; `labels` of that one.

        This stands in the way of every request, so it is only kept, without a lock, which a deque needs not;
        whoever takes what was counted sorts it in, or else every so many requests.
        """
        self._tell((figure, seconds, labels))
        if len(self._told) >= MOST_TOLD:
            with self._lock:
                self._sort_in()

    def close(self) -> None:
        """Let go of what is open: nothing, here."""

    def take(self) -> list[Growth]:
        """What was counted since the last time, and what was given back."""
        with self._lock:
            self._sort_in()
            grown, found = self._grown, self._kept
            self._grown, self._kept = {}, {}
        now = self._now()
        for (figure, labels), values in grown.items():
            for growth in _growths(figure, labels, values, int(values[_LAST]) or now):
                _add(found, growth)
        return list(found.values())

    def give_back(self, growths: Iterable[Growth]) -> None:
        """Count once more what was taken and could not be kept."""
        with self._lock:
            for growth in growths:
                _add(self._kept, growth)

    def _sort_in(self) -> None:
        """Each into its place of a histogram; under the lock."""
        told, known = self._told, self._grown
        for _ in range(len(told)):
            figure, seconds, labels = told.popleft()
            grown = known.get((figure, labels)) or self._begin(figure, labels)
            # Nearly all are in the first.
            grown[0 if seconds <= figure.bounds[0] else bisect_left(figure.bounds, seconds)] += 1
            grown[_SUM] += seconds

    def _begin(self, figure: Figure, labels: tuple[str, ...]) -> list[float]:
        """The values of a series that may not have grown yet, by the labels under which it is counted."""
        clean = tuple(label if _is_label(label) else OTHER for label in labels)
        known = self._known.setdefault(figure, set())
        if clean not in known and len(known) >= MOST_SERIES:
            clean = (OTHER,) * len(labels)
        known.add(clean)
        return self._grown.setdefault((figure, clean), [0.0] * (len(figure.parts) + 1))


def _growths(figure: Figure, labels: tuple[str, ...], values: list[float], last_at: int) -> Iterator[Growth]:
    """The parts of a series that have grown, and the counter that has grown with it."""
    own = labels[: len(figure.labels)]
    for part, value in zip(figure.parts, values, strict=False):
        if whole := round(value * MILLION) if part == (SUM,) else int(value):
            yield Growth(figure, own + part, whole, last_at)
    if figure.counted:
        yield Growth(figure.counted, labels, int(sum(values[:_SUM])), last_at)


def _add(found: _Growths, growth: Growth) -> None:
    known = found.get((growth.figure, growth.labels))
    if known:
        last_at = max(known.last_at, growth.last_at)
        growth = replace(growth, value=known.value + growth.value, last_at=last_at)
    found[growth.figure, growth.labels] = growth

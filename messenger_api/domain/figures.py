"""The figures: everything that is counted, declared once, and what counts it in a process.

Labels come from closed sets: ops, error codes, ISO countries, names of providers and of limits. So there is a
bounded number of series, and none is named after a person.
"""

from __future__ import annotations

import re
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

OTHER = "other"
"""What stands for a label that is none, and for those of a figure that has too many series."""

SUM = "sum"
"""Of a histogram, the series of all seconds together, in millionths; beside one for each bound."""
INFINITY = "+Inf"

MILLION = 1_000_000
# Of one figure in one process: ten providers, 60 countries each, every outcome.
MOST_SERIES = 4_000

# No digits alone: a number of a person is no label, wherever it comes from.
_LABEL = re.compile(r"(?=.*[A-Za-z?_])[A-Za-z0-9_.?-]{1,32}", re.ASCII).fullmatch


class Kind(StrEnum):
    """What Prometheus calls it. A gauge is read where it is shown, the others are kept in the database."""

    COUNTER = "counter"
    HISTOGRAM = "histogram"
    GAUGE = "gauge"


@dataclass(frozen=True)
class Figure:
    """A declaration. `name` is without Prometheus' endings; `bounds` are those of a histogram, in seconds."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()

    @property
    def places(self) -> tuple[str, ...]:
        """The name of each bucket of a histogram, as its last label tells it."""
        return (*(f"{bound:g}" for bound in self.bounds), INFINITY)


def _counter(name: str, help_: str, *labels: str) -> Figure:
    return Figure(f"messenger_{name}", Kind.COUNTER, help_, labels)


MESIBO_CALLS = _counter(
    "mesibo_calls",
    "Calls of mesibo's backend API; outcome: ok, unreachable, refused, token_refused, breached.",
    "op",
    "outcome",
)
TEXTS = _counter(
    "texts",
    "Texts and calls that providers were asked to send; outcome: sent, unknown, refused, fraud,"
    " wrong_channel, unavailable.",
    "provider",
    "country",
    "outcome",
)
TEXT_RECEIPTS = _counter(
    "text_receipts",
    "What became of texts that were sent; outcome: delivered, failed, missing.",
    "provider",
    "country",
    "outcome",
)

FIGURES: tuple[Figure, ...] = (MESIBO_CALLS, TEXTS, TEXT_RECEIPTS)
"""All that processes count."""


@dataclass(frozen=True)
class Growth:
    """By how much a series has grown, and in which second last. `labels` as `labelled` writes them."""

    name: str
    labels: str
    value: int
    last_at: int


def labelled(labels: Iterable[str]) -> str:
    """Labels as they are kept: in the declaration's order, with a comma between."""
    return ",".join(labels)


def parted(labels: str) -> tuple[str, ...]:
    """Labels that `labelled` wrote."""
    return tuple(labels.split(",")) if labels else ()


class Accumulator:
    """Counts in memory, for all threads of a process, until somebody takes what was counted."""

    def __init__(self, now: Callable[[], int]) -> None:
        """`now`: the current unix second."""
        self._now = now
        self._lock = threading.Lock()
        self._grown: dict[tuple[str, tuple[str, ...]], list[int]] = {}
        self._series: dict[str, set[tuple[str, ...]]] = {}

    def count(self, figure: Figure, *labels: str, by: int = 1) -> None:
        """A counter grows; a label for each of the declaration's."""
        with self._lock:
            self._add(figure, labels, by)

    def observe(self, figure: Figure, seconds: float, *labels: str) -> None:
        """A histogram gets another value."""
        place = figure.places[bisect_left(figure.bounds, seconds)]
        with self._lock:
            self._add(figure, (*labels, place), 1)
            self._add(figure, (*labels, SUM), round(seconds * MILLION))

    def take(self) -> list[Growth]:
        """What was counted since the last time, in a fixed order."""
        with self._lock:
            grown, self._grown = self._grown, {}
        return [
            Growth(name, labelled(labels), value, last_at)
            for (name, labels), (value, last_at) in sorted(grown.items())
        ]

    def give_back(self, growths: Iterable[Growth]) -> None:
        """Count once more what was taken and could not be kept."""
        with self._lock:
            for growth in growths:
                entry = self._grown.setdefault((growth.name, parted(growth.labels)), [0, 0])
                entry[0] += growth.value
                entry[1] = max(entry[1], growth.last_at)

    def _add(self, figure: Figure, labels: tuple[str, ...], by: int) -> None:
        entry = self._grown.get((figure.name, labels))
        if entry is None:
            entry = self._grown.setdefault((figure.name, self._admitted(figure, labels)), [0, 0])
        entry[0] += by
        entry[1] = self._now()

    def _admitted(self, figure: Figure, labels: tuple[str, ...]) -> tuple[str, ...]:
        """The labels under which it is counted."""
        clean = tuple(label if _is_label(label, figure) else OTHER for label in labels)
        known = self._series.setdefault(figure.name, set())
        if clean not in known and len(known) >= MOST_SERIES:
            return (OTHER,) * len(labels)
        known.add(clean)
        return clean


def _is_label(label: str, figure: Figure) -> bool:
    return bool(_LABEL(label)) or (figure.kind is Kind.HISTOGRAM and label in figure.places)

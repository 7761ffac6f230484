"""The last 24 hours as plots: how often what happened in each hour, read from the figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from messenger_api.domain import figures as declared
from messenger_api.domain.figures import SUM, Figure
from messenger_api.services.operator.figures import Figures, Values
from messenger_api.storage.db import Database

HOURS = 24
STEP = 3600


class Line(msgspec.Struct, frozen=True):
    """One of the lines of a plot: its value in each hour, and that of the whole day."""

    name: str
    values: list[int]
    whole: int


class Trend(msgspec.Struct, frozen=True):
    """A plot: `starts` are the unix seconds with which its hours begin."""

    title: str
    starts: list[int]
    lines: list[Line]


@dataclass(frozen=True)
class _Wanted:
    """A line: of a figure all series, or those whose `label` is, or with `but` is not, a value."""

    name: str
    figure: Figure
    label: str = ""
    value: str = ""
    but: bool = False

    def count(self, values: Values) -> int:
        if not self.label:
            return sum(values.values())
        at = self.figure.labels.index(self.label)
        return sum(n for labels, n in values.items() if (labels[at] == self.value) is not self.but)


_TRENDS = {
    "Calls of the API": (
        _Wanted("done", declared.REQUESTS, "error", "none"),
        _Wanted("answered with an error", declared.REQUESTS, "error", "none", but=True),
    ),
    "Log-ins": (
        _Wanted("codes asked for", declared.LOGINS_BEGUN),
        _Wanted("log-ins completed", declared.LOGINS_COMPLETED),
    ),
    "People": (
        _Wanted("sign-ups", declared.SIGN_UPS),
        _Wanted("used for the first time in 24 hours", declared.USERS_ACTIVE),
    ),
    "Texts": (
        _Wanted("sent", declared.TEXTS, "outcome", "sent"),
        _Wanted("not sent, or not surely", declared.TEXTS, "outcome", "sent", but=True),
    ),
    "Calls of mesibo": (
        _Wanted("answered", declared.MESIBO_CALLS, "outcome", "ok"),
        _Wanted("failed or refused", declared.MESIBO_CALLS, "outcome", "ok", but=True),
    ),
    "Outbox": (
        _Wanted("done", declared.OUTBOX_DONE, "outcome", "done"),
        _Wanted("put back", declared.OUTBOX_DONE, "outcome", "put_back"),
        _Wanted("given up", declared.OUTBOX_DONE, "outcome", "dead"),
    ),
    "Limits": (
        _Wanted("somebody was refused", declared.REFUSALS, "mode", "enforce"),
        _Wanted("only counted", declared.REFUSALS, "mode", "track"),
    ),
}


class Trends:
    """Reads the plots. Raises TryLater."""

    def __init__(self, database: Database, figures: Figures) -> None:
        self._database = database
        self._figures = figures

    def day(self) -> list[Trend]:
        """The last 24 hours, the one that runs included. One statement a figure."""
        now = self._database.now()
        first = now - now % STEP - (HOURS - 1) * STEP
        starts = [first + hour * STEP for hour in range(HOURS)]
        wanted = {each.figure for lines in _TRENDS.values() for each in lines}
        found = {figure: self._figures.series(figure, first, STEP) for figure in wanted}
        plots = [
            Trend(title, starts, [_line(each, found[each.figure], starts) for each in lines])
            for title, lines in _TRENDS.items()
        ]
        # Of all ops together.
        seconds = self._figures.series(declared.REQUEST_SECONDS, first, STEP, without_first=True)
        return [*plots, Trend("Milliseconds to an answer, at most", starts, _quantiles(seconds, starts))]


def _line(wanted: _Wanted, series: Mapping[int, Values], starts: list[int]) -> Line:
    values = [wanted.count(series.get(start, {})) for start in starts]
    return Line(wanted.name, values, sum(values))


def _quantiles(series: Mapping[int, Values], starts: list[int]) -> list[Line]:
    """For half of the calls, and for all but one in a hundred: the upper bound of their bucket."""
    hours = [_by_place(series.get(start, {})) for start in starts]
    whole = sum(hours, Counter())
    return [
        Line(name, [_within(hour, part) for hour in hours], _within(whole, part))
        for name, part in (("half of the calls (p50)", 0.5), ("99 of 100 (p99)", 0.99))
    ]


def _by_place(values: Values) -> Counter[str]:
    found: Counter[str] = Counter()
    for labels, count in values.items():
        if labels[-1] != SUM:
            found[labels[-1]] += count
    return found


def _within(counts: Counter[str], part: float) -> int:
    """The milliseconds within which this part of the calls was answered; 0 where there were none.

    Calls beyond the last bound count as that one.
    """
    wanted, reached = counts.total() * part, 0
    bounds = declared.REQUEST_SECONDS.bounds
    for place, bound in zip(declared.REQUEST_SECONDS.places, (*bounds, bounds[-1]), strict=True):
        reached += counts[place]
        if wanted and reached >= wanted:
            return round(bound * 1000)
    return 0

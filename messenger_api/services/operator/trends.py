"""The last 24 hours as plots: how often what happened in each hour, read from the figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from messenger_api.domain import figures as declared
from messenger_api.domain.figures import Figure
from messenger_api.services.operator.figures import Figures, Values
from messenger_api.storage.db import Database

HOURS = 24
STEP = 3600


class Line(msgspec.Struct, frozen=True):
    """One of the lines of a plot: how often it happened in each hour."""

    name: str
    values: list[int]


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
        return [
            Trend(title, starts, [_line(each, found[each.figure], starts) for each in lines])
            for title, lines in _TRENDS.items()
        ]


def _line(wanted: _Wanted, series: Mapping[int, Values], starts: list[int]) -> Line:
    return Line(wanted.name, [wanted.count(series.get(start, {})) for start in starts])

"""Plots as SVG that is made here: attributes alone and no style, so that the policy of the pages holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from messenger_api.services.operator.trends import Line, Trend

WIDTH, HEIGHT = 480, 160
LEFT, RIGHT, TOP, BOTTOM = 40, 470, 12, 132
# Hours between two marks below the plot.
MARKED = 6


@dataclass(frozen=True)
class Drawn:
    """A plot as its template draws it: texts and lines with their places, and a table of the same."""

    title: str
    top: int
    lines: list[tuple[str, str, int]]
    marks: list[tuple[float, str]]
    rows: list[tuple[str, list[int]]]

    @property
    def said(self) -> str:
        """What the plot shows, for those who do not see it."""
        sums = ", ".join(f"{name}: {total}" for name, _points, total in self.lines)
        return f"{self.title} in the last 24 hours, {sums}"


def drawn(trend: Trend) -> Drawn:
    """The plot of a trend."""
    top = max(1, *(value for line in trend.lines for value in line.values))
    lines = [(line.name, " ".join(_points(line, top)), line.whole) for line in trend.lines]
    marks = [
        (_x(at, len(trend.starts)), _hour(trend.starts[at])) for at in range(0, len(trend.starts), MARKED)
    ]
    rows = [
        (_hour(start), [line.values[at] for line in trend.lines]) for at, start in enumerate(trend.starts)
    ]
    return Drawn(trend.title, top, lines, marks, rows)


def _points(line: Line, top: int) -> Iterator[str]:
    for at, value in enumerate(line.values):
        height = BOTTOM - (BOTTOM - TOP) * value / top
        yield f"{_x(at, len(line.values)):.1f},{height:.1f}"


def _x(at: int, count: int) -> float:
    return LEFT + (RIGHT - LEFT) * at / max(1, count - 1)


def _hour(second: int) -> str:
    return f"{dt.datetime.fromtimestamp(second, dt.UTC):%H:%M}"

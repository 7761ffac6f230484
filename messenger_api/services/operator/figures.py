"""What was counted, by all processes together: totals, the last time, the last minutes, and series to plot.

Labels are those of the declaration (`domain.figures`), in its order. What a process counted is here within
`bookkeeping.KEEP_SECONDS`. Every method raises TryLater when the database does not answer.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from functools import partial

from messenger_api.domain.figures import Figure
from messenger_api.services.limits import DAY
from messenger_api.storage import figures
from messenger_api.storage.db import Database
from messenger_api.storage.figures import SPAN_SECONDS

Labels = tuple[str, ...]
Values = Mapping[Labels, int]


class Figures:
    """Reads the table; a histogram has its place as its last label (`Figure.places`, and `SUM`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def totals(self, figure: Figure) -> Values:
        """How much each series has grown since ever."""
        return {_parted(row.labels): row.value for row in self._totals(figure)}

    def lasts(self, figure: Figure) -> Values:
        """The unix second in which each series last grew."""
        return {_parted(row.labels): row.last_at for row in self._totals(figure)}

    def last(self, figure: Figure, **labels: str) -> int:
        """The unix second in which a series with these labels, among others, last grew; 0: never."""
        wanted = [(figure.labels.index(name), value) for name, value in labels.items()]
        lasts = self.lasts(figure).items()
        return max(
            (at for found, at in lasts if all(found[place] == value for place, value in wanted)), default=0
        )

    def recent(self, figure: Figure, seconds: int) -> Values:
        """How much each series grew in the last `seconds`, and up to five minutes more: in whole spans."""
        since = self._database.now() - seconds
        found: Counter[Labels] = Counter()
        # In steps of a day, so that the database adds up and few rows travel.
        for values in self.series(figure, since, DAY).values():
            found.update(values)
        return found

    def series(
        self, figure: Figure, since: int, step: int = SPAN_SECONDS, *, without_first: bool = False
    ) -> Mapping[int, Values]:
        """How much each series grew in each step of so many seconds, by the step's first second.

        A step in which nothing grew is left out. `without_first` adds up all values of the first label, and
        leaves that out, too. Nothing that is two days old is finer than an hour, and 90
        days ago is the oldest.
        """
        first = max(1, figures.span_of(since))
        stepped = partial(figures.stepped, since=first, step=step, without_first=without_first)
        rows = self._database.run(partial(stepped, name=figure.name))
        found: dict[int, Counter[Labels]] = defaultdict(Counter)
        for start, labels, value in rows:
            found[start][_parted(labels)] += value
        return found

    def _totals(self, figure: Figure) -> list[figures.Row]:
        return self._database.run(partial(figures.totals, name=figure.name))


def _parted(labels: str) -> Labels:
    return tuple(labels.split(",")) if labels else ()

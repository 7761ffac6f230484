"""What processes have counted, added up: a total of each series, and how much it grew in spans of time.

The row of bucket 0 is the total since ever. Other buckets begin in the second that they are named after: they
are spans of five minutes, and of an hour where they are older (`fold`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, select

from messenger_api.domain.counting import Growth
from messenger_api.storage.models import FigureRow
from messenger_api.storage.statements import send

SPAN_SECONDS = 300
HOUR = 3600
SPANS_KEPT_SECONDS = 2 * 24 * HOUR
HOURS_KEPT_SECONDS = 90 * 24 * HOUR

TOTAL = 0
"""The bucket of totals."""

ROWS_A_STATEMENT = 1_000
PURGE_ROWS = 5_000
_INTO = "INSERT INTO figures (name, bucket, labels, value, last_at) VALUES "
_SUMS = {
    "sqlite": " ON CONFLICT (name, bucket, labels) DO UPDATE"
    " SET value = value + excluded.value, last_at = max(last_at, excluded.last_at)",
    "mysql": " ON DUPLICATE KEY UPDATE"
    " value = value + VALUES(value), last_at = GREATEST(last_at, VALUES(last_at))",
}


class Row(NamedTuple):
    """A series in one bucket."""

    bucket: int
    labels: str
    value: int
    last_at: int


def span_of(second: int) -> int:
    """The bucket of five minutes that a second lies in."""
    return second - second % SPAN_SECONDS


def add(connection: Connection, growths: Sequence[Growth]) -> None:
    """Add to totals and to the spans in which they grew."""
    rows = [
        (growth.figure.name, bucket, ",".join(growth.labels), growth.value, growth.last_at)
        for growth in growths
        for bucket in (TOTAL, span_of(growth.last_at))
    ]
    _add(connection, rows)


def _add(connection: Connection, rows: list[tuple[str, int, str, int, int]]) -> None:
    # In the order of the key, so that two who add do not wait for each other in a ring.
    rows.sort()
    sqlite = connection.dialect.name == "sqlite"
    marks, sums = ("(?, ?, ?, ?, ?)", _SUMS["sqlite"]) if sqlite else ("(%s, %s, %s, %s, %s)", _SUMS["mysql"])
    for at in range(0, len(rows), ROWS_A_STATEMENT):
        some = rows[at : at + ROWS_A_STATEMENT]
        values = tuple(value for row in some for value in row)
        send(connection, _INTO + ", ".join([marks] * len(some)) + sums, values)


def read(connection: Connection, name: str, since: int, until: int | None = None) -> list[Row]:
    """A figure's rows of the buckets from `since` on, up to `until` and not with it, in their order."""
    query = select(FigureRow.bucket, FigureRow.labels, FigureRow.value, FigureRow.last_at).where(
        FigureRow.name == name, FigureRow.bucket >= since
    )
    if until is not None:
        query = query.where(FigureRow.bucket < until)
    rows = connection.execute(query.order_by(FigureRow.bucket, FigureRow.labels))
    return [Row(*row) for row in rows]


def stepped(
    connection: Connection, name: str, since: int, step: int, *, without_first: bool = False
) -> list[tuple[int, str, int]]:
    """How much each series of a figure grew in each step of so many seconds from `since` on.

    As (the step's first second, labels, growth), in no order: the database adds up, so that few rows travel.
    `without_first` adds up all values of the first label, which is left out.
    """
    start = (FigureRow.bucket - FigureRow.bucket % step).label("start")
    rest = func.substr(FigureRow.labels, func.instr(FigureRow.labels, ",") + 1)
    kept = (rest if without_first else FigureRow.labels).label("kept")
    query = select(start, kept, func.sum(FigureRow.value).label("value"))
    query = query.where(FigureRow.name == name, FigureRow.bucket >= since).group_by(start, kept)
    return [(int(row.start), row.kept, int(row.value)) for row in connection.execute(query)]


def totals(connection: Connection, name: str) -> list[Row]:
    """The totals of a figure's series."""
    return read(connection, name, TOTAL, TOTAL + 1)


def fold(connection: Connection, now: int) -> bool:
    """Make an hour's row of the spans of the oldest hour that is old enough; False: there is none.

    In a transaction: whoever folds the same hour waits, and then finds nothing.
    """
    old = span_of(now - SPANS_KEPT_SECONDS)
    old -= old % HOUR
    parts = (FigureRow.bucket > TOTAL, FigureRow.bucket < old, FigureRow.bucket % HOUR != 0)
    first = connection.execute(select(func.min(FigureRow.bucket)).where(*parts)).scalar()
    if first is None:
        return False
    hour = first - first % HOUR
    within = (FigureRow.bucket > hour, FigureRow.bucket < hour + HOUR)
    columns = (FigureRow.name, FigureRow.labels, FigureRow.value, FigureRow.last_at)
    found = connection.execute(select(*columns).where(*within).with_for_update()).all()
    connection.execute(delete(FigureRow).where(*within))
    values: Counter[tuple[str, str]] = Counter()
    last: dict[tuple[str, str], int] = {}
    for name, labels, value, last_at in found:
        values[name, labels] += value
        last[name, labels] = max(last.get((name, labels), 0), last_at)
    _add(connection, [(name, hour, labels, n, last[name, labels]) for (name, labels), n in values.items()])
    return True


def purge(connection: Connection, now: int) -> int:
    """Remove some of the rows that are too old; returns how many."""
    old = (FigureRow.bucket > TOTAL, FigureRow.bucket < now - HOURS_KEPT_SECONDS)
    query = select(FigureRow.bucket).where(*old).order_by(FigureRow.bucket).limit(PURGE_ROWS)
    buckets = set(connection.execute(query).scalars())
    if not buckets:
        return 0
    gone = delete(FigureRow).where(FigureRow.bucket.in_(sorted(buckets)))
    return int(connection.execute(gone).rowcount)

"""Many rows in one INSERT.

SQLAlchemy writes `insert().values(rows)` anew each time, every value of every row, which takes milliseconds
for 50 rows. Here the statement is written once, for one row, and its list of values repeated. `executemany`
would have SQLite run a statement a row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from sqlalchemy import Connection, Dialect, Insert

from messenger_api.storage.statements import by_position, send

_VALUES = " VALUES "
# Of each constant one for every set of columns that it is given.
WRITTEN_KEPT = 64


def insert_rows(connection: Connection, statement: Insert, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows in one statement, and in their order; none: nothing is sent.

    Args:
        connection: in a transaction, or not.
        statement: a constant without values, `insert(Model)` or `ignoring_known(insert(Model))`.
        rows: the same columns in each. As for `statements.execute`, values reach the driver as they are.

    Raises:
        KeyError: a row has not got a column of the first.
        DBAPIError: as `Connection.execute` does.
    """
    if rows:
        head, marks, columns = _written(statement, connection.dialect, tuple(rows[0]))
        values = tuple(row[column] for row in rows for column in columns)
        send(connection, head + ", ".join([marks] * len(rows)), values)


@lru_cache(maxsize=WRITTEN_KEPT)
def _written(
    statement: Insert, dialect: Dialect, columns: tuple[str, ...]
) -> tuple[str, str, tuple[str, ...]]:
    """A statement up to its values, the marks for those of one row, and the columns in the marks' order."""
    compiled = statement.compile(dialect=dialect, column_keys=columns)
    head, values, marks = str(compiled).rpartition(_VALUES)
    marks, names = by_position(marks, compiled.positiontup)
    return head + values, marks, tuple(names)

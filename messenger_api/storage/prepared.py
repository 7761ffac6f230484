"""Statements that MariaDB keeps prepared: sent once a connection, and by a name from then on.

It spares the server the reading of the text and a part of its planning, a quarter to a third of its processor
time for the commonest statements. `EXECUTE … USING` takes values only in MariaDB (10.2.3 and later); MySQL
takes variables alone, which would have to be set by another statement, and is sent whole texts.

A prepared statement ends with its connection, and so does what is known of it here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# In `Connection.info` where the server keeps statements: its `Prepared`.
PREPARED = "prepared"
# A server keeps 16,382 for all of its connections, unless `max_prepared_stmt_count` says otherwise.
MOST = 64
# A text that inserts many rows is one of many, and is sent too seldom.
LONGEST = 4_000
# Server error reference: too many prepared statements; a statement of this kind cannot be prepared.
_REFUSED = frozenset({1461, 1295})

Run = Callable[[str, tuple[object, ...]], object]


class Prepared:
    """The prepared statements of one connection."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._room = MOST

    def text(self, sql: str, values: tuple[object, ...], run: Run) -> str:
        """What is to be sent for a text with these values: itself, or where it comes again, its name.

        Args:
            sql: the statement, with a `%s` for each value.
            values: so many.
            run: sends another text with its values.
        """
        known = self._texts.get(sql)
        if known:
            return known
        if known is None:
            if len(self._texts) < MOST * 4 and len(sql) <= LONGEST:
                self._texts[sql] = ""
            return sql
        self._texts[sql] = self._prepare(sql, len(values), run) if self._room else sql
        return self._texts[sql]

    def _prepare(self, sql: str, count: int, run: Run) -> str:
        name = f"p{self._room}"
        try:
            run(f"PREPARE {name} FROM %s", (sql % (("?",) * count),))
        except Exception as error:
            if not _REFUSED.intersection(error.args[:1]):
                raise
            self._room = 0
            return sql
        self._room -= 1
        return f"EXECUTE {name} USING {', '.join(['%s'] * count)}" if count else f"EXECUTE {name}"


def keeps_statements(connection: Any) -> bool:
    """Whether the server of a driver's connection takes values with `EXECUTE`."""
    return "MariaDB" in connection.get_server_info()

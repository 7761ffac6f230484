"""The statements that a connection's server keeps prepared: those that are sent on it for the second time.

A prepared statement ends with its connection, and so does what is known of it here.
"""

from __future__ import annotations

from typing import Any

from pymysql import MySQLError

from messenger_api.storage.binary import Outcome, Statement
from messenger_api.storage.wire import command

# In `Connection.info` where the driver can have statements prepared: its `Prepared`.
PREPARED = "prepared"
# A server keeps 16,382 for all of its connections, unless `max_prepared_stmt_count` says otherwise.
MOST = 64
# A text that inserts many rows is one of many, and is sent too seldom.
LONGEST = 4_000
# Server error reference: too many prepared statements; this one would have to be prepared anew, which MySQL
# gives up after some tries where its cache of tables is too small.
_TOO_MANY, _NOT_ANY_MORE = 1461, 1615
# What else is said of a statement that cannot be prepared, and ends no transaction: no such syntax, wrong
# arguments, not supported yet, not in prepared statements, too many marks.
_NOT_PREPARED = frozenset({1064, 1210, 1235, 1295, 1390, _TOO_MANY})


class Prepared:
    """The prepared statements of one connection."""

    def __init__(self, connection: Any) -> None:
        """`connection`: PyMySQL's."""
        self._connection = connection
        self._seen: set[str] = set()
        self._found: dict[str, Statement | None] = {}  # None: it is sent whole, however often
        self._room = MOST

    def execute(self, sql: str, values: tuple[object, ...]) -> Outcome | None:
        """Execute a text with a `%s` for each value; None, and nothing was executed: it is to be sent whole.

        Raises:
            pymysql.MySQLError: as PyMySQL does.
        """
        statement = self._find(sql, len(values))
        if statement is None:
            return None
        try:
            return statement.execute(values)
        except MySQLError as error:
            if error.args[0] != _NOT_ANY_MORE:
                raise
            self._found[sql] = None
            return None

    def _find(self, sql: str, values: int) -> Statement | None:
        try:
            return self._found[sql]
        except KeyError:
            pass
        if sql in self._seen:
            self._found[sql] = self._prepare(sql, values)
            return self._found[sql]
        if len(sql) <= LONGEST:
            if len(self._seen) >= MOST * 4:  # of many texts that do not come again
                self._seen.clear()
            self._seen.add(sql)
        return None

    def command(self, sql: str) -> None:
        """As `wire.command`."""
        command(self._connection, sql)

    def _prepare(self, sql: str, values: int) -> Statement | None:
        if not self._room:
            return None
        try:
            made = Statement(self._connection, sql % (("?",) * values))
        except MySQLError as error:
            # Any other may have ended the transaction, as a deadlock does: sent whole, the statement would
            # run outside of it.
            if error.args[0] not in _NOT_PREPARED:
                raise
            if error.args[0] == _TOO_MANY:
                self._room = 0
            return None
        except TypeError:
            return None
        self._room -= 1
        return made

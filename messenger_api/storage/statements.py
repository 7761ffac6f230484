"""The way to the driver for the statements that are made most.

SQLAlchemy writes a statement once and checks out its connection; what it does around every execution costs
more processor time than PyMySQL's own work for one row (docs/benchmarks.md). A statement of its own that
stands in a constant can go without: the same text, the same values, the same errors. On MariaDB, what comes
again on a connection is sent by the name under which the server keeps it (`storage.prepared`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NoReturn

from sqlalchemy import Connection, CursorResult, Dialect, Executable, PoolProxiedConnection

from messenger_api.storage.binary import Outcome
from messenger_api.storage.prepared import PREPARED, Prepared

_NAMED = re.compile(r"%\((\w+)\)s")
# Of each constant one for every set of columns that it is given.
WRITTEN_KEPT = 512


def execute(connection: Connection, statement: Executable, values: Mapping[str, object]) -> Outcome:
    """As `Connection.execute`, for a statement that is a constant, without lists among its values.

    Values reach the driver as they are, and rows come back so: not for types that SQLAlchemy converts.

    Raises:
        DBAPIError: as `Connection.execute` does.
    """
    text, names, constants = _written(statement, connection.dialect, tuple(values))
    everything = {**constants, **values} if constants else values
    return send(connection, text, tuple([everything[name] for name in names]))


def texts(connection: Connection, statement: Executable, values: Mapping[str, object]) -> list[str]:
    """The rows of a statement whose only column is packed (`storage.packed`). As `execute`."""
    return [text for (text,) in execute(connection, statement, values).rows]


def text(connection: Connection, statement: Executable, values: Mapping[str, object]) -> str | None:
    """The first of `texts`; None: there is no row."""
    found = texts(connection, statement, values)
    return found[0] if found else None


def command(connection: Connection, sql: str) -> None:
    """Have the driver execute a text that has no values and brings no rows. As `execute`."""
    prepared: Prepared | None = connection.info.get(PREPARED)
    if connection.dispatch.before_cursor_execute or prepared is None:
        send(connection, sql)
        return
    try:
        prepared.command(sql)
    except BaseException as error:  # noqa: BLE001
        _handle(connection, sql, error)


def send(connection: Connection, sql: str, values: tuple[object, ...] | None = None) -> Outcome:
    """Have the driver execute a text, with a value for each of its marks. As `execute`."""
    if connection.dispatch.before_cursor_execute:  # somebody wants to be told
        return _outcome(connection.exec_driver_sql(sql, values))
    try:
        prepared: Prepared | None = connection.info.get(PREPARED)
        outcome = prepared.execute(sql, values) if prepared and values is not None else None
        return _run(connection.connection, sql, values) if outcome is None else outcome
    except BaseException as error:  # noqa: BLE001
        _handle(connection, sql, error)


def _handle(connection: Connection, sql: str, error: BaseException) -> NoReturn:
    """What SQLAlchemy makes of an error of the driver's: whether the connection, and with it every other one
    in the pool, is of no use any more. There is no public way to ask."""
    connection._handle_dbapi_exception(error, sql, None, None, None)


def _run(connection: PoolProxiedConnection, sql: str, values: tuple[object, ...] | None) -> Outcome:
    cursor = connection.cursor()
    # Only with values, be they none, does a driver read the marks for them in the text.
    cursor.execute(sql, *(() if values is None else (values,)))
    outcome = Outcome(cursor.fetchall(), cursor.rowcount, cursor.lastrowid or 0)
    cursor.close()
    return outcome


def _outcome(result: CursorResult[Any]) -> Outcome:
    if result.returns_rows:
        return Outcome(result.all(), 0, 0)
    return Outcome((), result.rowcount, result.lastrowid or 0)


@lru_cache(maxsize=WRITTEN_KEPT)
def _written(
    statement: Executable, dialect: Dialect, columns: tuple[str, ...]
) -> tuple[str, Sequence[str], dict[str, Any]]:
    """A statement for the driver, the names of its values in their order, and its own values by name."""
    compiled = statement.compile(dialect=dialect, column_keys=columns)  # type: ignore[attr-defined]
    text, names = by_position(str(compiled), compiled.positiontup)
    return text, names, compiled.params


def by_position(text: str, names: Sequence[str] | None) -> tuple[str, Sequence[str]]:
    """A text that is written, with marks without names, and the names of their values in their order.

    Where SQLAlchemy has written marks with names, it gives no order: PyMySQL and mysqlclient read both kinds.
    """
    return (_NAMED.sub("%s", text), _NAMED.findall(text)) if names is None else (text, names)

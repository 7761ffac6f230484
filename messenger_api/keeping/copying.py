"""All rows of one database into another: from SQLite to MySQL or MariaDB, and back.

Tables are copied in the order in which they refer to each other, each by its primary key, a batch a
transaction. A copy that was cut short goes on behind the last key that the target has. Until everything is
there and was compared, the target's revision stands in `HALF_COPIED`: no server starts, no upgrade begins.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from sqlalchemy import (
    ColumnElement,
    Connection,
    MetaData,
    Select,
    Table,
    and_,
    func,
    insert,
    inspect,
    literal,
    or_,
    select,
)
from sqlalchemy import Row as SqlRow

from messenger_api.keeping.manifest import KeepingError, Tell
from messenger_api.storage.db import Database
from messenger_api.storage.models import Base
from messenger_api.storage.schema import Schema
from messenger_api.storage.statements import send
from messenger_api.storage.upgrading import HALF_COPIED, VERSION, Say

BATCH = 500
"""Rows that are read, and written in a transaction, at a time."""

Row = SqlRow[tuple[object, ...]]


@dataclass(frozen=True)
class Counted:
    """The rows of a table: how many were read and written by this run, and how many both databases have."""

    table: str
    copied: int
    rows: int


class Copy:
    """A copy of `source` into `target`."""

    def __init__(self, source: Database, target: Database, tell: Tell, say: Say) -> None:
        self._source, self._target = source, target
        self._tell, self._say = tell, say

    def run(self) -> list[Counted]:
        """Copy, or go on, and compare.

        Raises:
            KeepingError: the source's tables are of another version; the target holds something; or rows were
                changed meanwhile.
            TryLater, SQLAlchemyError: a database refused.
        """
        if not Schema(self._source).is_current():
            raise KeepingError("The tables are not those of this version. Run: messenger-api db upgrade")
        tables = Base.metadata.sorted_tables
        with Schema(self._source).patiently(), Schema(self._target).patiently():
            self._begin(tables)
            copied = {table.name: self._copy(table) for table in tables}
            rows = self._compared(tables)
            with self._target.engine.connect() as connection:
                for table in tables:
                    _next_number(self._source, connection, table)
                connection.exec_driver_sql(f"ALTER TABLE {HALF_COPIED} RENAME TO {VERSION}")
        return [Counted(name, copied[name], rows[name]) for name in rows]

    def _begin(self, tables: Sequence[Table]) -> None:
        """Have empty tables in the target, marked; those of a copy that was cut short stay as they are."""
        found = set(self._target.run(lambda connection: inspect(connection).get_table_names()))
        if HALF_COPIED in found:
            return
        ours = {table.name for table in tables}
        with self._target.engine.connect() as connection:
            holding = [name for name in found if name not in {*ours, VERSION} or _holds(connection, name)]
            if [name for name in holding if name != VERSION]:
                raise KeepingError("The target holds something: name an empty database")
        Schema(self._target).upgrade(self._say)
        with self._target.engine.connect() as connection:
            connection.exec_driver_sql(f"ALTER TABLE {VERSION} RENAME TO {HALF_COPIED}")

    def _copy(self, table: Table) -> int:
        """Copy what the target does not have of a table; how many rows that were."""
        expected = self._source.run(lambda connection: _count(connection, table))
        with self._target.engine.connect() as connection:
            _prepare(connection)
            done, copied = _count(connection, table), 0
            last = connection.execute(_last_key(table)).first() if done else None
            for rows in _batches(self._source, table, last):
                self._tell(table.name, done + copied, expected)
                send(connection, "BEGIN")
                connection.execute(insert(table), [dict(row._mapping) for row in rows])
                send(connection, "COMMIT")
                copied += len(rows)
            connection.invalidate()  # its settings are of use to nobody else
        return copied

    def _compared(self, tables: Sequence[Table]) -> dict[str, int]:
        """How many rows each table has in both. What differs is emptied, for the next run to copy again."""
        found = {}
        differing = []
        for table in tables:
            self._tell(f"comparing {table.name}", 0, 0)
            here, there = _digest(self._source, table), _digest(self._target, table)
            found[table.name] = here[0]
            if here != there:
                differing.append(table)
        if differing:
            with self._target.engine.connect() as connection:
                _prepare(connection)
                for table in differing:
                    connection.execute(table.delete())
                connection.invalidate()
            names = ", ".join(table.name for table in differing)
            raise KeepingError(
                f"Rows were changed while they were copied ({names}): stop the server and the workers, and"
                " run it again. It copies these anew"
            )
        return found


def _batches(database: Database, table: Table, last: Row | None) -> Iterator[Sequence[Row]]:
    """The rows of a table behind a key, in the order of their keys."""
    keys = list(table.primary_key)
    while True:
        statement: Select[tuple[object, ...]] = select(table).order_by(*keys).limit(BATCH)
        if last is not None:
            statement = statement.where(_behind(keys, [last._mapping[key.name] for key in keys]))
        rows = database.run(_reading(statement))
        if rows:
            yield rows
            last = rows[-1]
        if len(rows) < BATCH:
            return


def _reading(statement: Select[tuple[object, ...]]) -> Callable[[Connection], Sequence[Row]]:
    return lambda connection: connection.execute(statement).all()


def _behind(keys: Sequence[ColumnElement[object]], values: Sequence[object]) -> ColumnElement[bool]:
    """Whether a key is greater than another one, written so that an index of all of it is used."""
    first, value = keys[0], literal(values[0], keys[0].type)
    if len(keys) == 1:
        return first > value
    return and_(first >= value, or_(first > value, _behind(keys[1:], values[1:])))


def _last_key(table: Table) -> Select[tuple[object, ...]]:
    keys = list(table.primary_key)
    return select(*keys).order_by(*(key.desc() for key in keys)).limit(1)


def _digest(database: Database, table: Table) -> tuple[int, str]:
    """How many rows a table has, and the SHA-256 of their values, whichever database they stand in."""
    digest, count = hashlib.sha256(), 0
    for row in chain.from_iterable(_batches(database, table, None)):
        digest.update(repr(tuple(row)).encode("utf-8", "surrogatepass"))
        count += 1
    return count, digest.hexdigest()


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def _holds(connection: Connection, name: str) -> bool:
    table = Table(name, MetaData())
    return connection.execute(select(literal(1)).select_from(table).limit(1)).first() is not None


def _prepare(connection: Connection) -> None:
    """Write rows as they are: what they refer to is there in the end, and a number 0 is one."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
    else:
        mode = "CONCAT(@@SESSION.sql_mode, ',NO_AUTO_VALUE_ON_ZERO')"
        connection.exec_driver_sql(f"SET SESSION foreign_key_checks = 0, sql_mode = {mode}")


def _next_number(source: Database, target: Connection, table: Table) -> None:
    """Have the target give no number that the source gave, be its row still there or not."""
    if not table.dialect_options["sqlite"]["autoincrement"]:
        return
    given = source.run(lambda connection: _given(connection, table.name))
    if target.dialect.name != "sqlite":
        target.exec_driver_sql(f"ALTER TABLE {table.name} AUTO_INCREMENT = {given + 1}")
        return
    target.exec_driver_sql("DELETE FROM sqlite_sequence WHERE name = ?", (table.name,))
    target.exec_driver_sql("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table.name, given))


def _given(connection: Connection, table: str) -> int:
    """The highest number that a table ever gave."""
    if connection.dialect.name == "sqlite":
        found = connection.exec_driver_sql(
            "SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)
        ).scalar()
        return int(found or 0)
    connection.exec_driver_sql(f"ANALYZE TABLE {table}").all()  # MySQL shows what it knew a day ago
    question = (
        "SELECT AUTO_INCREMENT FROM information_schema.TABLES"
        " WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s"
    )
    return int(connection.exec_driver_sql(question, (table,)).scalar() or 1) - 1

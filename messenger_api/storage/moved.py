"""Rows of another program's database, put in by the hundred thousand, in the real tables or in side tables.

While a move is under way a fact says so (`note`), and no server starts on a half of it: phones whose
sessions are still to come would be logged out. A move that was cut short begins anew on empty tables
(`clear`).
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, MetaData, Table, func, select
from sqlalchemy.sql import quoted_name

from messenger_api.storage import facts
from messenger_api.storage.models import (
    Base,
    Contact,
    Group,
    GroupMember,
    PushToken,
    Session,
    Thumbnail,
    User,
)
from messenger_api.storage.upgrading import InUse, alone

SIDE = "move_side_"
UNDER_WAY = "under way"
DONE = "done"

# KiB of the file that SQLite keeps in memory: during a move, and what it does unless told otherwise.
CACHE_KIB = 256 * 1024
SQLITE_CACHE_KIB = 2_000

# What a move writes, by table: in the order in which tables refer to each other.
COLUMNS: dict[str, tuple[str, ...]] = {
    User.__tablename__: (
        *("uid", "address", "contact_key", "mesibo_uid", "name", "status", "photo", "country"),
        *("created_at", "changed_at", "seen_at"),
    ),
    Thumbnail.__tablename__: ("photo", "tn"),
    Session.__tablename__: (
        *("sid", "uid", "token_hash", "appid", "device_type", "created_at", "synced_to", "seen_at"),
    ),
    PushToken.__tablename__: (
        *("sid", "token_hash", "token", "device_type", "production", "fcm", "changed_at", "token_key"),
    ),
    Contact.__tablename__: ("owner", "contact_key"),
    Group.__tablename__: ("gid", "name", "photo", "created_at", "changed_at", "roster", "roster_version"),
    GroupMember.__tablename__: ("gid", "uid", "role", "position"),
}
_OWNER_AND_KEY = COLUMNS[Contact.__tablename__]

Row = tuple[object, ...]


def real_tables() -> dict[str, Table]:
    """The product's own tables, by their names."""
    return {name: Base.metadata.tables[name] for name in COLUMNS}


def side_tables() -> dict[str, Table]:
    """The same tables with their indexes and keys, under names of their own."""
    side = MetaData()
    copies = {t.name: t.to_metadata(side, name=SIDE + t.name, referred_schema_fn=None) for t in _in_order()}
    for copy in copies.values():
        for index in copy.indexes:
            index.name = quoted_name(f"{SIDE}{index.name}", quote=None)
        for constraint in list(copy.constraints):
            # Foreign keys would still point at the real tables; what refers to what is the same here.
            if constraint in copy.foreign_key_constraints:
                copy.constraints.remove(constraint)
            elif constraint.name:
                constraint.name = quoted_name(f"{SIDE}{constraint.name}", quote=None)
    return copies


def make(engine: Engine, tables: dict[str, Table]) -> None:
    """Make side tables, without those that a rehearsal left which was killed."""
    drop(engine, tables)
    with engine.connect() as connection:
        for table in tables.values():
            table.create(connection)


def drop(engine: Engine, tables: dict[str, Table]) -> None:
    """Drop side tables."""
    with engine.connect() as connection:
        for table in reversed(tables.values()):
            table.drop(connection, checkfirst=True)


def accounts(connection: Connection) -> int:
    """How many accounts there are."""
    return int(connection.execute(select(func.count()).select_from(User)).scalar_one())


def state(connection: Connection) -> tuple[str, int, str]:
    """Where a move stands: "", UNDER_WAY or DONE, the second that it began in, and its source."""
    found = facts.read(connection, facts.MOVE).split("|", 2)
    return (found[0], int(found[1]), found[2]) if len(found) == 3 else ("", 0, "")


def note(connection: Connection, state: str, began: int, source: str) -> None:
    """Remember where a move stands."""
    facts.write(connection, facts.MOVE, f"{state}|{began}|{source}"[:255])
    # What comes has changed before what a worker may have noted in the empty tables.
    facts.write(connection, facts.NEWS, "")


def clear(connection: Connection) -> None:
    """Empty the tables that a move writes, on a connection that is prepared: TRUNCATE takes no time, but is
    refused for tables that others refer to, be these empty or not."""
    if connection.dialect.name == "sqlite":
        for name in reversed(COLUMNS):
            connection.exec_driver_sql(f"DELETE FROM {name}")  # noqa: S608
        return
    for name in COLUMNS:
        connection.exec_driver_sql(f"TRUNCATE TABLE {name}")


def prepare(connection: Connection) -> None:
    """Have a connection write quickly: nothing is looked up that rows refer to, for who writes them has it
    all in memory, and SQLite keeps more of the file there, for the keys of contacts come in no order."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.exec_driver_sql(f"PRAGMA cache_size = -{CACHE_KIB}")
    else:
        connection.exec_driver_sql("SET SESSION foreign_key_checks = 0")


def restore(connection: Connection) -> None:
    """End `prepare`, before others get the connection."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA foreign_keys = ON")
        connection.exec_driver_sql(f"PRAGMA cache_size = -{SQLITE_CACHE_KIB}")
    else:
        connection.exec_driver_sql("SET SESSION foreign_key_checks = 1")


def add(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Put rows in, in one statement and one transaction.

    In MySQL contacts are written out as digits: a driver would look at each of their values.
    """
    into = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES "  # noqa: S608 - names of ours
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        marks = f"({', '.join('?' * len(columns))})"
        connection.exec_driver_sql(into + marks, list(rows))
        connection.exec_driver_sql("COMMIT")
    elif columns == _OWNER_AND_KEY:
        connection.exec_driver_sql(into + ",".join(f"({owner},x'{key.hex()}')" for owner, key in rows))  # type: ignore[attr-defined]
    else:
        marks = f"({', '.join(['%s'] * len(columns))})"
        values = tuple(value for row in rows for value in row)
        connection.exec_driver_sql(into + ", ".join([marks] * len(rows)), values)


def drop_indexes(connection: Connection, table: Table) -> None:
    """Drop the indexes of a table, those of its keys left."""
    for index in table.indexes:
        index.drop(connection, checkfirst=True)


def make_indexes(connection: Connection, table: Table) -> None:
    """Make those that `drop_indexes` has dropped."""
    for index in table.indexes:
        index.create(connection, checkfirst=True)


@contextmanager
def exclusive(engine: Engine, lock: Path) -> Iterator[None]:
    """Of several moves into one database let one work, and no upgrade of it. `lock`: a file for SQLite's.

    Raises:
        InUse: another one is at work.
    """
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InUse("another move is under way") from None
        with engine.connect() as connection, alone(connection):
            yield
    finally:
        os.close(descriptor)


def _in_order() -> Iterator[Table]:
    yield from real_tables().values()

"""How tables are changed without harm: by one at a time, on tables of ours alone, and again after a kill.

MySQL and MariaDB commit every change of a table by itself, so an upgrade that was killed leaves a step half
done. Each operation of a step therefore looks whether it was done before: whoever runs the upgrade again goes
on where it stopped, and the steps need not care.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Connection, Index, Inspector, Table, inspect
from sqlalchemy.exc import OperationalError

from messenger_api.domain.errors import UpgradeRefused
from messenger_api.storage.models import Base

if TYPE_CHECKING:
    from alembic.ddl.impl import DefaultImpl

Say = Callable[[str], None]

# How long others are waited for in all, and at a time. While a change waits for a table that somebody uses,
# everybody else waits behind it.
WAIT_SECONDS = 120
TRY_SECONDS = 5

_LOCK_TIMEOUT = 1205  # MySQL: lock wait timeout exceeded
_PHP_DEMO = frozenset({"users", "tokens", "contacts", "members", "notifytokens"})
VERSION = "alembic_version"
"""The table in which Alembic notes the revision."""
HALF_RESTORED = "half_restored"
"""What that table is called while a backup is loaded (`keeping.mysql`)."""
HALF_COPIED = "half_copied"
"""The same while another database is copied (`keeping.copying`)."""


class InUse(Exception):
    """Somebody else holds what is needed; in a moment it may be free."""


def check_that_tables_are_ours(connection: Connection) -> None:
    """Change nothing. Raises UpgradeRefused where a table of somebody else's has the name of one of ours,
    or a restore or a copy was cut short."""
    found = inspect(connection)
    names = set(found.get_table_names())
    if HALF_RESTORED in names:
        raise UpgradeRefused(
            "A restore of this database was cut short. Run messenger-api restore again, which begins it anew"
        )
    if HALF_COPIED in names:
        raise UpgradeRefused(
            "A copy into this database was cut short. Run messenger-api db copy again, which goes on"
        )
    if VERSION in names and connection.exec_driver_sql(f"SELECT * FROM {VERSION}").first():  # noqa: S608
        return
    foreign = sorted(
        t.name for t in Base.metadata.sorted_tables if t.name in names and not _is_ours(found, t)
    )
    if not foreign:
        return
    whose = "of mesibo's PHP demo" if names >= _PHP_DEMO else "of another program"
    raise UpgradeRefused(
        f"This database holds tables {whose} ({', '.join(foreign)}). Nothing was changed. Use an empty one:"
        " CREATE DATABASE messenger CHARACTER SET utf8mb4, and DB_NAME"
    )


def _is_ours(found: Inspector, table: Table) -> bool:
    columns = {column["name"] for column in found.get_columns(table.name)}
    first = {c.name for c in table.columns if not c.nullable and c.server_default is None}
    return first <= columns


def patient(work: Callable[[], None], say: Say) -> None:
    """Do `work` again while it meets what others hold, with a line each time.

    Raises:
        UpgradeRefused: they held it for `WAIT_SECONDS`.
    """
    began = time.monotonic()
    while True:
        try:
            return work()
        except InUse as held:
            what = str(held)
        except OperationalError as error:
            if not _is_lock(error):
                raise
            what = "a table is in use by another program"
        waited = time.monotonic() - began
        if waited > WAIT_SECONDS:
            raise UpgradeRefused(
                f"Given up after {waited:.0f} s: {what}. Run messenger-api db upgrade again when that has"
                " ended; it goes on where it stopped"
            )
        say(f"Waiting ({waited:.0f} s of {WAIT_SECONDS}): {what}.")
        time.sleep(0.2)


def _is_lock(error: OperationalError) -> bool:
    said = next(iter(getattr(error.orig, "args", ())), "")
    return said == _LOCK_TIMEOUT or "database is locked" in str(said)


@contextmanager
def alone(connection: Connection) -> Iterator[None]:
    """Of several upgrades of one database, let one work. Its lock ends with the connection.

    Raises:
        InUse: another one is at work.
    """
    if connection.dialect.name == "sqlite":  # its transaction keeps others out
        yield
        return
    name = "messenger_api/" + hashlib.sha256(str(connection.engine.url.database).encode()).hexdigest()[:32]
    connection.exec_driver_sql(
        f"SET SESSION lock_wait_timeout = {TRY_SECONDS}, innodb_lock_wait_timeout = {TRY_SECONDS}"
    )
    if connection.exec_driver_sql("SELECT GET_LOCK(%s, %s)", (name, TRY_SECONDS)).scalar() != 1:
        raise InUse("another upgrade of this database is under way")
    try:
        yield
    finally:
        if not connection.invalidated:
            connection.exec_driver_sql("SELECT RELEASE_LOCK(%s)", (name,))


def resume(impl: DefaultImpl, connection: Connection) -> None:
    """Have every operation of Alembic's look first whether it was done."""

    def has_table(table: Table | str) -> bool:
        return inspect(connection).has_table(table if isinstance(table, str) else str(table.name))

    def has_column(table: str, column: Column[Any]) -> bool:
        return any(found["name"] == column.name for found in inspect(connection).get_columns(table))

    def has_index(index: Index) -> bool:
        table = index.table.name if index.table is not None else ""
        return any(found["name"] == index.name for found in inspect(connection).get_indexes(table))

    _unless(impl, "create_table", has_table)
    _unless(impl, "drop_table", lambda table: not has_table(table))
    _unless(impl, "add_column", has_column)
    _unless(impl, "drop_column", lambda table, column: not has_column(table, column))
    _unless(impl, "create_index", has_index)
    _unless(impl, "drop_index", lambda index: not has_index(index))


def _unless(impl: DefaultImpl, operation: str, is_done: Callable[..., bool]) -> None:
    do = getattr(impl, operation)

    def once(*what: Any, **options: Any) -> None:
        if not is_done(*what[:2]):
            do(*what, **options)

    setattr(impl, operation, once)

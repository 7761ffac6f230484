"""A database of MySQL or MariaDB into a file of SQL and back, by their own clients.

The table that notes the revision is not in the file. It is written under another name before anything is
loaded, and gets its own when all of it is: on half of a restore no server starts, and no upgrade begins.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections import Counter
from io import BufferedReader
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, inspect

from messenger_api.keeping import clients
from messenger_api.keeping.manifest import KeepingError, Manifest, Tell
from messenger_api.keeping.saved import Saved
from messenger_api.operating import OperatorParts
from messenger_api.private_files import create
from messenger_api.storage.upgrading import HALF_RESTORED, VERSION

_INSERT = re.compile(rb"INSERT INTO `([^`]+)` VALUES")
_WHOLE = b"-- Dump completed"
# Rows between two words about progress.
_TOLD_ROWS = 1000


class MySql:
    """The database of an installation."""

    engine = "mysql"
    file = "database.sql"

    def __init__(self, parts: OperatorParts) -> None:
        self._parts = parts
        self.name = clients.database_name(parts.settings)

    def save(self, target: Path, tell: Tell) -> Saved:
        """Write what is committed in this moment, in one transaction; writers go on meanwhile.

        Raises:
            KeepingError: there is no client, it failed, or tables were changed meanwhile.
            TryLater: the database does not answer.
            OSError: the file cannot be written.
        """
        dump = clients.program(clients.DUMP)
        revision = self._parts.schema.current()
        tell("database", 0, 0)
        with clients.answering(self._parts.settings) as argument:
            command = [dump, argument, *clients.dump_command(dump, self.name, VERSION)]
            rows = _dumped(command, target, tell)
        if self._parts.schema.current() != revision:
            raise KeepingError("The tables were upgraded meanwhile: begin again")
        return Saved(revision, rows)

    def is_empty(self) -> bool:
        """Whether nothing is there that a restore would destroy: no table, or half of a restore."""
        found = self._parts.database.run(_tables)
        return not found or HALF_RESTORED in found

    def load(self, source: BufferedReader, manifest: Manifest, tell: Tell) -> None:
        """Empty the database and load the file.

        Raises:
            KeepingError: there is no client, it failed, or not every row came.
            SQLAlchemyError: the database refused.
        """
        run = self._parts.database.engine
        with self._parts.schema.patiently():
            with run.connect() as connection:
                _empty(connection, manifest.revision)
            tell("database", 0, 0)
            with clients.answering(self._parts.settings) as argument:
                clients.fed(argument, self.name, source)
            with run.connect() as connection:
                _check_rows(connection, manifest)
                connection.exec_driver_sql(f"RENAME TABLE `{HALF_RESTORED}` TO `{VERSION}`")


def _dumped(command: list[str], target: Path, tell: Tell) -> dict[str, int]:
    """Run a dump into a file; how many rows each table has in it."""
    with (
        os.fdopen(create(target), "wb") as file,
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors) as process,  # noqa: S603
    ):
        if process.stdout is None:  # never: it is piped
            raise KeepingError("the dump cannot be read")
        rows, is_whole = _copied(process.stdout, file, tell)
        code = process.wait()
        errors.seek(0)
        said = clients.last_line(errors.read().decode(errors="replace"))
    if code or not is_whole:
        raise KeepingError(f"{Path(command[0]).name} failed: {said}")
    return rows


def _copied(dump: IO[bytes], file: IO[bytes], tell: Tell) -> tuple[dict[str, int], bool]:
    """Copy a dump; the rows of each table, and whether it has its end.

    A line is a table's INSERT, with or without a row behind it, or a row alone: no value holds a line's end,
    as clients write it as two characters.
    """
    rows: Counter[str] = Counter()
    table, is_whole = "", False
    for line in dump:
        file.write(line)
        if found := _INSERT.match(line):
            table = found[1].decode()
            rows[table] += bool(line[found.end() :].strip())
        elif line.startswith(b"(") and table:
            rows[table] += 1
            if not rows[table] % _TOLD_ROWS:
                tell(table, rows[table], 0)
        elif line.startswith(b"CREATE TABLE `"):
            table = ""
            rows[line.split(b"`")[1].decode()] += 0
        is_whole = line.startswith(_WHOLE)
    return dict(rows), is_whole


def _tables(connection: Connection) -> list[str]:
    return inspect(connection).get_table_names()


def _empty(connection: Connection, revision: str) -> None:
    """Note that a restore is under way, then drop every table."""
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS `{HALF_RESTORED}`")
    column = "version_num VARCHAR(32) NOT NULL PRIMARY KEY"
    connection.exec_driver_sql(f"CREATE TABLE `{HALF_RESTORED}` ({column})")
    connection.exec_driver_sql(f"INSERT INTO `{HALF_RESTORED}` VALUES (%s)", (revision,))  # noqa: S608
    connection.exec_driver_sql("SET SESSION foreign_key_checks = 0")
    for table in sorted(_tables(connection), key=lambda name: name != VERSION):
        if table != HALF_RESTORED:
            connection.exec_driver_sql(f"DROP TABLE `{table}`")
    connection.exec_driver_sql("SET SESSION foreign_key_checks = 1")


def _check_rows(connection: Connection, manifest: Manifest) -> None:
    for table, noted in manifest.rows.items():
        found = connection.exec_driver_sql(f"SELECT COUNT(*) FROM `{table}`").scalar()  # noqa: S608
        if found != noted:
            raise KeepingError(f"The table {table} has {found} rows and should have {noted}: begin again")

"""A SQLite database into a file and back."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from io import BufferedReader
from pathlib import Path

from messenger_api.keeping.manifest import KeepingError, Manifest, Tell, copied
from messenger_api.keeping.saved import Saved
from messenger_api.private_files import create
from messenger_api.settings import Settings
from messenger_api.storage.files.folder import sync_folder
from messenger_api.storage.upgrading import VERSION

# How long a writer is waited for.
WAIT_SECONDS = 30


class Sqlite:
    """The file of an installation."""

    engine = "sqlite"
    file = "database.sqlite3"

    def __init__(self, settings: Settings) -> None:
        self._path = Path(settings.sqlite_path)
        self.name = self._path.name

    def save(self, target: Path, tell: Tell) -> Saved:
        """Copy what is committed in this moment, by SQLite's own online backup; writers go on meanwhile.

        Raises:
            KeepingError: there is no database, or it is damaged.
            OSError, sqlite3.Error: it cannot be read, or written there.
        """
        if not self._path.is_file():
            raise KeepingError(f"{self._path} is not there: there is nothing to keep")
        tell("database", 0, 0)
        os.close(create(target))
        with closing(self._open(self._path)) as source, closing(self._open(target)) as copy:
            source.backup(copy)  # in one step: a copy in several begins anew with every change
            copy.execute("PRAGMA journal_mode = DELETE")
            if copy.execute("PRAGMA quick_check").fetchone() != ("ok",):
                raise KeepingError(f"{self._path} is damaged: sqlite3 {self._path} 'PRAGMA integrity_check'")
            rows = {table: _count(copy, table) for table in _tables(copy)}
            revision = _revision(copy) if rows.pop(VERSION, 0) else ""
        return Saved(revision, rows)

    def is_empty(self) -> bool:
        """Whether nothing is there that a restore would destroy."""
        if not self._path.is_file():
            return True
        with closing(self._open(self._path)) as database:
            return not _tables(database)

    def load(self, source: BufferedReader, _manifest: Manifest, tell: Tell) -> None:
        """Put the copy in the place of the file, at once; a kill leaves the one or the other.

        Raises:
            KeepingError: a server has the file open.
            OSError: it cannot be written.
        """
        tell("database", 0, 0)
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = self._path.with_name(f".{self.name}.part")
        part.unlink(missing_ok=True)
        copied(source, part)
        self._let_go()
        part.replace(self._path)
        sync_folder(self._path.parent)

    def _let_go(self) -> None:
        """Have no log of the old file beside the new one, to which SQLite would apply it."""
        if not self._path.is_file():
            return
        try:
            with closing(self._open(self._path, seconds=2)) as old:
                old.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.OperationalError:
            raise KeepingError(f"{self._path} is in use: stop the server and the workers first") from None

    def _open(self, path: Path, seconds: float = WAIT_SECONDS) -> sqlite3.Connection:
        return sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=seconds, isolation_level=None
        )


def _tables(database: sqlite3.Connection) -> list[str]:
    found = database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    )
    return [name for (name,) in found]


def _revision(database: sqlite3.Connection) -> str:
    [revision] = database.execute(f"SELECT version_num FROM {VERSION}").fetchone()  # noqa: S608
    return str(revision)


def _count(database: sqlite3.Connection, table: str) -> int:
    [count] = database.execute(f'SELECT COUNT(*) FROM "{table}"').fetchone()  # noqa: S608
    return int(count)

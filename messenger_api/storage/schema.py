"""The version of the database's tables: which it is, which it should be, and the way there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, event

from messenger_api.domain.errors import UpgradeRefused
from messenger_api.storage.db import Database
from messenger_api.storage.upgrading import TRY_SECONDS, Say, patient

MIGRATIONS = Path(__file__).parent.parent / "migrations"


def _nothing(_line: str) -> None:
    """Nobody waits for a word."""


class Schema:
    """The tables of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._config = _config(database.engine)
        self._known_current = False

    @property
    def newest(self) -> str:
        """The revision that this program needs."""
        return ScriptDirectory.from_config(self._config).get_current_head() or ""

    def current(self) -> str:
        """The revision of the database; "" when it has no tables of ours. Raises TryLater."""
        return self._database.run(lambda tx: MigrationContext.configure(tx).get_current_revision() or "")

    def is_current(self) -> bool:
        """Whether the database has the revision that this program needs. Raises TryLater."""
        if not self._known_current:
            self._known_current = self.current() == self.newest
        return self._known_current

    def is_known(self) -> bool:
        """Whether this program knows the database's revision, or there is none. Raises TryLater."""
        found = self.current()
        known = ScriptDirectory.from_config(self._config).walk_revisions()
        return not found or any(script.revision == found for script in known)

    def upgrade(self, say: Say = _nothing) -> None:
        """Bring the database to the newest revision.

        Of several that begin at once one does it while the others wait; `say` is told of that. In SQLite an
        upgrade that fails leaves no trace; in MySQL the next one goes on where it stopped.

        Raises:
            UpgradeRefused: others are in the way, or the tables are not ours, or of a newer version.
            SQLAlchemyError: the database refused.
        """
        with self.patiently():
            try:
                patient(lambda: command.upgrade(self._config, "head"), say)
            except CommandError as error:  # a revision that this program does not know
                raise UpgradeRefused(
                    f"The database's tables: {error}. Were they made by a newer version of this program?"
                ) from error

    @contextmanager
    def patiently(self) -> Iterator[None]:
        """Meanwhile no answer of the database is late: to change a large table takes minutes."""
        engine = self._database.engine
        event.listen(engine, "do_connect", _wait_for_ever, insert=True)
        engine.dispose()  # of connections that are impatient
        try:
            yield
        finally:
            event.remove(engine, "do_connect", _wait_for_ever)
            engine.dispose()


def _wait_for_ever(_dialect: object, _record: object, _args: object, options: dict[str, Any]) -> None:
    for option in ("read_timeout", "write_timeout"):
        options.pop(option, None)
    if "timeout" in options:  # SQLite's, for the lock of another process that upgrades
        options["timeout"] = TRY_SECONDS


def _config(engine: Engine) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = _in_transactions(engine) if engine.dialect.name == "sqlite" else engine
    return config


def _in_transactions(engine: Engine) -> Engine:
    """The same engine, its connections in real transactions that exclude other writers from their begin."""
    strict = engine.execution_options(isolation_level="SERIALIZABLE")
    event.listen(strict, "begin", _begin_immediate)
    return strict


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")

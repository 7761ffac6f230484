"""The version of the database's tables: which it is, which it should be, and the way there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from sqlalchemy import Connection, inspect

from messenger_api.domain.health.findings import KNOWN, NEWER_TO_DO
from messenger_api.storage.connections import PATIENT
from messenger_api.storage.db import Database
from messenger_api.storage.models import Base
from messenger_api.storage.upgrading import TRY_SECONDS, VERSION, Say

MIGRATIONS = Path(__file__).parent.parent / "migrations"
_REVISIONS = re.compile(r'^(?:down_)?revision = "?(\w+)', re.MULTILINE)


def _nothing(_line: str) -> None:
    """Nobody waits for a word."""


class Schema:
    """The tables of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known_current = False

    @property
    def newest(self) -> str:
        """The revision that this program needs."""
        steps = _steps()
        [head] = steps.keys() - steps.values()
        return head

    def current(self) -> str:
        """The revision of the database; "" when it has no tables of ours. Raises TryLater."""
        return self._database.run(_revision)

    def is_current(self) -> bool:
        """Whether the database has the revision that this program needs. Raises TryLater."""
        if not self._known_current:
            self._known_current = self.current() == self.newest
        return self._known_current

    def missing(self) -> tuple[str, ...]:
        """The tables of this version that the database has not. Raises TryLater."""
        there = self._database.run(lambda tx: set(inspect(tx).get_table_names()))
        return tuple(str(table.name) for table in Base.metadata.sorted_tables if table.name not in there)

    def is_known(self) -> bool:
        """Whether this program knows the database's revision, or there is none. Raises TryLater."""
        found = self.current()
        return not found or self.knows(found)

    def knows(self, revision: str) -> bool:
        """Whether tables of this revision can be upgraded by this program."""
        return revision in _steps()

    def to_do(self) -> str:
        """What to do about tables of another version; "" where they are of this one. Raises TryLater."""
        if self.is_current():
            return ""
        return KNOWN["schema_old"].to_do if self.is_known() else NEWER_TO_DO

    def upgrade(self, say: Say = _nothing) -> None:
        """Bring the database to the newest revision.

        Of several that begin at once one does it while the others wait; `say` is told of that. In SQLite an
        upgrade that fails leaves no trace; in MySQL the next one goes on where it stopped.

        Raises:
            UpgradeRefused: others are in the way, or the tables are not ours, or of a newer version.
            SQLAlchemyError: the database refused.
        """
        with self.patiently():
            import_module("messenger_api.storage.migrating").upgrade(self._database.engine, say)

    @contextmanager
    def patiently(self) -> Iterator[None]:
        """Meanwhile no answer of the database is late: to change a large table takes minutes."""
        engine = self._database.engine
        engine.update_execution_options(**{PATIENT: TRY_SECONDS})
        engine.dispose()  # of connections that are impatient
        try:
            yield
        finally:
            engine.update_execution_options(**{PATIENT: None})
            engine.dispose()


def _revision(connection: Connection) -> str:
    """What Alembic has noted in the database."""
    if not inspect(connection).has_table(VERSION):
        return ""
    return str(connection.exec_driver_sql(f"SELECT version_num FROM {VERSION}").scalar() or "")  # noqa: S608


def _steps() -> dict[str, str]:
    """Each revision, and the one that it follows, as the migrations say at their head."""
    texts = (path.read_text() for path in (MIGRATIONS / "versions").glob("*.py"))
    return dict(map(_REVISIONS.findall, texts))

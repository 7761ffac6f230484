"""Alembic at work. Loaded for an upgrade alone: it takes longer to load than most commands to run."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, event

from messenger_api.domain.errors import UpgradeRefused
from messenger_api.storage.schema import MIGRATIONS
from messenger_api.storage.upgrading import Say, patient


def upgrade(engine: Engine, say: Say) -> None:
    """Bring a database to the newest revision. Raises what `Schema.upgrade` does."""
    config = _config(engine)
    try:
        patient(lambda: command.upgrade(config, "head"), say)
    except CommandError as error:  # a revision that this program does not know
        raise UpgradeRefused(
            f"The database's tables: {error}. Were they made by a newer version of this program?"
        ) from error


def _config(engine: Engine) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))  # read with interpolation
    config.attributes["engine"] = _in_transactions(engine) if engine.dialect.name == "sqlite" else engine
    return config


def _in_transactions(engine: Engine) -> Engine:
    """The same engine, its connections in real transactions that exclude other writers from their begin."""
    strict = engine.execution_options(isolation_level="SERIALIZABLE")
    event.listen(strict, "begin", _begin_immediate)
    return strict


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")

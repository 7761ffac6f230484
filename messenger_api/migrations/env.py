"""Runs migrations on the engine of the program, or of Flask's application for `flask db`."""

from __future__ import annotations

from alembic import context
from flask import current_app

from messenger_api.storage.models import Base
from messenger_api.storage.upgrading import alone, check_that_tables_are_ours, resume


def run() -> None:
    """Bring the database to the revision that was asked for."""
    engine = context.config.attributes.get("engine") or current_app.extensions["migrate"].db.engine
    sqlite = engine.dialect.name == "sqlite"
    with engine.connect() as connection, alone(connection):
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            compare_server_default=True,
            # SQLite cannot change a column: Alembic copies the table instead.
            render_as_batch=sqlite,
            # All steps in one: between two, another process would begin with the one that this does next.
            transactional_ddl=sqlite,
        )
        if not sqlite:
            resume(context.get_context().impl, connection)
        with context.begin_transaction():
            check_that_tables_are_ours(connection)
            context.run_migrations()


run()

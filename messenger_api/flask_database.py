"""The database as Flask's extensions know it, for `flask db`.

They load Alembic and SQLAlchemy's mapper of objects, 16 MB: `messenger-api serve` does without.
"""

from __future__ import annotations

from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

from messenger_api.settings import Settings
from messenger_api.storage import db as databases
from messenger_api.storage.models import Base
from messenger_api.storage.schema import MIGRATIONS

db = SQLAlchemy(metadata=Base.metadata)


def attach(app: Flask, settings: Settings) -> None:
    """Give the application both extensions, with an engine of their own; nothing connects yet."""
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_uri
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = databases.engine_options(settings)
    db.init_app(app)
    Migrate(app, db, directory=str(MIGRATIONS))
    with app.app_context():
        databases.prepare(db.engine, settings)

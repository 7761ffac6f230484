"""The Flask application on the parts of an installation."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

import structlog
from flask import Flask

from messenger_api import configuration, logs, telemetry
from messenger_api.composition import Parts
from messenger_api.domain.errors import TryLater
from messenger_api.guard import for_own_machine
from messenger_api.keyfile import with_secret_key
from messenger_api.processes import EachProcess, started, warn_of_key
from messenger_api.sandbox import MESIBO_PREFIX, Backend, Faults, mesibo_backend, sandbox_pages
from messenger_api.settings import Settings, SettingsError, unfit_to_serve
from messenger_api.storage import db as databases
from messenger_api.storage.db import Database
from messenger_api.storage.outages import play_outages
from messenger_api.transport.playground import playground_blueprint
from messenger_api.transport.refused import refuse
from messenger_api.transport.routes import Application
from messenger_api.transport.stack import console_alone, served_by

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

log = structlog.get_logger(__name__)

EXTENSION = "messenger_api"
# The op of the sandbox's faults that are this product's database being away.
DATABASE = "database"


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application as any WSGI server serves it: with its tables (SQLite) and its outbox worker.

    Args:
        settings: the configuration; read from `config.py` and the environment when absent.

    Raises:
        SettingsError: the configuration has faults, or is not fit to serve (`settings.unfit_to_serve`).
    """
    settings = settings or configuration.load()
    if faults := unfit_to_serve(settings):
        raise SettingsError(faults)
    app = build_app(settings)
    import_module("messenger_api.flask_database").attach(app, settings)
    _get_ready(parts_of(app))

    def again() -> tuple[WSGIApplication, Callable[[], None]]:
        mine = build_app(settings)
        return mine.wsgi_app, parts_of(mine).begin

    app.wsgi_app = EachProcess(app.wsgi_app, parts_of(app).begin, again)  # type: ignore[method-assign]
    return app


def build_app(settings: Settings) -> Flask:
    """Build the application alone: its database is not asked, and nothing runs beside the requests.

    Raises:
        SettingsError: the configuration has faults.
    """
    logs.configure(settings.log_level, settings.log_format, *telemetry.processors(settings))
    settings = with_secret_key(settings)
    app = Application(__name__)
    parts = Parts(settings, _database(settings), plays=True)
    app.extensions[EXTENSION] = parts
    if parts.sandbox:
        store = parts.sandbox.store
        app.register_blueprint(sandbox_pages(store, forget=parts.codes.forget_all))
        app.register_blueprint(playground_blueprint(parts.operations))
        faults = Faults(store)
        play_outages(parts.database.engine, lambda: faults.take(DATABASE) is not None)
        # For others. What this server calls has an address of its own, where calls are recorded.
        backend = Backend(store, parts.sandbox.app_token, shown=settings.shows_sandbox)
        app.register_blueprint(mesibo_backend(backend, prefix=MESIBO_PREFIX))
    served = served_by(app, parts.services, parts.operations, parts.console, parts.schema.to_do)
    if settings.uses_sandbox and not settings.shows_sandbox:
        served = for_own_machine(served, refuse, settings.trusted_proxy_header)
    app.wsgi_app = served  # type: ignore[assignment, method-assign]
    return app


def build_console(settings: Settings) -> Flask:
    """Build the application of the console alone, for ADMIN_LISTEN. Raises as `build_app` does."""
    logs.configure(settings.log_level, settings.log_format, *telemetry.processors(settings))
    settings = with_secret_key(settings)
    app = Application(__name__)
    parts = Parts(settings, _database(settings), plays=True)
    app.extensions[EXTENSION] = parts
    alone = console_alone(app, settings, parts.console, parts.limits)
    app.wsgi_app = alone  # type: ignore[assignment, method-assign]
    return app


def _get_ready(parts: Parts) -> None:
    """Make SQLite's tables, refuse another key, and say what is missing. No connection is left for a fork."""
    log.info("server.start", **started(parts.settings))
    warn_of_key(parts.settings)
    schema = parts.schema
    try:
        if not schema.is_current() and parts.settings.is_sqlite:
            schema.upgrade()
        if to_do := schema.to_do():
            log.error("schema.old", what="every call answers TRYLATER", to_do=to_do)
        else:
            parts.installation.check()
    except TryLater:
        log.error("database.away", what="every call answers TRYLATER until it is there")
    finally:
        parts.database.engine.dispose()


def parts_of(app: Flask) -> Parts:
    """The parts behind an application."""
    parts: Parts = app.extensions[EXTENSION]
    return parts


def _database(settings: Settings) -> Database:
    if settings.is_sqlite:
        settings.instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    return databases.open_database(settings)

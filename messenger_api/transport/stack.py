"""The transport as a whole: the routes of a Flask application, and what stands in front of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from flask import Flask

from messenger_api.ops.call import Operation
from messenger_api.services.limits import Limits
from messenger_api.services.operator.console import Console
from messenger_api.services.record import Services
from messenger_api.settings import Settings
from messenger_api.transport.api import Api
from messenger_api.transport.bodies import MAX_BODY_BYTES
from messenger_api.transport.console import console_blueprint
from messenger_api.transport.docs import docs_blueprint
from messenger_api.transport.files import files_blueprint
from messenger_api.transport.guide import guide_blueprint
from messenger_api.transport.health import health_blueprint
from messenger_api.transport.identified import identified
from messenger_api.transport.metrics import metrics_blueprint
from messenger_api.transport.pages import add_pages
from messenger_api.transport.proxies import trust_proxies
from messenger_api.transport.receipts import receipts_blueprint
from messenger_api.transport.receiving import Receiving
from messenger_api.transport.routes import always_answered, api_blueprint, shortcut

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def served_by(
    app: Flask,
    services: Services,
    operations: Mapping[str, Operation],
    console: Console,
    schema_to_do: Callable[[], str],
) -> WSGIApplication:
    """Give a Flask application its routes; returns what a server calls, which sees each request first.

    From the outside in: whose request it is, its id, its body, the short way to the API, Flask.
    """
    operator = console.operator
    settings = services.settings
    api = Api(services, operations)
    add_pages(app)
    app.register_blueprint(api_blueprint(api, services))
    app.register_blueprint(docs_blueprint(settings, operations))
    app.register_blueprint(files_blueprint(services.files))
    app.register_blueprint(health_blueprint(settings, operator.health, operator.judge, schema_to_do))
    app.register_blueprint(guide_blueprint())
    app.register_blueprint(metrics_blueprint(settings, operator))
    app.register_blueprint(receipts_blueprint(services))
    if not settings.admin_listen:
        app.register_blueprint(console_blueprint(console))
    answering = always_answered(app, api)
    if settings.api_shortcut:
        answering = shortcut(answering, app, api)
    receiving = Receiving(answering, settings.max_upload_bytes + MAX_BODY_BYTES)
    named = identified(receiving, access_log=settings.access_log)
    return trust_proxies(named, settings, services.limits)


def console_alone(app: Flask, settings: Settings, console: Console, limits: Limits) -> WSGIApplication:
    """Give a Flask application the console's routes and no other page; returns what a server calls."""
    add_pages(app)
    app.register_blueprint(console_blueprint(console))
    named = identified(Receiving(app.wsgi_app, MAX_BODY_BYTES), access_log=settings.access_log)
    return trust_proxies(named, settings, limits)

"""The object that another WSGI server than ours loads: `messenger_api.wsgi:application`."""

from __future__ import annotations

from flask import Flask

from messenger_api import settings as configuration
from messenger_api.app import create_app, parts_of
from messenger_api.settings import SettingsError


def build() -> Flask:
    """The application with its outbox worker.

    Raises:
        SettingsError: the configuration has faults, or would show the sandbox to strangers.
    """
    settings = configuration.load()
    if settings.uses_sandbox and not settings.sandbox:
        # `messenger-api serve` looks at the address that it listens on; here nobody knows it.
        raise SettingsError(
            [
                "MESIBO_APP_TOKEN: required under this server; without it the sandbox would show"
                " everyone's codes (SANDBOX = True says that this is meant)"
            ]
        )
    app = create_app(settings)
    if settings.outbox_in_server:
        parts_of(app).services.worker.start()
    return app


application = build()

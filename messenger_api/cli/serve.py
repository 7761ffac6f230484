"""`messenger-api serve`: the server."""

from __future__ import annotations

import ipaddress
import os
import socket

import click
from granian import Granian
from granian.constants import Interfaces

from messenger_api.app import SERVED, create_app, parts_of
from messenger_api.cli.common import fail, settings
from messenger_api.settings import Settings

# Threads that wait for mesibo or the SMS network leave enough others for the rest (MESIBO_MAX_CALLS).
THREADS = 32


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, help="Port to listen on.")
@click.option("--workers", default=1, show_default=True, help="Processes; about one a core.")
def serve(host: str, port: int, workers: int) -> None:
    """Serve the API, and run the outbox unless OUTBOX_IN_SERVER is False."""
    config = settings()
    _check_exposure(config, host)
    _check_port(host, port)
    _prepare_schema(config)
    click.echo(_welcome(config, f"http://{host}:{port}"))
    os.environ[SERVED] = "1"
    Granian(
        "messenger_api.wsgi:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=THREADS,
        respawn_failed_workers=True,
        log_enabled=False,
    ).serve()


def _check_exposure(config: Settings, host: str) -> None:
    if config.uses_sandbox and not config.sandbox and not _is_loopback(host):
        fail(
            f"There is no MESIBO_APP_TOKEN, so the sandbox would be used, and on {host} it would show"
            " everyone's login codes to everyone.\nSet MESIBO_APP_TOKEN, serve on 127.0.0.1, or set"
            " SANDBOX = True to say that this is meant."
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            fail(f"Cannot listen on {host}:{port}: {error.strerror}. Choose another with --port.")


def _prepare_schema(config: Settings) -> None:
    parts = parts_of(create_app(config))
    try:
        if config.is_sqlite:
            parts.schema.upgrade()
        elif not parts.schema.is_current():
            fail("The database's tables are not those of this version. Run: messenger-api db upgrade")
    finally:
        parts.close()


def _welcome(config: Settings, url: str) -> str:
    lines = [
        "",
        f"  The private API answers at  {url}/api.php",
        f"  Is it well?                 {url}/readyz",
    ]
    if config.uses_sandbox:
        lines.append(f"  Text messages and mesibo    {url}/sandbox")
    return "\n".join([*lines, "", "  Stop with Ctrl-C.", ""])

"""`messenger-api serve`: the server."""

from __future__ import annotations

import signal
from functools import partial

import click
from flask import Flask
from granian import Granian
from granian.constants import Interfaces

from messenger_api.app import parts_of
from messenger_api.cli.common import (
    check_exposure,
    check_port,
    make_app,
    plainly,
    prepare_schema,
    product,
    settings,
)
from messenger_api.settings import Settings

# Threads that wait for mesibo or the SMS network leave enough others for the rest (MESIBO_MAX_CALLS).
THREADS = 32

# A stop waits for requests under way, which may wait for mesibo, and this much longer for their answers.
GRACE_SECONDS = 2


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8080, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on."
)
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1, 256),
    help="Processes; about one a core.",
)
def serve(host: str, port: int, workers: int) -> None:
    """Serve the API, and run the outbox unless OUTBOX_IN_SERVER is False."""
    config = settings()
    if config.uses_sandbox:
        check_exposure(config, host)
    check_port(host, port)
    with product(config) as parts:
        prepare_schema(parts)
    click.echo(_welcome(config, f"http://{f'[{host}]' if ':' in host else host}:{port}"))
    server = Granian(
        "messenger_api",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=THREADS,
        respawn_failed_workers=True,
        workers_kill_timeout=round(config.mesibo_timeout) + GRACE_SECONDS,
        log_enabled=False,
    )
    server.serve(target_loader=partial(_application, config), wrap_loader=False)


def _application(config: Settings) -> Flask:
    """What a worker process serves.

    The settings are those that the command read, so that processes that are started later, in the place
    of one that died, do not meet a file that was changed meanwhile.
    """
    # Until the server sets its own handler, a forked process has its parent's, which would not end it.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # A terminal sends Ctrl-C to every process, and the parent then SIGTERM to its workers. Granian (2.8)
    # sometimes hangs on two signals at once, so the workers leave the first one to the parent.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    with plainly():
        app = make_app(config)
    if config.outbox_in_server:
        parts_of(app).services.worker.start()
    return app


def _welcome(config: Settings, url: str) -> str:
    lines = [
        "",
        f"  The private API answers at  {url}/api.php",
        f"  Is it well?                 {url}/readyz",
    ]
    if config.uses_sandbox:
        lines.append(f"  Text messages and mesibo    {url}/sandbox")
    return "\n".join([*lines, "", "  Stop with Ctrl-C.", ""])

"""`messenger-api serve`: the server."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial

import click
import structlog
from flask import Flask

from messenger_api import logs
from messenger_api.app import build_app, parts_of
from messenger_api.cli.common import (
    built,
    check_exposure,
    check_fit,
    check_port,
    plainly,
    prepare_schema,
    product,
    settings,
)
from messenger_api.cli.console_server import check_console_port, console_beside
from messenger_api.cli.root import main
from messenger_api.cli.serving import serve_until_stopped
from messenger_api.cli.starting import wait_for_database, welcome
from messenger_api.processes import started, warn_of_key
from messenger_api.settings import OWN_MACHINE, Settings
from messenger_api.transport.receiving import THREADS

log = structlog.get_logger(__name__)

# Connections that a process holds, idle ones of proxies included, and open files that it needs for them.
CONNECTIONS = 16_384
SPARE_FILES = 1024
# Connections that were made and not yet accepted.
BACKLOG = 4096

# A stop waits for requests under way, which may wait for mesibo, and this much longer for their answers.
GRACE_SECONDS = 2


@main.command()
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
@click.option(
    "--sandbox",
    is_flag=True,
    help="Without MESIBO_APP_TOKEN, let the sandbox play mesibo and the SMS network, for this machine alone.",
)
def serve(host: str, port: int, workers: int, sandbox: bool) -> None:
    """Serve the API, and run the outbox unless OUTBOX_IN_SERVER is False."""
    config = settings()
    if sandbox and config.sandbox is None and not config.mesibo_app_token:
        config = replace(config, sandbox=OWN_MACHINE)
    check_fit(config)
    if config.uses_sandbox:
        check_exposure(config, host)
    check_port(host, port, f"--port, or PORT={port % 65_535 + 1} make run")
    check_console_port(config)
    with product(config) as parts:
        wait_for_database(parts)
        prepare_schema(parts)
        built(lambda: (parts.services, parts.operations))
    click.echo(welcome(config, host, port, sandbox=sandbox))
    _allow_connections()
    with _told(config, workers=workers, port=port), console_beside(config):
        serve_until_stopped(
            partial(_application, config),
            host,
            port,
            threads=THREADS,
            workers=workers,
            backlog=BACKLOG,
            connections=CONNECTIONS,
            respawn=True,
            stop_seconds=round(config.mesibo_timeout) + GRACE_SECONDS,
        )


@contextmanager
def _told(config: Settings, **facts: int) -> Iterator[None]:
    """A line of the log at the start, and one at the stop."""
    logs.configure(config.log_level, config.log_format)
    log.info("server.start", **started(config), **facts)
    warn_of_key(config)
    yield
    log.info("server.stop", **started(config), **facts)


def _allow_connections() -> None:
    """Open as many files as the system lets us: Debian's usual 1,024 are used up by as many idle phones."""
    few, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + SPARE_FILES
    if few != resource.RLIM_INFINITY and few < wanted:
        allowed = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(few, allowed), most))


def _application(config: Settings) -> Flask:
    """What a worker process serves.

    The settings are those that the command read, so that processes that are started later, in the place
    of one that died, do not meet a file that was changed meanwhile.
    """
    with plainly():
        app = built(lambda: build_app(config))
    parts_of(app).begin()
    return app

"""`messenger-api worker`: the outbox, in a process of its own."""

from __future__ import annotations

import click
import structlog

from messenger_api.cli.common import built, check_fit, prepare_schema, product, settings, stop_signals
from messenger_api.cli.root import main
from messenger_api.cli.starting import wait_for_database
from messenger_api.processes import started

log = structlog.get_logger(__name__)


@main.command()
def worker() -> None:
    """Deliver the outbox until SIGTERM or Ctrl-C.

    The server does it itself by default; run workers when OUTBOX_IN_SERVER is False, as many as wanted.
    """
    config = settings()
    check_fit(config)
    with product(config, quiet=False) as parts:
        wait_for_database(parts)
        with stop_signals() as wait:
            prepare_schema(parts)
            worker = built(lambda: parts.worker)
            log.info("worker.start", **started(config))
            parts.bookkeeper.start(parts.allowed.refresh)
            thread = worker.start()
            click.echo("The worker delivers the outbox. Stop it with Ctrl-C or SIGTERM.")
            wait()
            click.echo("Stopping after the item at hand.")
            worker.stop()
            thread.join()
            log.info("worker.stop", **started(config))

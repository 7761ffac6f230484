"""`messenger-api support-packet`: what somebody who helps has to know."""

from __future__ import annotations

import logging
import os
import time
import zipfile
from pathlib import Path

import click
import structlog

from messenger_api import configuration
from messenger_api.cli.common import fail, say
from messenger_api.cli.packet import packet
from messenger_api.cli.root import main
from messenger_api.private_files import create
from messenger_api.settings import SettingsError

_NEW = click.Path(dir_okay=False, path_type=Path)
_THERE = click.Path(exists=True, dir_okay=False, path_type=Path)


@main.command()
@click.argument("file", metavar="[FILE]", required=False, type=_NEW)
@click.option(
    "--log",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with the server's log.",
)
@click.option(
    "--timeout", default=30.0, show_default=True, type=click.FloatRange(0.1), help="Seconds for each check."
)
def support_packet(file: Path | None, log: Path | None, timeout: float) -> None:
    """Write an archive for whoever helps: versions, settings, findings, figures, without secrets and numbers.

    FILE (messenger-support-TIME.zip unless named) is made for its owner alone and must not be there yet.
    Read it before you hand it on: names of hosts stay in it.
    """
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    path = file or Path(time.strftime("messenger-support-%Y%m%d-%H%M%S.zip"))
    try:
        config, faults = configuration.load(), []
    except SettingsError as error:
        config, faults = None, error.faults
    try:
        descriptor = create(path)
    except OSError as error:
        fail(f"{path}: {error.strerror}")
    with os.fdopen(descriptor, "wb") as file_, zipfile.ZipFile(file_, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in packet(config, faults, log, timeout):
            archive.writestr(part.name, part.text)
            say(f"{part.name:<14} {part.about}")
    say(f"Written to {path}. Read it before you hand it on: names of hosts stay in it.")

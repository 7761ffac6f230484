"""The console on an address of its own (ADMIN_LISTEN), in a process beside those of the API."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from flask import Flask
from granian import Granian
from granian.constants import HTTPModes, Interfaces

from messenger_api.app import build_console
from messenger_api.cli.common import built, check_port, plainly
from messenger_api.processes import end_with_parent
from messenger_api.settings import Settings

THREADS = 4
STOP_SECONDS = 10


def check_console_port(config: Settings) -> None:
    """Refuse an ADMIN_LISTEN that cannot be listened on."""
    if config.admin_listen:
        check_port(*_address(config))


@contextmanager
def console_beside(config: Settings) -> Iterator[None]:
    """Serve the console meanwhile, where it has an address of its own."""
    if not config.admin_listen:
        yield
        return
    beside = multiprocessing.get_context("spawn").Process(target=_serve, args=(config, os.getpid()))
    beside.start()
    try:
        yield
    finally:
        beside.terminate()
        beside.join(STOP_SECONDS)


def _serve(config: Settings, parent: int) -> None:
    end_with_parent(parent)
    host, port = _address(config)
    server = Granian(
        "messenger_api",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        blocking_threads=THREADS,
        respawn_failed_workers=True,
        log_enabled=False,
    )
    server.serve(target_loader=partial(_application, config, os.getpid()), wrap_loader=False)


def _application(config: Settings, parent: int) -> Flask:
    end_with_parent(parent)
    # As the API's processes do (`commands.serve`).
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    with plainly():
        return built(lambda: build_console(config))


def _address(config: Settings) -> tuple[str, int]:
    host, _, port = config.admin_listen.rpartition(":")
    return host.strip("[]"), int(port)

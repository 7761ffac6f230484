"""The console on an address of its own (ADMIN_LISTEN), in a process beside those of the API."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from flask import Flask

from messenger_api.app import build_console
from messenger_api.cli.common import built, check_port, plainly
from messenger_api.cli.serving import serve_until_stopped
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
    serve_until_stopped(partial(_application, config), host, port, threads=THREADS, respawn=True)


def _application(config: Settings) -> Flask:
    with plainly():
        return built(lambda: build_console(config))


def _address(config: Settings) -> tuple[str, int]:
    host, _, port = config.admin_listen.rpartition(":")
    return host.strip("[]"), int(port)

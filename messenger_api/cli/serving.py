"""How commands serve: Granian, and worker processes that end with the command."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from granian import Granian
from granian.constants import HTTPModes, Interfaces

from messenger_api.processes import end_with_parent, share_heap

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Build = Callable[[], "WSGIApplication"]


def serve_until_stopped(
    build: Build,
    host: str,
    port: int,
    *,
    threads: int,
    workers: int = 1,
    backlog: int = 1024,
    connections: int | None = None,
    respawn: bool = False,
    stop_seconds: int | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        build: makes the application, in each worker process.
        host: the address to listen on.
        port: the port there.
        threads: of a process, in which requests run.
        workers: processes.
        backlog: connections that were made and not yet accepted.
        connections: that a process holds; None: as many as are accepted.
        respawn: whether a process that died is replaced.
        stop_seconds: how long a stop waits for requests under way; None: until they end.
    """
    share_heap()
    server = Granian(
        "messenger_api",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        # Phones and proxies speak HTTP/1.1 here; in HTTP/2 one connection could hold hundreds of bodies.
        http=HTTPModes.http1,
        workers=workers,
        backlog=backlog,
        backpressure=connections,
        blocking_threads=threads,
        respawn_failed_workers=respawn,
        workers_kill_timeout=stop_seconds,
        log_enabled=False,
    )
    server.serve(target_loader=partial(_application, build, os.getpid()), wrap_loader=False)


def _application(build: Build, parent: int) -> WSGIApplication:
    """What a worker process serves."""
    end_with_parent(parent)
    # Until the server sets its own handler, a forked process has its parent's, which would not end it.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # A terminal sends Ctrl-C to every process, and the parent then SIGTERM to its workers. Granian (2.8)
    # sometimes hangs on two signals at once, so the workers leave the first one to the parent.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    return build()

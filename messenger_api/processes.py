"""The application under servers that fork, what ends a process whose parent is gone, what a start tells."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import make_url

from messenger_api.settings import Settings, origin
from messenger_api.settings.record import SHORTEST_KEY
from messenger_api.version import VERSION

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = structlog.get_logger(__name__)

WATCH_SECONDS = 1.0
_PR_SET_PDEATHSIG = 1  # prctl(2)
_M_ARENA_MAX = -8  # mallopt(3)


class EachProcess:
    """One application in every process that answers.

    gunicorn with --preload and uWSGI build it in a process that then only makes others. Threads, locks and
    connections do not survive that. So a process that answers, and did not build it, builds its own; and
    what runs beside the requests begins with the first one.
    """

    def __init__(
        self,
        app: WSGIApplication,
        begin: Callable[[], None],
        build: Callable[[], tuple[WSGIApplication, Callable[[], None]]],
    ) -> None:
        self._app = app
        self._begin = begin
        self._build = build
        self._built_in = os.getpid()
        self._answers_in = 0
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        if self._answers_in != os.getpid():
            self._move_in()
        return self._app(environ, start_response)

    def _move_in(self) -> None:
        with self._lock:
            if self._answers_in == os.getpid():
                return
            if self._built_in != os.getpid():
                self._app, self._begin = self._build()
            self._begin()
            self._answers_in = os.getpid()


def end_with_parent(parent: int) -> None:
    """End this process at once when its parent does: as after kill -9, which leaves nobody to end it.

    Args:
        parent: the process id of the parent, as it was before this process was made.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    else:
        threading.Thread(target=_watch, args=(parent,), name="parent", daemon=True).start()
    if os.getppid() != parent:  # it ended before it could be watched
        os._exit(1)


def share_heap() -> None:
    """Have the threads of this process, and of those it forks, take memory from one heap.

    glibc gives threads heaps of their own, up to eight a core, and each keeps what its largest answer took.
    The threads of one interpreter wait for each other anyway (docs/benchmarks.md, "Start and memory"). Other
    C libraries have one heap, or no such setting.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(_M_ARENA_MAX, 1)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    os._exit(1)


def database_of(settings: Settings) -> str:
    """Which database it is, without user and password."""
    address = make_url(settings.database_uri)
    if settings.is_sqlite:
        return f"SQLite, {address.database or 'in memory'}"
    if settings.sqlalchemy_database_uri:
        return f"{address.host}:{address.port or 3306}, {address.database}"
    return f"{settings.db_host}:{settings.db_port}, {settings.db_name}"


def started(settings: Settings) -> dict[str, str]:
    """What a line of the log says when a process starts or stops."""
    return {"version": VERSION, "configuration": origin(), "database": database_of(settings)}


def warn_of_key(settings: Settings) -> None:
    """A line of the log about a SECRET_KEY that can be guessed."""
    if settings.key_is_short:
        log.warning("secret_key.short", shorter_than=SHORTEST_KEY, to_do="messenger-api secret rotate")

"""The replay: what the driver takes for the statements of an op, sent by connections with nothing else to do.

They are recorded from the product itself, then sent again, word for word, by PyMySQL or sqlite3: no HTTP, no
framework, no building of statements, no shaping of rows. Better statements, or another driver, take less.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pymysql
from flask import Flask
from pymysql.constants import CLIENT
from sqlalchemy import event, make_url

from benchmarks.load import CONNECTIONS, Request
from messenger_api import configuration
from messenger_api.app import build_app, parts_of
from messenger_api.storage import db as databases

Statement = tuple[str, Any]
Recording = list[Statement]

PROCESSES = 2
CONTROL = frozenset({"BEGIN", "BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"})
# Until all processes of the pool have their connections.
GATHER_SECONDS = 0.3


@dataclass(frozen=True)
class Replay:
    """Ops a second: by as many connections as the load has, in two processes, and by one connection."""

    rate: float
    alone: float


class Recorder:
    """Makes requests to the product in a process of its own and notes the statements that they send."""

    def __init__(self, settings: dict[str, str]) -> None:
        self._pool = ProcessPoolExecutor(
            1, mp_context=get_context("spawn"), initializer=_open_product, initargs=(settings,)
        )

    def record(self, requests: Sequence[Request]) -> list[Recording]:
        """The statements of each request, in order."""
        return self._pool.submit(_record, requests).result()

    def close(self) -> None:
        """End the process."""
        self._pool.submit(_close_product).result()
        self._pool.shutdown()


_product: list[Flask] = []


def _open_product(settings: dict[str, str]) -> None:
    sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - text messages are printed until the end
    app = build_app(configuration.build(**settings, outbox_in_server=False, log_level="error"))
    _product.append(app)
    parts_of(app).services.database.run(lambda tx: tx.exec_driver_sql("SELECT 1").all())


def _close_product() -> None:
    parts_of(_product.pop()).close()


def _record(requests: Sequence[Request]) -> list[Recording]:
    app = _product[0]
    client = app.test_client()
    sent: Recording = []

    def note(_c: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        sent.append((statement, _portable(values)))

    engine = parts_of(app).services.database.engine
    event.listen(engine, "before_cursor_execute", note)
    recordings = []
    try:
        for one in requests:
            sent.clear()
            client.open(one.path, method=one.method, data=one.body, content_type=one.content_type).close()
            recordings.append(list(sent))
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return recordings


class Replayer:
    """Sends recorded statements again."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._pool = ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn"))
        list(self._pool.map(_wait, [0.5] * PROCESSES))  # both processes are up

    def replay(self, recordings: Sequence[Recording], seconds: float) -> Replay:
        """Measure it. Recordings without a statement have none."""
        return Replay(self._rate(recordings, CONNECTIONS, seconds), self._rate(recordings, 1, seconds))

    def _rate(self, recordings: Sequence[Recording], connections: int, seconds: float) -> float:
        """Every connection has recordings of its own, as every request in a server has rows of its own."""
        each = [recordings[index::connections] or recordings[:1] for index in range(connections)]
        begin = time.time() + min(GATHER_SECONDS, seconds)
        parts = [each[index::PROCESSES] for index in range(PROCESSES)]
        work = [self._pool.submit(_replay, self._uri, part, begin, seconds) for part in parts if part]
        return sum(done.result() for done in work) / seconds

    def close(self) -> None:
        """End the processes."""
        self._pool.shutdown()


def _wait(seconds: float) -> None:
    time.sleep(seconds)


def _replay(uri: str, each: Sequence[Sequence[Recording]], begin: float, seconds: float) -> int:
    """Send them in one thread a connection; how many recordings were gone through."""
    counts = [0] * len(each)
    faults: list[Exception] = []

    def work(index: int) -> None:
        try:
            counts[index] = _go_through(uri, each[index], begin, seconds)
        except Exception as error:  # noqa: BLE001 - raised again, outside of the thread
            faults.append(error)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(each))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise RuntimeError(f"a statement failed when it was sent again: {faults[0]}")
    return sum(counts)


def _go_through(uri: str, recordings: Sequence[Recording], begin: float, seconds: float) -> int:
    with _connection(uri) as (send, ready):
        scripts = [[ready(*statement) for statement in recording] for recording in recordings]
        time.sleep(max(0.0, begin - time.time()))
        until, count = begin + seconds, 0
        while time.time() < until:
            for prepared in scripts[count % len(scripts)]:
                send(*prepared)
            count += 1
        return count


Send = Callable[..., object]


@contextmanager
def _connection(uri: str) -> Iterator[tuple[Send, Callable[[str, Any], tuple[Any, ...]]]]:
    """A function that sends a statement and fetches its rows, and one that makes it ready before."""
    url = make_url(uri)
    if url.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(str(url.database), timeout=20, isolation_level=None)) as lite:
            databases._prepare_sqlite(lite, None)
            yield (lambda *prepared: lite.execute(*prepared).fetchall()), lambda *statement: statement
        return
    with closing(
        pymysql.connect(
            host=str(url.host),
            port=url.port or 0,
            user=str(url.username),
            database=url.database,
            charset="utf8mb4",
            autocommit=True,
            client_flag=CLIENT.FOUND_ROWS,
        )
    ) as maria:
        databases._prepare_mysql(maria, SimpleNamespace(info={}))
        cursor = maria.cursor()

        def send(statement: str) -> object:
            cursor.execute(statement)
            return cursor.fetchall()

        yield send, lambda statement, values: (cursor.mogrify(statement, values),)


def _portable(values: Any) -> Any:
    """SQLite's driver is handed views of bytes, which cannot go to another process."""
    if isinstance(values, tuple):
        return tuple(bytes(value) if isinstance(value, memoryview) else value for value in values)
    return values


def statements(recordings: Sequence[Recording]) -> tuple[int, int]:
    """How many statements most of the recordings have: those that work, and those around a transaction."""
    counts = sorted(
        (
            sum(statement not in CONTROL for statement, _ in recording),
            sum(statement in CONTROL for statement, _ in recording),
        )
        for recording in recordings
    )
    return counts[len(counts) // 2] if counts else (0, 0)

"""Processes that deliver the outbox."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.processes import ServerProcess
from tests.servers import ROOT


class Workers:
    """`messenger-api worker`, as often as wanted, on one database of a MariaDB."""

    def __init__(self, uri: str, mesibo_url: str, folder: Path, **keys: str) -> None:
        self.folder = folder
        machine = {key: value for key, value in os.environ.items() if not key.startswith("MESSENGER_")}
        self._environment = {
            **machine,
            "PYTHONPATH": str(ROOT),
            "MESSENGER_SQLALCHEMY_DATABASE_URI": uri,
            "MESSENGER_SECRET_KEY": "a test's own secret key",
            "MESSENGER_MESIBO_API_URL": mesibo_url,
            "MESSENGER_MESIBO_APP_TOKEN": "sandbox",
            **keys,
        }

    @contextmanager
    def running(self, count: int) -> Iterator[list[ServerProcess]]:
        """This many workers."""
        command = [sys.executable, "-m", "messenger_api", "worker"]
        with ExitStack() as ended:
            workers = []
            for number in range(count):
                log = self.folder / f"worker-{number}.log"
                worker = ServerProcess(command, log, cwd=self.folder, environment=self._environment)
                ended.callback(worker.kill)
                workers.append(worker)
            yield workers

    def are_up(self) -> bool:
        """Whether all of them said so."""
        return all("delivers the outbox" in log.read_text() for log in self.folder.glob("worker-*.log"))

"""Processes that deliver the outbox."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from messenger_api import configuration
from messenger_api.app import build_app, parts_of
from messenger_api.services.record import Services
from tests.processes import ServerProcess
from tests.servers import ROOT, MariaDB

SECRET_KEY = "a test's own secret key"


class Workers:
    """`messenger-api worker`, as often as wanted, on one database of a MariaDB."""

    def __init__(self, uri: str, mesibo_url: str, folder: Path, **keys: str) -> None:
        self.folder = folder
        machine = {key: value for key, value in os.environ.items() if not key.startswith("MESSENGER_")}
        self._environment = {
            **machine,
            "PYTHONPATH": str(ROOT),
            "MESSENGER_SQLALCHEMY_DATABASE_URI": uri,
            "MESSENGER_SECRET_KEY": SECRET_KEY,
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


@contextmanager
def services_and_workers(
    mariadb: MariaDB, database: str, mesibo_url: str, folder: Path, **keys: str
) -> Iterator[tuple[Services, Workers]]:
    """The services on a database of their own, and workers for it; `keys` are the workers' alone."""
    mariadb.create_database(database)
    uri = mariadb.uri(database)
    folders = {name: str(folder / name) for name in ("instance_path", "files_path", "files_tn_path")}
    settings = configuration.build(
        sqlalchemy_database_uri=uri,
        secret_key=SECRET_KEY,
        mesibo_app_token="sandbox",
        mesibo_api_url=mesibo_url,
        **folders,
    )
    parts = parts_of(build_app(settings))
    parts.schema.upgrade()
    yield parts.services, Workers(uri, mesibo_url, folder, **keys)
    parts.close()
    mariadb.drop_database(database)

"""Real servers for the tests: MariaDB, the product itself and Chromium, private and gone afterwards."""

from __future__ import annotations

import atexit
import functools
import http.client
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pymysql
from pymysql.constants import CLIENT

from tests.processes import LOOPBACK, Server, ServerError, ServerProcess, free_port, program, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = [
    "LOOPBACK",
    "ROOT",
    "MariaDB",
    "ProductServer",
    "ServerError",
    "free_port",
    "open_browser",
    "wait_for",
]

ROOT = Path(__file__).resolve().parent.parent
IS_ROOT = os.geteuid() == 0

MARIADB_OPTIONS = [
    "--no-defaults",  # nothing of a MariaDB that this machine may have
    "--skip-name-resolve",
    "--character-set-server=utf8mb4",
    "--innodb-buffer-pool-size=64M",
    "--innodb-log-file-size=16M",
    # What was committed survives the death of the server, though not of the machine: enough here, and quick.
    "--innodb-flush-log-at-trx-commit=2",
    *(["--user=root"] if IS_ROOT else []),
]


@functools.cache
def _mariadb_template() -> Path:
    """A data folder made once in a run; every server starts from a copy."""
    folder = Path(tempfile.mkdtemp(prefix="messenger-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    make = [
        program("mariadb-install-db"),
        *MARIADB_OPTIONS,
        f"--datadir={folder / 'data'}",
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
        "--force",  # nothing here depends on whether this machine's name can be looked up
    ]
    done = subprocess.run(make, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ServerError(f"mariadb-install-db failed:\n{done.stdout}{done.stderr}")
    return folder / "data"


class MariaDB(Server):
    """A MariaDB on a free port of the loopback address, its data in a temporary folder.

    A `folder` that is named is kept, and found again by the next server there. `options` come last.
    """

    def __init__(self, folder: Path | None = None, options: Sequence[str] = ()) -> None:
        self.port = free_port()
        self.folder = folder or Path(tempfile.mkdtemp(prefix="messenger-mariadb-"))
        self._is_kept = folder is not None
        self._options = options
        if not (self.folder / "data").exists():
            shutil.copytree(_mariadb_template(), self.folder / "data")

    def start(self) -> None:
        command = [
            program("mariadbd"),
            *MARIADB_OPTIONS,
            f"--datadir={self.folder / 'data'}",
            # In a folder that servers share, one that starts deletes the temporary tables of the others.
            f"--tmpdir={self.folder}",
            f"--socket={self.folder / 'socket'}",
            f"--pid-file={self.folder / 'pid'}",
            f"--bind-address={LOOPBACK}",
            f"--port={self.port}",
            *self._options,
        ]
        self.process = ServerProcess(command, self.folder / "log")
        self.process.wait_until(self._answers)

    def close(self) -> None:
        """Stop, and delete the data unless the folder was named."""
        try:
            self.stop()
        finally:
            if not self._is_kept:
                shutil.rmtree(self.folder, ignore_errors=True)

    def uri(self, database: str, driver: str = "pymysql") -> str:
        """SQLAlchemy's address of a database on this server."""
        return f"mysql+{driver}://root@{LOOPBACK}:{self.port}/{database}?charset=utf8mb4"

    def query(self, statement: str, *values: object, database: str | None = None) -> list[tuple[object, ...]]:
        """Run one statement in a connection of its own, commit, and return the rows."""
        connection = pymysql.connect(
            host=LOOPBACK, port=self.port, user="root", database=database, charset="utf8mb4", autocommit=True
        )
        with closing(connection), connection.cursor() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall())

    def run(self, statements: Sequence[str], database: str) -> None:
        """Run statements on one trip, each a transaction of its own."""
        connection = pymysql.connect(
            host=LOOPBACK,
            port=self.port,
            user="root",
            database=database,
            autocommit=True,
            client_flag=CLIENT.MULTI_STATEMENTS,
        )
        with closing(connection), connection.cursor() as cursor:
            cursor.execute("; ".join(statements))
            while cursor.nextset():
                pass

    def create_database(self, name: str) -> None:
        self.query(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")

    def drop_database(self, name: str, patience: int = 5) -> None:
        """Drop it; a transaction that a test left open is an error after `patience` seconds."""
        self.query(f"SET STATEMENT lock_wait_timeout = {patience} FOR DROP DATABASE `{name}`")

    def _answers(self) -> bool:
        with suppress(pymysql.OperationalError):
            return bool(self.query("SELECT 1"))
        return False


class ProductServer(Server):
    """The product as its operator starts it: a process of its own, in a folder of its own.

    `environment` holds `MESSENGER_*` keys; those of the machine and its `config.py` play no part.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.port = free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.folder = folder
        self._log = folder / f"server-{self.port}.log"
        machine = {key: value for key, value in os.environ.items() if not key.startswith("MESSENGER_")}
        self._environment = {
            **machine,
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "MESSENGER_LOG_LEVEL": "debug",
            **(environment or {}),
        }

    def start(self) -> None:
        python = [sys.executable, "-m", "messenger_api"]
        self.process = ServerProcess(
            [*python, "serve", "--sandbox", "--host", LOOPBACK, "--port", str(self.port)],
            self._log,
            orphan_signal="TERM",  # it has workers to take along
            cwd=self.folder,
            environment=self._environment,
        )
        self.process.wait_until(self._is_healthy)

    def log(self) -> str:
        """Everything printed so far, restarts included."""
        return self._log.read_text() if self._log.exists() else ""

    def _is_healthy(self) -> bool:
        with closing(http.client.HTTPConnection(LOOPBACK, self.port, timeout=5)) as connection:
            try:
                connection.request("GET", "/healthz")
                return connection.getresponse().status == http.client.OK
            except (OSError, http.client.HTTPException):
                return False


@contextmanager
def open_browser() -> Iterator[Browser]:
    """The Chromium of this machine, without a window, closed at the end; none is ever downloaded."""
    from playwright.sync_api import sync_playwright  # half a second that only browser tests should pay

    flags = [
        "--disable-quic",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {LOOPBACK}, EXCLUDE localhost",
    ]
    path = program("chromium", "chromium-browser", "google-chrome", "Google Chrome")
    with sync_playwright() as playwright:
        # Chromium refuses its own sandbox to root, who has to go without.
        browser = playwright.chromium.launch(executable_path=path, args=flags, chromium_sandbox=not IS_ROOT)
        with closing(browser):
            yield browser

"""The commands as an operator runs them: in this process where that is enough, else as processes."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
import structlog
from argon2 import PasswordHasher

from messenger_api.sandbox.server import APP_TOKEN, SandboxServer
from messenger_api.sandbox.store import SandboxStore
from tests.cli.commands import Cli, Process, Start
from tests.gateways.mesibo_stub import Stub, serving
from tests.product import Product
from tests.trust.conftest import PAID
from tests.trust.network import Network


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands in this process make hashes that take no time; `login/test_passwords.py` has real ones."""
    quick = partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr("argon2.PasswordHasher", quick)


@pytest.fixture
def keys(database_uri: str, tmp_path: Path) -> dict[str, str]:
    """The configuration of an installation in a folder of the test's own, as environment variables."""
    return {
        "MESSENGER_SQLALCHEMY_DATABASE_URI": database_uri,
        "MESSENGER_SECRET_KEY": "a test's own secret key, long enough",
        "MESSENGER_SANDBOX": "true",
        "MESSENGER_INSTANCE_PATH": str(tmp_path / "instance"),
        "MESSENGER_FILES_PATH": str(tmp_path / "files"),
        "MESSENGER_FILES_TN_PATH": str(tmp_path / "files" / "tn"),
    }


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    """Runs commands in this process, in a folder with no configuration but what the test gives."""
    monkeypatch.chdir(tmp_path)
    logging_before = structlog.get_config()
    level = logging.getLogger().level
    yield Cli()
    logging.getLogger().setLevel(level)
    structlog.configure(**logging_before)


@pytest.fixture
def installation(cli: Cli, keys: dict[str, str], tmp_path: Path) -> Iterator[Product]:
    """The product with tables made by `db upgrade`, so that commands and product share a database."""
    cli.environment.update(keys)
    cli.upgrade()
    product = Product(
        keys["MESSENGER_SQLALCHEMY_DATABASE_URI"], tmp_path, secret_key=keys["MESSENGER_SECRET_KEY"]
    )
    yield product
    product.close()


@pytest.fixture
def paying(cli: Cli, keys: dict[str, str], tmp_path: Path) -> Iterator[Product]:
    """A product whose texts cost money, on the database that the commands use."""
    Network.reset()
    cli.environment.update(keys)
    cli.upgrade()
    product = Product(
        keys["MESSENGER_SQLALCHEMY_DATABASE_URI"],
        tmp_path,
        secret_key=keys["MESSENGER_SECRET_KEY"],
        sms_countries=["DE"],
        sms_providers=PAID["sms_providers"],
        sms_per_number_hour=100,
    )
    yield product
    product.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SandboxStore]:
    with SandboxStore(tmp_path / "sandbox.sqlite3") as store:
        yield store


@pytest.fixture
def sandboxed(cli: Cli, store: SandboxStore) -> Iterator[Cli]:
    """Commands whose mesibo is the sandbox, over HTTP."""
    with SandboxServer(store) as server:
        cli.environment["MESSENGER_MESIBO_API_URL"] = f"{server.url}/backend"
        cli.environment["MESSENGER_MESIBO_APP_TOKEN"] = APP_TOKEN
        yield cli


@pytest.fixture
def scripted(cli: Cli) -> Iterator[tuple[Cli, Stub]]:
    """Commands whose mesibo answers as the test says."""
    with serving() as stub:
        cli.environment["MESSENGER_MESIBO_API_URL"] = stub.url
        cli.environment["MESSENGER_MESIBO_APP_TOKEN"] = "app0token"
        yield cli, stub


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts commands as processes of their own, and ends them."""
    with ExitStack() as processes:

        def start(*arguments: str, **environment: str) -> Process:
            process = Process(tmp_path, arguments, environment)
            processes.callback(process.kill)
            return process

        yield start

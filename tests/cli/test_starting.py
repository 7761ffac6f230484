"""`serve` and `worker` start beside their database, and `serve` says where phones find it."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from messenger_api import configuration
from messenger_api.cli import starting
from tests.cli.commands import Cli, Start
from tests.processes import LOOPBACK, free_port
from tests.servers import MariaDB

ALONE = {"MESSENGER_SANDBOX": "local", "MESSENGER_SECRET_KEY": "k" * 32}


@pytest.fixture
def late(tmp_path: Path, cli: Cli) -> Iterator[MariaDB]:
    """A MariaDB with our tables, which is not running."""
    mariadb = MariaDB(tmp_path / "mariadb")
    with mariadb:
        mariadb.create_database("late")
        cli.environment.update(ALONE, MESSENGER_SQLALCHEMY_DATABASE_URI=mariadb.uri("late"))
        cli.ok("db", "upgrade")
        mariadb.stop()
        yield mariadb


@pytest.mark.server
@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_database_that_starts_later_is_waited_for(
    start: Start, cli: Cli, late: MariaDB, command: str
) -> None:
    port = free_port()
    options = ["--port", str(port)] if command == "serve" else []
    process = start(command, *options, **cli.environment)
    process.says(f"Waiting up to 60 s for the database at {LOOPBACK}:{late.port}, late.")
    late.start()
    if command == "serve":
        process.says("The private API answers at")
        process.wait_until(lambda: is_ready(port))
    else:
        process.says("The worker delivers the outbox.")
    process.stop()


def is_ready(port: int) -> bool:
    try:
        return requests.get(f"http://{LOOPBACK}:{port}/readyz", timeout=5).ok
    except requests.ConnectionError:
        return False


def test_a_database_that_never_comes_ends_the_start_with_a_sentence(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "DATABASE_SECONDS", 0.2)
    uri = f"mysql+pymysql://root@{LOOPBACK}:{free_port()}/late"
    ended = cli.run("worker", MESSENGER_SQLALCHEMY_DATABASE_URI=uri, **ALONE)
    assert ended.exit_code == 1
    assert ended.stdout.startswith("Waiting up to 0.2 s for the database at ")
    assert "The database cannot do it: OperationalError" in ended.stderr


@pytest.mark.server
def test_a_refusal_of_the_database_is_not_waited_for(cli: Cli, mariadb: MariaDB) -> None:
    uri = mariadb.uri("no_such_database")
    ended = cli.run("worker", MESSENGER_SQLALCHEMY_DATABASE_URI=uri, **ALONE)
    assert ended.exit_code == 1
    assert "Waiting" not in ended.output
    assert "no_such_database" in ended.stderr


def banner(tmp_path: Path, host: str, **keys: object) -> str:
    return starting.welcome(configuration.build(instance_path=str(tmp_path), **keys), host, 8080)


@pytest.mark.parametrize(("host", "own"), [("0.0.0.0", "127.0.0.1"), ("::", "[::1]")])
def test_who_listens_on_all_addresses_is_told_the_one_that_phones_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, own: str
) -> None:
    monkeypatch.setattr(starting, "_FAR", {socket.AF_INET: LOOPBACK})
    said = banner(tmp_path, host)
    assert f"answers at  http://{own}:8080/api.php" in said
    found = re.search(r"For phones in this network  http://(.+):8080/api.php", said)
    assert found
    assert ipaddress.ip_address(found[1])


def test_without_a_network_no_address_for_phones_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "_FAR", {})
    assert "For phones" not in banner(tmp_path, "0.0.0.0")


def test_who_listens_on_one_address_is_told_that_one(tmp_path: Path) -> None:
    said = banner(tmp_path, "127.0.0.1", public_url="https://chat.example.com/")
    assert "For phones" not in said
    assert "For the apps (PUBLIC_URL)   https://chat.example.com/api.php" in said

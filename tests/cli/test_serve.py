"""`messenger-api serve`: it starts by itself, refuses what is dangerous, and stops without a loss."""

from __future__ import annotations

import os
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import requests

from messenger_api.sandbox import Faults, SandboxStore
from tests.cli.commands import NEWEST, Cli, Process, Start, children, url_in
from tests.processes import LOOPBACK, free_port, wait_for
from tests.servers import MariaDB

pytestmark = pytest.mark.server

APPID = "com.example.messenger"
ANA, BEN = "14155550101", "14155550102"
# Requests under way are waited for; with none, a stop takes a moment. The limit is for slow machines.
PROMPT = 8
# What glibc (2.36) reserves for a heap that is not a process's first one.
THREADS_HEAP = 64 * 1024**2

Serve = Callable[..., "Server"]


class Server:
    """A server that runs."""

    def __init__(self, process: Process, port: int, store: SandboxStore | None) -> None:
        self.process = process
        self.url = f"http://{LOOPBACK}:{port}"
        self._store = store

    @property
    def store(self) -> SandboxStore:
        assert self._store
        return self._store

    def call(self, op: str, **fields: object) -> dict[str, Any]:
        answer: dict[str, Any] = requests.post(f"{self.url}/api.php", {"op": op, **fields}, timeout=30).json()
        return answer

    def is_ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/readyz", timeout=5).ok
        except requests.ConnectionError:
            return False

    def code(self, number: str) -> str:
        """The code in the newest text to a number."""
        self.call("login", phone=number, appid=APPID)
        text = next(text.text for text in self.store.texts() if text.to == number)
        found = re.search(r"\d{6}", text)
        assert found
        return found[0]

    def log_in(self, number: str) -> str:
        """Log in, and return the token."""
        answer = self.call("login", phone=number, appid=APPID, otp=self.code(number))
        token: str = answer["token"]
        return token


@pytest.fixture
def serve(start: Start, tmp_path: Path) -> Iterator[Serve]:
    """Starts the server on a free port and waits until it is ready."""
    stores = []

    def serve(*arguments: str, sandbox: bool = True, **environment: str) -> Server:
        port = free_port()
        asked = ["--sandbox"] if sandbox else []
        process = start("serve", "--port", str(port), *asked, *arguments, **environment)
        server = Server(process, port, None)
        process.wait_until(server.is_ready)
        if sandbox:
            stores.append(SandboxStore(tmp_path / "instance" / "sandbox.sqlite3"))
            server = Server(process, port, stores[-1])
        return server

    yield serve
    for store in stores:
        store.close()


def refused(start: Start, *arguments: str, **environment: str) -> str:
    """What a start says that must be refused."""
    process = start("serve", *arguments, **environment)
    assert process.ends() == 1
    assert "Traceback" not in process.output()
    return process.output()


# Starting


def test_a_new_folder_needs_nothing_but_the_start_which_says_where_to_look(
    serve: Serve, tmp_path: Path
) -> None:
    server = serve()
    assert server.log_in(ANA)
    assert (tmp_path / "instance" / "messenger.sqlite3").exists()
    for path in ("/api.php", "/readyz", "/sandbox", "/sandbox/mesibo/backend"):
        assert requests.get(url_in(server.process.output(), path), timeout=5).ok


def test_the_threads_of_a_worker_share_one_heap(serve: Serve) -> None:
    server = serve()
    (worker,) = children(server.process.pid)
    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(lambda _: server.call("login", phone=ANA, appid="x" * 50_000), range(80)))
    assert {answer["op"] for answer in answers} == {"login"}
    assert heaps_of_threads(worker) == 0


def heaps_of_threads(pid: int) -> int:
    """Heaps beside a process's first one: what is in use of each, and behind it what is only reserved."""
    lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
    spans = [([int(end, 16) for end in line.split()[0].split("-")], line.split()[1]) for line in lines]
    return sum(
        used == "rw-p" and kept == "---p" and middle == begin and end - start == THREADS_HEAP
        for ((start, middle), used), ((begin, end), kept) in pairwise(spans)
    )


def test_with_a_real_mesibo_no_sandbox_is_offered(serve: Serve) -> None:
    server = serve(sandbox=False, MESSENGER_MESIBO_APP_TOKEN="token")
    assert "No sandbox" not in server.process.output()
    assert "/sandbox" not in server.process.output()
    assert requests.get(f"{server.url}/sandbox", timeout=5).status_code == requests.codes.not_found


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_with_neither_mesibo_nor_the_sandbox_nothing_starts(start: Start, command: str) -> None:
    process = start(command)
    assert process.ends() == 1
    said = process.output()
    assert "Traceback" not in said
    for way in ("MESIBO_APP_TOKEN", "there is no ", "config.py", "serve --sandbox", "SANDBOX = True"):
        assert way in said


def test_the_start_says_which_configuration_and_database_it_took(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "config.py").write_text('SECRET_KEY = "keep this out of the banner"\n')
    said = serve(MESSENGER_GOOGLE_MAP_KEY="nor this").process.output()
    assert str(tmp_path / "config.py") in said
    assert "MESSENGER_GOOGLE_MAP_KEY" in said
    assert str(tmp_path / "instance" / "messenger.sqlite3") in said
    assert "keep this" not in said
    assert "nor this" not in said


def test_with_a_token_the_sandbox_is_not_used_though_offered(serve: Serve) -> None:
    server = serve("--sandbox", sandbox=False, MESSENGER_MESIBO_APP_TOKEN="token")
    assert "  No sandbox, no playground   MESIBO_APP_TOKEN is set" in server.process.output()
    assert "/sandbox" not in server.process.output()
    assert "sandbox.in_use" not in server.process.output()


def test_kill_9_of_the_parent_ends_its_workers_and_frees_the_port(serve: Serve, start: Start) -> None:
    server = serve("--workers", "2")
    workers = children(server.process.pid)
    os.kill(server.process.pid, signal.SIGKILL)
    wait_for(lambda: not any(map(is_running, workers)), 5, "the end of the workers")
    port = server.url.rpartition(":")[2]
    again = start("serve", "--sandbox", "--port", port)
    again.wait_until(server.is_ready)


def is_running(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_old_tables_in_sqlite_are_upgraded_by_the_start(serve: Serve, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "instance").mkdir()
    (tmp_path / "instance" / "messenger.sqlite3").touch()
    assert cli.ok("db", "current").startswith("no tables")
    serve()
    assert cli.ok("db", "current") == f"{NEWEST}\n"


def test_old_tables_in_mysql_are_refused_with_the_command_to_run(
    start: Start, serve: Serve, cli: Cli, mariadb: MariaDB
) -> None:
    mariadb.create_database("served")
    environment = {
        "MESSENGER_SANDBOX": "local",
        "MESSENGER_SQLALCHEMY_DATABASE_URI": mariadb.uri("served"),
        "MESSENGER_SECRET_KEY": "k" * 32,
    }
    said = refused(start, "--port", str(free_port()), **environment)
    assert said == "The database's tables are not those of this version. Run: messenger-api db upgrade\n"

    cli.ok("db", "upgrade", **environment)
    server = serve(**environment)
    assert server.log_in(ANA)
    server.process.stop()
    mariadb.drop_database("served")


def test_a_wrong_configuration_is_a_line_for_each_fault(start: Start) -> None:
    said = refused(start, MESSENGER_OTP_LENGTH="4", MESSENGER_NO_SUCH_KEY="1", MESSENGER_LIMITS="maybe")
    assert said.splitlines() == [
        "The configuration has faults:",
        "  OTP_LENGTH = 4: accepted is a whole number from 6 to 10",
        "  NO_SUCH_KEY: there is no such key; config.example.py lists them all",
        "  LIMITS = 'maybe': accepted is one of enforce, track, off",
    ]


def test_a_port_that_is_taken_is_said_in_a_line(start: Start) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        said = refused(start, "--sandbox", "--port", str(port))
    assert said == (
        f"Cannot listen on {LOOPBACK}:{port}: Address already in use. Choose another with --port, or"
        f" PORT={port + 1} make run.\n"
    )


def test_a_port_on_which_another_server_of_ours_listens_is_taken(serve: Serve, start: Start) -> None:
    server = serve()
    port = server.url.rpartition(":")[2]
    assert "Address already in use" in refused(start, "--sandbox", "--port", port)
    assert server.is_ready()


def test_the_sandbox_is_not_shown_to_other_machines_unless_that_is_meant(start: Start, cli: Cli) -> None:
    said = refused(start, "--sandbox", "--host", "0.0.0.0", "--port", str(free_port()))
    assert "everyone's login codes" in said
    for way_out in ("MESIBO_APP_TOKEN", "127.0.0.1", "SANDBOX = True"):
        assert way_out in said


@pytest.mark.parametrize(
    "environment", [{"MESSENGER_SANDBOX": "true"}, {"MESSENGER_MESIBO_APP_TOKEN": "token"}]
)
def test_what_is_meant_or_has_no_sandbox_may_be_served_to_all(cli: Cli, environment: dict[str, str]) -> None:
    # Up to the next check: a port that is taken keeps this test from listening on all addresses.
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = str(taken.getsockname()[1])
        result = cli.run("serve", "--host", "0.0.0.0", "--port", port, **environment)
    assert result.stderr.startswith(f"Cannot listen on 0.0.0.0:{port}")


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1"])
def test_an_address_that_is_not_ours_is_said_in_a_line(cli: Cli, host: str) -> None:
    result = cli.run("serve", "--host", host, "--port", str(free_port()), MESSENGER_MESIBO_APP_TOKEN="token")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Cannot listen on {host}:")


@pytest.mark.parametrize("arguments", [("--port", "0"), ("--port", "99999"), ("--workers", "0")])
def test_numbers_out_of_range_are_refused(cli: Cli, arguments: tuple[str, ...]) -> None:
    assert cli.run("serve", *arguments).exit_code == 2


# Stopping


@pytest.mark.parametrize("arguments", [(), ("--workers", "2")])
def test_sigterm_ends_it_at_once_and_without_a_word(serve: Serve, arguments: tuple[str, ...]) -> None:
    server = serve(*arguments)
    server.process.signal(signal.SIGTERM)
    assert server.process.ends(PROMPT) == 0
    assert "Traceback" not in server.process.output()


@pytest.mark.parametrize("arguments", [(), ("--workers", "2")])
def test_ctrl_c_in_a_terminal_ends_it_at_once_and_without_a_word(
    serve: Serve, arguments: tuple[str, ...]
) -> None:
    server = serve(*arguments)
    server.process.signal(signal.SIGINT, group=True)
    assert server.process.ends(PROMPT) == 0
    output = server.process.output()
    assert "Traceback" not in output
    assert "KeyboardInterrupt" not in output


def test_a_connection_that_is_kept_open_does_not_hold_it_up(serve: Serve) -> None:
    server = serve()
    with requests.Session() as browser:
        assert browser.get(f"{server.url}/healthz", timeout=5).ok
        server.process.signal(signal.SIGTERM)
        assert server.process.ends(PROMPT) == 0


def test_a_stop_waits_for_the_requests_under_way(serve: Serve) -> None:
    server = serve()
    code = server.code(ANA)
    Faults(server.store).add("useradd", delay=2, times=1)
    answers: list[dict[str, Any]] = []
    login = threading.Thread(
        target=lambda: answers.append(server.call("login", phone=ANA, appid=APPID, otp=code))
    )
    login.start()
    time.sleep(0.5)

    server.process.signal(signal.SIGTERM)

    assert server.process.ends(PROMPT) == 0
    login.join()
    assert answers[0]["result"] == "OK"


def test_a_client_that_never_finishes_its_request_does_not_hold_it_up_for_long(serve: Serve) -> None:
    server = serve(MESSENGER_MESIBO_TIMEOUT="1")
    with socket.create_connection((LOOPBACK, int(server.url.rpartition(":")[2]))) as client:
        client.sendall(b"POST /api.php HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nop=")
        time.sleep(0.2)
        server.process.signal(signal.SIGTERM)
        assert server.process.ends(PROMPT) == 0
    assert "Traceback" not in server.process.output()


# Several processes


def test_two_processes_on_sqlite_serve_and_deliver_as_one(serve: Serve) -> None:
    server = serve("--workers", "2")
    assert len(children(server.process.pid)) == 2
    ana = server.log_in(ANA)
    assert server.call("getcontacts", token=ana, phones=BEN)["result"] == "OK"
    ben = server.log_in(BEN)
    for number in range(10):
        assert server.call("profile", token=ben, name=f"Ben {number}")["result"] == "OK"

    def told() -> list[str]:
        return [message.text for message in server.store.messages(limit=100) if ANA in message.to]

    # Ben's first login, and his changes, of which those in a row may be told as one, with the newest.
    wait_for(lambda: any("Ben 9" in text for text in told()), 10, "the update messages")
    assert "Ben 9" in told()[0]
    assert 2 <= len(told()) <= 11
    assert server.process.output().count("sandbox.in_use") == 2, "a loud line of each process"


def counted(server: Server) -> float:
    """The calls of an op that nothing else makes, as `/metrics` tells them."""
    page = requests.get(f"{server.url}/metrics", timeout=5).text
    found = re.search(r'messenger_requests_total{error="none",op="loginui"} (.*)', page)
    return float(found[1]) if found else 0


def test_what_two_processes_have_counted_is_told_by_each_while_they_run(serve: Serve) -> None:
    server = serve("--workers", "2")
    for _ in range(20):
        server.call("loginui")
    wait_for(lambda: counted(server) == 20, 30, "both processes to add what they counted")


def test_what_was_counted_before_a_stop_is_told_after_it(serve: Serve) -> None:
    server = serve("--workers", "2")
    for _ in range(20):
        server.call("loginui")
    server.process.signal(signal.SIGTERM)
    assert server.process.ends(PROMPT) == 0
    again = serve()
    again.call("loginui")
    wait_for(lambda: counted(again) == 21, 30, "the first and the second start together")


def test_a_process_that_dies_is_replaced_with_the_settings_of_the_start(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "config.py").write_text('GOOGLE_MAP_KEY = "first"')
    server = serve()
    (tmp_path / "config.py").write_text("a fault that somebody is about to put right")
    (first,) = children(server.process.pid)

    os.kill(first, signal.SIGKILL)

    wait_for(lambda: children(server.process.pid) not in ([], [first]), 10, "a new process")
    wait_for(server.is_ready, 10, "the new process")
    answer = server.call("login", phone=ANA, appid=APPID, otp=server.code(ANA))
    assert answer["google"] == "first"


def test_a_process_that_cannot_start_ends_the_server_with_the_reason_instead_of_being_tried_for_ever(
    serve: Serve, tmp_path: Path
) -> None:
    server = serve()
    (tmp_path / "uploads" / "tn").rmdir()
    (tmp_path / "uploads").rmdir()
    (tmp_path / "uploads").write_text("no folder any more")
    (worker,) = children(server.process.pid)

    os.kill(worker, signal.SIGKILL)

    assert server.process.ends(20) == 1
    output = server.process.output()
    assert "uploads" in output
    assert "Traceback" not in output

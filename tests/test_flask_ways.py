"""Every way in which a Flask person starts an application works on a new folder, or says what is missing."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest
import requests

from tests.processes import LOOPBACK, ServerProcess, free_port, wait_for
from tests.servers import ROOT

pytestmark = pytest.mark.server

APPID = "com.example.messenger"
ANA, BEN = "14155550101", "14155550102"
BIN = Path(sys.executable).parent

SERVE = [sys.executable, "-m", "messenger_api", "serve", "--port", "{port}"]
SCRIPT = [str(BIN / "messenger-api"), "serve", "--port", "{port}"]
FLASK = [sys.executable, "-m", "flask", "--app", "messenger_api", "run", "--port", "{port}"]
FLASK_WSGI = [sys.executable, "-m", "flask", "--app", "messenger_api.wsgi", "run", "--port", "{port}"]
ROUTED = ["env", "MESSENGER_API_SHORTCUT=false"]
GUNICORN = [sys.executable, "-m", "gunicorn", "--threads", "4", "-b", "{host}:{port}"]
FACTORY, OBJECT = "messenger_api:create_app()", "messenger_api.wsgi:application"

WAYS = {
    "serve": SERVE,
    "script": SCRIPT,
    "flask": FLASK,
    "flask through its routes": [*ROUTED, *FLASK],
    "serve through its routes": [*ROUTED, *SERVE],
    "flask on all addresses": [*FLASK, "--host", "0.0.0.0"],
    "flask wsgi": FLASK_WSGI,
    "gunicorn": [*GUNICORN, FACTORY],
    "gunicorn on all addresses": [*GUNICORN[:-1], "0.0.0.0:{port}", FACTORY],
    "gunicorn wsgi": [*GUNICORN, "-w", "2", OBJECT],
    "gunicorn preload": [*GUNICORN, "--preload", "-w", "2", FACTORY],
    "gunicorn preload wsgi": [*GUNICORN, "--preload", "-w", "2", OBJECT],
}


class Way(Protocol):
    """Starts a way, waiting until it answers."""

    def __call__(self, command: list[str], **environment: str) -> str: ...


def started(command: list[str], folder: Path, port: int, environment: dict[str, str]) -> ServerProcess:
    machine = {key: value for key, value in os.environ.items() if not key.startswith("MESSENGER_")}
    return ServerProcess(
        [part.format(host=LOOPBACK, port=port) for part in command],
        folder / "server.log",
        orphan_signal="TERM",
        cwd=folder,
        environment={**machine, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **environment},
    )


@pytest.fixture
def way(tmp_path: Path) -> Iterator[Way]:
    with ExitStack() as processes:

        def way(command: list[str], **environment: str) -> str:
            port = free_port()
            process = started(command, tmp_path, port, environment)
            processes.callback(process.kill)
            process.wait_until(lambda: answers(port))
            return f"http://{LOOPBACK}:{port}"

        yield way


def answers(port: int) -> bool:
    try:
        return requests.get(f"http://{LOOPBACK}:{port}/healthz", timeout=5).status_code in (200, 403)
    except (requests.ConnectionError, requests.Timeout):  # a busy machine takes its time to start
        return False


def call(url: str, **fields: object) -> dict[str, Any]:
    answer: dict[str, Any] = requests.post(f"{url}/api.php", data=fields, timeout=30).json()
    assert answer["result"] == "OK", answer
    return answer


def log_in(url: str, number: str) -> str:
    call(url, op="login", phone=number, appid=APPID)
    texts = requests.get(f"{url}/sandbox/sms.json", timeout=10).json()["sms"]
    code = re.search(r"\d{6}", next(text["text"] for text in texts if text["to"] == number))
    assert code
    token: str = call(url, op="login", phone=number, appid=APPID, otp=code[0])["token"]
    return token


@pytest.mark.parametrize("name", WAYS)
def test_it_works_on_a_new_folder_and_shows_codes_to_its_own_machine_alone(name: str, way: Way) -> None:
    url = way(WAYS[name], MESSENGER_SANDBOX="local", MESSENGER_LIMITS="off")

    ana = log_in(url, ANA)
    call(url, op="getcontacts", token=ana, phones=BEN)
    asked = requests.get(f"{url}/api.php?op=getcontacts&token={ana}&nowhere=1", timeout=30)
    assert asked.json()["result"] == "OK"
    assert asked.headers["X-Messenger-Hint"] == "\"getcontacts takes no 'nowhere'\""
    ben = log_in(url, BEN)
    call(url, op="profile", token=ben, name="Benjamin")

    def told() -> bool:
        return "Benjamin" in requests.get(f"{url}/sandbox/messages.json", timeout=10).text

    wait_for(told, 20, "the message to Ana's phone")
    ready = requests.get(f"{url}/readyz", timeout=10)
    assert (ready.status_code, ready.json()["outbox"]) == (200, "ok")

    for headers in ({"X-Forwarded-For": "192.0.2.1"}, {"Host": "chat.example.com"}, {"Via": "1.1 proxy"}):
        assert requests.get(f"{url}/sandbox/sms.json", headers=headers, timeout=10).status_code == 403
        answer = requests.post(f"{url}/api.php", data={"op": "login"}, headers=headers, timeout=10)
        assert (answer.status_code, answer.json()["error"]) == (200, "TRYLATER")


@pytest.mark.parametrize("name", ["serve", "script", "flask", "gunicorn", "gunicorn preload wsgi"])
def test_without_mesibo_and_without_the_sandbox_it_is_refused_with_what_to_do(
    name: str, tmp_path: Path
) -> None:
    process = started(WAYS[name], tmp_path, free_port(), {})
    try:
        wait_for(lambda: not process.is_running, 60, "the end")
    finally:
        process.kill()
    said = (tmp_path / "server.log").read_text()
    for part in ("MESIBO_APP_TOKEN", "serve --sandbox", "SANDBOX = True", "config.py"):
        assert part in said
    assert not (tmp_path / "instance").exists()


def test_sandbox_true_shows_it_to_others_and_says_so(way: Way, tmp_path: Path) -> None:
    url = way(WAYS["gunicorn"], MESSENGER_SANDBOX="true")
    stranger = {"Host": "chat.example.com", "X-Forwarded-For": "192.0.2.1"}
    assert requests.get(f"{url}/sandbox/sms.json", headers=stranger, timeout=10).ok
    assert "everybody" in (tmp_path / "server.log").read_text()


def test_where_workers_are_to_deliver_the_health_page_tells_that_none_runs(way: Way) -> None:
    url = way(WAYS["flask"], MESSENGER_SANDBOX="local", MESSENGER_OUTBOX_IN_SERVER="false")
    ana = log_in(url, ANA)
    call(url, op="getcontacts", token=ana, phones=BEN)
    ben = log_in(url, BEN)
    call(url, op="profile", token=ben, name="Benjamin")

    def told() -> bool:
        return "nobody delivers" in requests.get(f"{url}/readyz", timeout=10).json()["outbox"]

    wait_for(told, 40, "the health page to tell")


@pytest.mark.parametrize("name", ["flask", "flask wsgi", "flask through its routes", "serve", "gunicorn"])
def test_no_log_holds_what_a_get_brings(name: str, way: Way, tmp_path: Path) -> None:
    url = way(WAYS[name], MESSENGER_SANDBOX="local")
    for path in ("/api.php", "/", "/nowhere", "/files/none.jpg"):
        requests.get(
            f"{url}{path}", {"op": "getcontacts", "token": "5ec4e7", "phone": "+1 415 555 0177"}, timeout=10
        )
    said = (tmp_path / "server.log").read_text()
    assert not re.search("5ec4e7|0177", said)

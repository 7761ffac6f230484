"""The sandbox behind the real nginx with mesibo's own FastCGI lines: every op answers as it does directly."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from messenger_api.mesibo import Client, GroupAdd, Options, UserAdd, Wire
from messenger_api.mesibo.specification import operations
from messenger_api.sandbox import SandboxServer, SandboxStore
from messenger_api.sandbox.mesibo import ACCOUNT_KEY
from messenger_api.sandbox.server import APP_TOKEN
from tests.mesibo.cases import CASES
from tests.processes import LOOPBACK, Server, ServerProcess, free_port, program
from tests.servers import IS_ROOT, ROOT

pytestmark = pytest.mark.server

# As mesibo documents them for its server on premise, word for word.
DOCUMENTED = """\
location /mesiboapi {
    fastcgi_param SCRIPT_FILENAME $request_filename;
    include        fastcgi_params;
    fastcgi_pass   <your docker IP address>:5000;
}
"""
# What operators change: other paths, connections that are kept, bodies that are handed on as they come.
CHANGED = """\
location /backend {
    include           fastcgi_params;
    fastcgi_keep_conn on;
    fastcgi_pass      kept;
}
location /api.php {
    include                   fastcgi_params;
    fastcgi_request_buffering off;
    fastcgi_pass              kept;
}
"""
CONFIG = """\
daemon off;
{user}pid {folder}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
{places}    upstream kept {{
        server {host}:{backend};
        keepalive 2;
    }}
    server {{
        listen {host}:{port};
{lines}    }}
}}
"""
KINDS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
NOW = 1_790_000_000
RANDOM = {"token", "otp"}


class Nginx(Server):
    """Debian's nginx with the documented lines, in front of a FastCGI port."""

    def __init__(self, backend: int) -> None:
        self.port = free_port()
        self.root = f"http://{LOOPBACK}:{self.port}"
        self.url = f"{self.root}/mesiboapi"
        self._backend = backend
        self._folder = Path(tempfile.mkdtemp(prefix="messenger-fastcgi-"))

    def start(self) -> None:
        folder = self._folder
        shutil.copy("/etc/nginx/fastcgi_params", folder)
        places = "".join(f"    {kind}_temp_path {folder}/{kind};\n" for kind in KINDS)
        user = "user root;\n" if IS_ROOT else ""
        config = folder / "nginx.conf"
        lines = DOCUMENTED.replace("<your docker IP address>:5000", f"{LOOPBACK}:{self._backend}") + CHANGED
        ports = {"host": LOOPBACK, "port": self.port, "backend": self._backend}
        config.write_text(CONFIG.format(folder=folder, places=places, user=user, lines=lines, **ports))
        command = [program("nginx"), "-e", "stderr", "-p", str(folder), "-c", str(config)]
        self.process = ServerProcess(command, folder / "log")
        self.process.wait_until(self._answers)

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self) -> bool:
        with suppress(requests.RequestException):
            return requests.get(self.root, timeout=5).status_code > 0
        return False


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def nginx(port: int) -> Iterator[Nginx]:
    with Nginx(port) as server:
        yield server


@pytest.fixture
def behind(nginx: Nginx, port: int) -> Iterator[SandboxServer]:
    with SandboxStore(clock=clock) as store, SandboxServer(store, fastcgi=(LOOPBACK, port)) as server:
        peopled(store)
        yield server


@pytest.fixture
def direct() -> Iterator[SandboxServer]:
    with SandboxStore(clock=clock) as store, SandboxServer(store) as server:
        peopled(store)
        yield server


def clock() -> int:
    return NOW


def peopled(store: SandboxStore) -> None:
    """What the cases name: users, of whom one has the uid 7 and a password, a group, a script, an access."""
    for address in ("491", "492", "493"):
        store.put_user(address)
    while store.add_group("Walks", ["491"]).gid < 5001:
        pass
    store.set_app({"name": "Chat"})
    with store.writing() as db:
        db.execute("UPDATE users SET uid = 7 WHERE address = '491'")
        db.execute("INSERT INTO scripts VALUES (3, 'bot.js', '', '', 0)")
        db.execute("INSERT INTO access VALUES (3, '{}')")
        db.execute("INSERT INTO otps VALUES ('491', '482913', 5, 1, ?)", (2**40,))


def masked(answer: Any) -> Any:
    if isinstance(answer, dict):
        return {key: "random" if key in RANDOM else masked(value) for key, value in answer.items()}
    return [masked(each) for each in answer] if isinstance(answer, list) else answer


def test_with_no_op_it_shows_what_mesibo_shows(nginx: Nginx, behind: SandboxServer) -> None:
    answer = requests.get(nginx.url, timeout=10)
    assert answer.text == '{"error":"MISSINGOP","result":false}'
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Server"].startswith("nginx")


def test_the_page_shows_the_documented_lines() -> None:
    shown = (ROOT / "docs" / "sandbox.md").read_text()
    assert DOCUMENTED.replace("<your docker IP address>", LOOPBACK) in shown


def test_the_cases_are_every_op_in_each_of_its_styles() -> None:
    wanted = {(name, style) for name, op in operations().items() for style in op.styles}
    assert {(case.op.OP, case.style) for case in CASES} == wanted


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.op.OP}-{case.style}")
def test_every_op_answers_through_it_as_directly(
    case: Any, nginx: Nginx, behind: SandboxServer, direct: SandboxServer
) -> None:
    request = Wire(APP_TOKEN, "form" if case.style == "form" else "json", key=ACCOUNT_KEY).encode(
        case.op, id=7
    )

    def ask(url: str) -> Any:
        headers = {"Content-Type": request.content_type}
        answer = requests.post(url, data=request.body, headers=headers, timeout=10)
        return answer.status_code, answer.headers["Content-Type"], masked(answer.json())

    through = ask(nginx.url)
    assert through == ask(f"{direct.url}/mesiboapi")
    assert through[2]["result"] is True, through
    assert changes(behind) == changes(direct)


def changes(server: SandboxServer) -> Any:
    """What is remembered of people, groups, messages and the app, but for what is random."""
    state = requests.get(f"{server.url}/sandbox/state.json", timeout=10).json()
    app = requests.get(f"{server.url}/sandbox/app.json", timeout=10).json()
    return state, {**app, "otps": list(app["otps"])}


@pytest.mark.parametrize("style", ["json", "form"])
def test_the_library_calls_through_it(style: str, nginx: Nginx, behind: SandboxServer) -> None:
    with Client(APP_TOKEN, Options(nginx.url, style=style)) as mesibo:
        made = mesibo.call(UserAdd(address="494", name="Ä & B", appid="com.acme"))
        group = mesibo.call(GroupAdd(name="Größe", members=["494"]))
    found = behind.store.group(group.gid)
    assert made.token
    assert found
    assert (found.name, found.members) == ("Größe", ("494",))


def test_a_query_and_a_path_with_a_slash_come_through(nginx: Nginx, behind: SandboxServer) -> None:
    for url in (nginx.url, f"{nginx.url}/"):
        answer = requests.get(url, {"op": "usersget", "token": APP_TOKEN, "addr": "49*"}, timeout=10)
        assert len(answer.json()["users"]) == 3
    assert requests.get(f"{nginx.url}/other", timeout=10).status_code == 404


def test_other_paths_and_kept_connections_serve_many_at_once(nginx: Nginx, behind: SandboxServer) -> None:
    def useradd(number: int) -> Any:
        form = {"op": "useradd", "token": APP_TOKEN, "addr": f"50{number}", "appid": "app"}
        if number % 2:
            return requests.post(f"{nginx.root}/api.php", data=form, timeout=30).json()["result"]
        user = {"address": f"50{number}", "token": {"appid": "app"}}
        body = {"op": "useradd", "token": APP_TOKEN, "user": user}
        return requests.post(f"{nginx.root}/backend", json=body, timeout=30).json()["result"]

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(useradd, range(40))) == {True}
    assert len(behind.store.users("50*")) == 40


def test_limits_and_lost_answers_are_those_of_mesibo(nginx: Nginx, behind: SandboxServer) -> None:
    long = requests.post(nginx.url, json={"op": "useradd", "name": "x" * 9000}, timeout=10)
    assert long.status_code == 413
    behind.faults.add("usersget", drop=True, times=1)
    lost = requests.post(nginx.url, json={"op": "usersget", "token": APP_TOKEN}, timeout=10)
    assert lost.status_code == 502  # nginx's own page
    assert lost.text.startswith("<html>")


def test_whoever_comes_under_a_public_name_or_through_a_proxy_sees_nothing(
    nginx: Nginx, behind: SandboxServer
) -> None:
    for stranger in ({"Host": "mesibo.example.com"}, {"X-Forwarded-For": "192.0.2.1"}):
        assert requests.get(nginx.url, headers=stranger, timeout=10).status_code == 403

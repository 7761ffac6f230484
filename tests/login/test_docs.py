"""docs/login-methods.md: its configurations are accepted, and its own class works as it stands there."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from messenger_api.configuration import build
from messenger_api.gateways.keys.login_methods import METHODS
from messenger_api.gateways.login import Denied, LoginMethod, Person, Unavailable, method_from_settings
from tests.login.standins import assert_hidden
from tests.processes import free_port
from tests.servers import ROOT

PAGE = (ROOT / "docs" / "login-methods.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
CONFIGURATIONS = [block for block in BLOCKS if "LOGIN_METHOD =" in block]
(EXAMPLE,) = (block for block in BLOCKS if "class " in block)
NAME, PASSWORD = "anastasia", "correct horse battery"


def keys_of(configuration: str) -> dict[str, object]:
    found: dict[str, object] = {}
    exec(configuration, {}, found)
    return {key.lower(): value for key, value in found.items()}


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_each_configuration_is_accepted_as_it_stands(configuration: str) -> None:
    keys = keys_of(configuration)
    settings = build(**keys)
    assert settings.login_method in METHODS.accepted
    method = method_from_settings(settings)
    assert method is None or method.name == settings.login_method


def test_every_method_but_the_default_has_its_configuration() -> None:
    shown = {keys_of(configuration)["login_method"] for configuration in CONFIGURATIONS}
    assert shown == set(METHODS.accepted) - {"otp"}


def test_the_example_is_as_short_as_the_page_says() -> None:
    assert len([line for line in EXAMPLE.splitlines() if line.strip()]) <= 30


# --- The class of the page, against a people service over real HTTP


class People(BaseHTTPRequestHandler):
    """Knows ana, and is broken for broken."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, answer = self.judge(asked)
        payload = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def judge(self, asked: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if self.path == "/ping":
            return 200, {}
        if self.path != "/login" or asked.get("user") == "broken":
            return 500, {}
        if asked == {"user": "ana", "password": PASSWORD}:
            return 200, {"user": "ana", "name": "Ana Lee"}
        return 401, {}

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        return


@pytest.fixture
def service() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), People)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def company(tmp_path: Path, service: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoginMethod]:
    (tmp_path / "company.py").write_text(EXAMPLE)
    monkeypatch.syspath_prepend(tmp_path)
    method = method_from_settings(
        build(login_method="company.CompanyLogin", people_service_url=service, login_timeout=2)
    )
    assert isinstance(method, LoginMethod)
    yield method
    method.close()
    sys.modules.pop("company")


def test_the_pages_class_lets_in_whom_the_service_knows(company: LoginMethod) -> None:
    company.check()
    assert company.read(" Ana ") == "ana"
    assert company.authenticate("ana", PASSWORD) == Person("ana", "Ana Lee")


@pytest.mark.parametrize(("address", "failure"), [("ben", Denied), ("broken", Unavailable)])
def test_the_pages_class_tells_a_no_from_a_fault(
    company: LoginMethod, address: str, failure: type[Denied | Unavailable]
) -> None:
    with pytest.raises(failure):
        company.authenticate(address, PASSWORD)


def test_the_pages_class_leaks_nothing_when_the_service_is_away(
    company: LoginMethod, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(company, "url", f"http://127.0.0.1:{free_port()}")
    with capture_logs() as events, pytest.raises(Unavailable) as caught:
        company.authenticate(NAME, PASSWORD)
    assert_hidden(caught.value, events, NAME, PASSWORD)

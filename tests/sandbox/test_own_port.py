"""On the product's own port the stand-in for mesibo is below /sandbox/mesibo, hidden as the sandbox is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from messenger_api import configuration
from messenger_api.app import build_app, parts_of
from messenger_api.sandbox import SandboxServer, SandboxStore
from tests.sandbox.conftest import ADA

PATHS = ["/sandbox/mesibo/backend", "/sandbox/mesibo/backend/", "/sandbox/mesibo/mesiboapi"]
FORM = "/sandbox/mesibo/api.php"
ORIGIN = {"Origin": "http://localhost:3000"}
USERADD = {"op": "useradd", "token": "sandbox", "user": {"address": ADA, "active": "true"}}


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Any]:
    app = build_app(configuration.build(instance_path=str(tmp_path / "instance"), sandbox="local"))
    yield app
    parts_of(app).close()


def kept(app: Any) -> SandboxStore:
    sandbox = parts_of(app).sandbox
    assert sandbox
    return sandbox.store


@pytest.mark.parametrize("path", [*PATHS, FORM])
def test_it_answers_there_with_the_memory_of_the_product(app: Any, path: str) -> None:
    client = app.test_client()
    assert client.get(path).data == b'{"error":"MISSINGOP","result":false}'
    answer = client.post(path, json=USERADD, headers=ORIGIN)
    assert answer.get_json()["user"] == {"uid": 1001, "address": ADA}
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN["Origin"]
    assert client.options(path, headers=ORIGIN).status_code == 204
    assert kept(app).user(ADA)
    form = client.get(f"{path}?op=usersget&token=sandbox")
    assert [each["address"] for each in form.get_json()["users"]] == [ADA]


def test_at_the_root_of_the_product_it_is_not(app: Any) -> None:
    client = app.test_client()
    # All of these are the private API's own.
    for path in ("/backend", "/mesiboapi", "/api.php"):
        assert client.post(path, json=USERADD).get_json()["result"] == "FAIL"
    assert kept(app).user(ADA) is None


@pytest.mark.parametrize(
    "stranger", [{"REMOTE_ADDR": "192.0.2.1"}, {"HTTP_VIA": "1.1 proxy"}, {"HTTP_HOST": "chat.example.com"}]
)
def test_whoever_may_not_see_the_sandbox_may_not_call_it(app: Any, stranger: dict[str, str]) -> None:
    for path in (*PATHS, FORM):
        answer = app.test_client().post(path, json=USERADD, environ_overrides=stranger)
        # The product's own refusal, of its private API or of a page.
        assert answer.status_code == 403 or answer.get_json()["error"] == "TRYLATER"
    assert kept(app).user(ADA) is None


def test_with_a_real_mesibo_there_is_none(tmp_path: Path) -> None:
    settings = configuration.build(instance_path=str(tmp_path / "instance"), mesibo_app_token="token")
    app = build_app(settings)
    assert app.test_client().get(PATHS[0]).status_code == 404
    parts_of(app).close()


def test_the_sandbox_alone_has_it_at_the_root(tmp_path: Path) -> None:
    with SandboxStore(tmp_path / "sandbox.sqlite3") as store, SandboxServer(store) as server:
        assert server.mesibo_json_url == f"{server.url}/backend"

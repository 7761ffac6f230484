"""Whom the sandbox answers: programs on its own machine, unless SANDBOX = True shows it to others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from messenger_api import configuration
from messenger_api.app import build_app, create_app, parts_of
from messenger_api.guard import comes_from_here
from messenger_api.sandbox import SandboxServer, SandboxStore
from messenger_api.settings import SettingsError

HERE = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1:8080", "SERVER_PROTOCOL": "HTTP/1.1"}
# What Debian's nginx, Caddy, HAProxy, Apache, and the networks of the larger providers add.
PROXY_HEADERS = [
    "X-Forwarded-For",
    "X_Forwarded_For",
    "x-forwarded-proto",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Server",
    "Forwarded",
    "Via",
    "X-Real-IP",
    "X-Client-IP",
    "Client-IP",
    "True-Client-IP",
    "X-Cluster-Client-IP",
    "CF-Connecting-IP",
    "CF-Ray",
    "CDN-Loop",
    "Fastly-Client-IP",
    "Fly-Client-IP",
    "X-Original-URL",
    "X-ProxyUser-Ip",
    "X-Envoy-External-Address",
    "X-Amzn-Trace-Id",
    "X-Scheme",
    "Front-End-Https",
    "XForwardedFor",
    "X-Sucuri-ClientIP",
    "DO-Connecting-IP",
    "Incap-Client-IP",
    "Real-IP",
    "X-WebObjects-Remote-Addr",
]
PUBLIC_NAMES = [
    "chat.example.com",
    "chat.example.com:8080",
    "192.0.2.7",
    "[2001:db8::1]:80",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "127.0.0.1, evil.example",
    "localhost@evil.example",
    "0.0.0.0:8080",
    "",
]
PAGES = ["/sandbox", "/sandbox/sms.json", "/sandbox/messages.json", "/healthz", "/metrics", "/files/x"]


def product(tmp_path: Path, **settings: object) -> Any:
    return build_app(configuration.build(instance_path=str(tmp_path / "instance"), **settings))


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Any]:
    app = product(tmp_path, sandbox="local")
    yield app.test_client()
    parts_of(app).close()


def seen_by(client: Any, **request: Any) -> list[str]:
    """What whoever sends such a request gets to see."""
    pages = [client.get(path, **request) for path in PAGES]
    browser = {**request.get("headers", {}), "Accept": "text/html"}
    pages.append(client.get("/", **{**request, "headers": browser}))
    assert {page.status_code for page in pages} == {403}
    calls = [
        client.get("/api.php?op=login&phone=14155550123&appid=a", **request),
        client.post("/api.php", data={"op": "login", "phone": "14155550123", "appid": "a"}, **request),
        client.post("/", json={"op": "login", "phone": "14155550123", "appid": "a"}, **request),
        client.post("/index.php", data={"op": "login"}, **request),
    ]
    for call in calls:
        assert call.status_code == 200
        assert call.content_type == "application/json; charset=utf-8"
        answer = call.get_json()
        assert answer["result"] == "FAIL"
        assert answer["error"] == "TRYLATER"
        assert answer["errmsg"]
    assert calls[0].get_json()["op"] == "login"
    return [found.get_data(as_text=True) for found in (*pages, *calls)]


def test_its_own_machine_is_answered(local: Any) -> None:
    for host in ("127.0.0.1:8080", "localhost", "localhost:9000", "[::1]:8080", "127.0.0.5"):
        for address in ("127.0.0.1", "::1", "::ffff:127.0.0.1", "127.1.2.3"):
            answer = local.get(
                "/sandbox/sms.json", headers={"Host": host}, environ_overrides={"REMOTE_ADDR": address}
            )
            assert answer.status_code == 200, (host, address)


@pytest.mark.parametrize("header", PROXY_HEADERS)
def test_whoever_comes_through_a_proxy_sees_nothing(local: Any, header: str) -> None:
    key = f"HTTP_{header.upper().replace('-', '_')}"
    seen_by(local, environ_overrides={key: "192.0.2.1"})


@pytest.mark.parametrize("name", PUBLIC_NAMES)
def test_whoever_comes_under_a_public_name_sees_nothing(local: Any, name: str) -> None:
    seen_by(local, environ_overrides={"HTTP_HOST": name})


@pytest.mark.parametrize("address", ["192.0.2.1", "10.0.0.1", "::ffff:192.0.2.1", "fe80::1", "", "unix:"])
def test_whoever_comes_from_another_machine_sees_nothing(local: Any, address: str) -> None:
    seen_by(local, environ_overrides={"REMOTE_ADDR": address})


def test_the_http_that_nginx_speaks_by_itself_is_taken_for_a_proxy(local: Any) -> None:
    seen_by(local, environ_overrides={"SERVER_PROTOCOL": "HTTP/1.0"})


@pytest.mark.parametrize("hops", [0, 1, 2])
def test_a_trusted_proxy_is_a_proxy(tmp_path: Path, hops: int) -> None:
    app = product(tmp_path, sandbox="local", trusted_proxy_hops=hops)
    seen_by(app.test_client(), headers={"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "localhost"})
    parts_of(app).close()


def test_sandbox_true_shows_it_to_everybody(tmp_path: Path) -> None:
    app = product(tmp_path, sandbox=True)
    stranger = {"REMOTE_ADDR": "192.0.2.1", "HTTP_HOST": "chat.example.com", "HTTP_VIA": "1.1 proxy"}
    assert app.test_client().get("/sandbox/sms.json", environ_overrides=stranger).status_code == 200
    parts_of(app).close()


@given(host=st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=40))
def test_no_host_but_this_machines_passes(host: str) -> None:
    if comes_from_here({**HERE, "HTTP_HOST": host}):
        name = host.lower().rpartition(":")[0] if host[-1:].isdigit() and ":" in host else host.lower()
        assert name.strip("[].").endswith(("localhost", "::1")) or name.strip("[].").startswith("127.")


def test_the_stand_in_alone_is_guarded_too(tmp_path: Path) -> None:
    with SandboxStore(tmp_path / "sandbox.sqlite3") as store, SandboxServer(store) as server:
        assert requests.get(f"{server.url}/sandbox/sms.json", timeout=5).status_code == 200
        for headers in ({"Host": "evil.example"}, {"X-Forwarded-For": "192.0.2.1"}):
            assert (
                requests.get(f"{server.url}/sandbox/sms.json", headers=headers, timeout=5).status_code == 403
            )


def test_with_neither_mesibo_nor_the_sandbox_no_application_is_made(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"MESIBO_APP_TOKEN.*serve --sandbox.*SANDBOX = True"):
        create_app(configuration.build(instance_path=str(tmp_path / "instance")))
    assert not (tmp_path / "instance").exists()

"""A request has one id: in the lines of its log, in its answer, and in what mesibo is asked for it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger_api import request_id
from messenger_api.domain.network import shortened
from messenger_api.version import VERSION
from tests.gateways.mesibo_stub import serving
from tests.processes import wait_for
from tests.product import APPID, Product
from tests.servers import LOOPBACK, ProductServer

Make = Callable[..., Product]

OURS = re.compile(r"[0-9a-f]{16}").fullmatch
HEX, UUID = "0123456789abcdef" * 2, "0b5c2e6f-91ad-4c1e-8a55-3d2f1c9a7e10"
ADDRESS = "203.0.113.77"


def ask(product: Product, peer: str = "127.0.0.1", **headers: str) -> str:
    """The id in the answer to a call."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = product.http.post(
        "/api.php", data={"op": "loginui"}, headers=named, environ_base={"REMOTE_ADDR": peer}
    )
    assert answer.status_code == 200
    assert len(answer.headers.getlist("X-Request-ID")) == 1
    return answer.headers["X-Request-ID"]


# --- Which it is


def test_every_answer_has_one_of_its_own(product: Product) -> None:
    paths = ("/", "/healthz", "/readyz", "/files/none.jpg", "/nothing/here", "/metrics")
    others = [product.http.get(path) for path in paths]
    others += [product.http.options("/api.php"), product.http.delete("/api.php")]
    found = [ask(product) for _ in range(20)] + [other.headers["X-Request-ID"] for other in others]
    assert [each for each in found if not OURS(each)] == []
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("given", [HEX, UUID, f" {UUID.upper()} "])
def test_one_of_a_trusted_proxy_is_taken(make_product: Make, given: str) -> None:
    product = make_product(trusted_proxy_hops=1)
    assert ask(product, X_Forwarded_For=ADDRESS, X_Request_ID=given) == given.strip().lower()


@pytest.mark.parametrize(
    "given", ["", "1", "919876543210", f"{HEX}0", f"{UUID}-x", f"{HEX[:-1]}g", 'x" y', "ü" * 32, f"{HEX}\x00"]
)
def test_what_is_none_is_not_taken_from_anybody(make_product: Make, given: str) -> None:
    product = make_product(trusted_proxy_hops=1)
    assert OURS(ask(product, X_Forwarded_For=ADDRESS, X_Request_ID=given))


def test_nobody_else_chooses_it(make_product: Make) -> None:
    assert OURS(ask(make_product(), X_Forwarded_For=ADDRESS, X_Request_ID=HEX))
    # Not by the proxy, whose header is missing.
    assert OURS(ask(make_product(trusted_proxy_hops=1), X_Request_ID=HEX))


@given(st.text())
def test_what_is_taken_can_be_no_number_and_break_no_line(given: str) -> None:
    assert re.fullmatch(r"([0-9a-f-]{32,36})?", request_id.taken(given))


# --- Where it goes


def test_mesibo_is_asked_with_it(make_product: Make) -> None:
    with serving() as mesibo:
        product = make_product(mesibo_api_url=mesibo.url, mesibo_app_token="the token of an app")
        product.services.mesibo.ping()
        assert "X-Request-ID" not in mesibo.seen[-1].headers  # nobody's request
        before = request_id.enter(HEX)
        product.services.mesibo.delete_group(1)
        request_id.leave(before)
        assert mesibo.seen[-1].headers["X-Request-ID"] == HEX


@pytest.fixture
def server(product_server: Callable[..., ProductServer]) -> ProductServer:
    return product_server(MESSENGER_LOG_FORMAT="json", MESSENGER_ACCESS_LOG="true")


def post(server: ProductServer, path: str = "/api.php", **fields: str) -> HTTPResponse:
    body = "&".join(f"{name}={value}" for name, value in fields.items())
    with closing(HTTPConnection(LOOPBACK, server.port, timeout=30)) as connection:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", path, body, kind)
        answer = connection.getresponse()
        answer.read()
        return answer


def lines(server: ProductServer, request: str = "") -> list[dict[str, Any]]:
    """The log's lines, those of one request alone where it is named."""
    found = [json.loads(line) for line in server.log().splitlines() if line.startswith("{")]
    return [line for line in found if not request or line.get("request") == request]


def test_every_line_of_a_request_has_it(server: ProductServer) -> None:
    request = post(server, op="login", phone="919876543210", appid=APPID).headers["X-Request-ID"]
    wait_for(lambda: len(lines(server, request)) == 3, 10, "the lines of a request")
    events = {line["event"] for line in lines(server, request)}
    assert events == {"sms.send", "api.answer", "http.request"}


def test_a_line_of_access_tells_neither_the_address_nor_names_of_files(server: ProductServer) -> None:
    with closing(HTTPConnection(LOOPBACK, server.port, timeout=30)) as connection:
        connection.request("GET", "/files/a-secret-name.jpg?token=secret")
        request = connection.getresponse().headers["X-Request-ID"]
    wait_for(lambda: lines(server, request), 10, "the line")
    [line] = lines(server, request)
    told = {name: line[name] for name in ("event", "method", "path", "status", "client")}
    assert told == {
        "event": "http.request",
        "method": "GET",
        "path": "/files/",
        "status": "404",
        "client": "127.0.0.0/24",
    }
    assert "secret" not in server.log()
    post(server, "/919876543210", op="loginui")
    wait_for(lambda: any(line.get("path") == "?" for line in lines(server)), 10, "the other path")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        (ADDRESS, "203.0.113.0/24"),
        ("2001:db8:1234:5678::9", "2001:db8:1234::/48"),
        ("::ffff:203.0.113.9", "203.0.113.0/24"),
        ("unix:", ""),
        ("", ""),
    ],
)
def test_addresses_are_shortened(address: str, network: str) -> None:
    assert shortened(address) == network


# --- Beginning and end


def test_a_start_and_a_stop_say_what_runs(server: ProductServer) -> None:
    server.stop()
    assert "server.stop" in server.log()
    [start] = [line for line in lines(server) if line["event"] == "server.start"]
    assert (start["version"], start["workers"], start["port"]) == (VERSION, 1, server.port)
    assert start["database"].startswith("SQLite, ")
    assert "config.py" in start["configuration"]

"""Whose request it is: the address that the proxies in front saw, whatever the client writes."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger_api.app import build_app, parts_of
from messenger_api.configuration import build
from tests.product import APPID, Product
from tests.servers import LOOPBACK, ProductServer
from tests.trust.commands import run_command

TRIES = 5
PROXY, INNER = "10.0.0.9", "10.0.0.2"
ANA = "203.0.113.7"
FORM = {"op": "login", "phone": "14155550101", "appid": APPID, "otp": "123456"}

Make = Callable[..., Product]


def login(product: Product, peer: str, *forwarded: str) -> str:
    """Try a code from the machine `peer`, with these X-Forwarded-For headers; returns the error."""
    headers = [("X-Forwarded-For", value) for value in forwarded]
    http = product.app.test_client()
    answer = http.post("/api.php", data=FORM, headers=headers, environ_base={"REMOTE_ADDR": peer})
    error: str = msgspec.json.decode(answer.data)["error"]
    return error


def use_up(product: Product, address: str) -> None:
    """Make all the tries that one network has, directly from it."""
    for _ in range(TRIES):
        assert login(product, address) == "BADCODE"
    assert login(product, address) == "TOOMANY"


@pytest.mark.parametrize(
    ("hops", "forwarded", "counted"),
    [
        (0, [], PROXY),
        (0, [ANA], PROXY),
        (0, ["garbage", ANA], PROXY),
        (1, [], PROXY),
        (1, [""], PROXY),
        (1, [ANA], ANA),
        (1, [f"6.6.6.6, {ANA}"], ANA),
        (1, [f"6.6.6.6,{ANA}"], ANA),
        (1, [f"  6.6.6.6 \t,\t {ANA}  "], ANA),
        (1, ["6.6.6.6", ANA], ANA),
        (1, ["6.6.6.6, 7.7.7.7", "8.8.8.8", ANA], ANA),
        (1, [f'"6.6.6.6, {ANA}'], ANA),
        (1, [f'"6.6.6.6\\", {ANA}'], ANA),
        (1, [f"for=6.6.6.6;by=x, {ANA}"], ANA),
        (1, [f",,,{ANA}"], ANA),
        (1, [f"{ANA}:4711"], ANA),
        (1, [f"::ffff:{ANA}"], ANA),
        (1, ["2001:db8:1:2::7"], "2001:db8:1:2::1"),
        (1, ["6.6.6.6, [2001:db8:1:2::7]:4711"], "2001:db8:1:2::1"),
        (1, ["[2001:db8:1:2::7]"], "2001:db8:1:2::1"),
        (1, ["unknown"], PROXY),
        (1, ["999.1.1.1"], PROXY),
        (1, ["6.6.6.6, _hidden"], PROXY),
        (2, [f"{ANA}, {INNER}"], ANA),
        (2, [f"6.6.6.6, {ANA}, {INNER}"], ANA),
        (2, [f"6.6.6.6, {ANA}", INNER], ANA),
        (2, [f'" , {ANA}, {INNER}'], ANA),
        (2, [f"6.6.6.6, [2001:db8:1:2::7]:4711, {INNER}:80"], "2001:db8:1:2::1"),
        (2, [INNER], PROXY),
        (2, [f"unknown, {INNER}"], PROXY),
    ],
)
def test_the_hop_before_the_trusted_ones_is_who_is_counted(
    paying: Make, hops: int, forwarded: list[str], counted: str
) -> None:
    product = paying(trusted_proxy_hops=hops, login_tries_per_ip_hour=TRIES)
    use_up(product, counted)
    assert login(product, PROXY, *forwarded) == "TOOMANY"
    elsewhere = [f"198.51.100.1, {INNER}", "198.51.100.1"][hops % 2]
    assert login(product, PROXY if hops else "10.0.0.8", elsewhere) == "BADCODE"


def test_of_an_ipv6_network_of_64_bits_all_addresses_are_one(paying: Make) -> None:
    product = paying(login_tries_per_ip_hour=TRIES)
    use_up(product, "2001:db8:1:2::1")
    assert login(product, "2001:db8:1:2:ffff:ffff:ffff:ffff") == "TOOMANY"
    assert login(product, "2001:db8:1:3::1") == "BADCODE"


def test_whatever_a_client_writes_changes_nothing(paying: Make) -> None:
    """The proxy adds the client's address behind it, in the same header or in one of its own."""
    product = paying(trusted_proxy_hops=1, login_tries_per_ip_hour=TRIES)
    use_up(product, ANA)
    text = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=60)

    @given(st.one_of(text, text.map('"'.__add__), st.sampled_from([PROXY, "127.0.0.1", "::1", "[", "\\"])))
    def forge(forged: str) -> None:
        assert login(product, PROXY, f"{forged}, {ANA}") == "TOOMANY"
        assert login(product, PROXY, forged, ANA) == "TOOMANY"

    forge()


# --- The server itself


@pytest.fixture
def environment(database_uri: str, tmp_path: Path) -> dict[str, str]:
    """The keys of an installation whose tables are made."""
    keys = {"secret_key": "k" * 64, "instance_path": str(tmp_path / "instance")}
    app = build_app(build(sqlalchemy_database_uri=database_uri, **keys))
    parts_of(app).schema.upgrade()
    parts_of(app).close()
    return {
        "MESSENGER_SQLALCHEMY_DATABASE_URI": database_uri,
        "MESSENGER_SECRET_KEY": keys["secret_key"],
        "MESSENGER_INSTANCE_PATH": keys["instance_path"],
        "MESSENGER_LOGIN_TRIES_PER_IP_HOUR": str(TRIES),
        "MESSENGER_SANDBOX": "true",  # the clients of these tests come through proxies
    }


def post(server: ProductServer, *forwarded: str) -> dict[str, Any]:
    """One request over a socket, its headers as they are given: clients' libraries join or refuse some."""
    body = "&".join(f"{name}={value}" for name, value in FORM.items())
    head = [
        "POST /api.php HTTP/1.1",
        f"Host: {LOOPBACK}",
        "Connection: close",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
        *(f"X-Forwarded-For: {value}" for value in forwarded),
    ]
    with closing(socket.create_connection((LOOPBACK, server.port), 10)) as connection:
        connection.sendall("\r\n".join([*head, "", body]).encode())
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    found: dict[str, Any] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return found


@pytest.mark.server
def test_behind_one_proxy_forged_headers_are_worth_nothing(
    environment: dict[str, str], product_server: Callable[..., ProductServer]
) -> None:
    server = product_server(**environment, MESSENGER_TRUSTED_PROXY_HOPS="1")
    for n in range(TRIES):
        assert post(server, f"6.6.6.{n}", ANA)["error"] == "BADCODE"
    for forged in ["6.6.6.6", '"', "127.0.0.1", f"{LOOPBACK}, {LOOPBACK}", ","]:
        assert post(server, f"{forged}, {ANA}")["error"] == "TOOMANY"
        assert post(server, forged, ANA)["error"] == "TOOMANY"
    refused = post(server, ANA)
    assert 3500 < refused["retry_after"] <= 3600
    assert refused["errmsg"]
    assert post(server, "198.51.100.1")["error"] == "BADCODE"
    assert "proxy.untrusted" not in server.log()
    assert proxy_finding(environment, server, hops=1)["state"] == "ok"


@pytest.mark.server
def test_a_proxy_that_nobody_configured_is_told_of_once_and_by_the_doctor(
    environment: dict[str, str], product_server: Callable[..., ProductServer]
) -> None:
    server = product_server(**environment)
    assert proxy_finding(environment, server)["state"] == "ok"
    for n in range(TRIES):
        assert post(server, f"198.51.100.{n}")["error"] == "BADCODE"
    assert post(server, "198.51.100.9")["error"] == "TOOMANY"
    assert server.log().count("proxy.untrusted") == 1
    assert "TRUSTED_PROXY_HOPS" in server.log()
    found = proxy_finding(environment, server)
    assert (found["state"], "TRUSTED_PROXY_HOPS" in found["to_do"]) == ("warning", True)


def proxy_finding(environment: dict[str, str], server: ProductServer, hops: int = 0) -> dict[str, Any]:
    """What `messenger-api check` says of proxies."""
    keys = {**environment, "MESSENGER_TRUSTED_PROXY_HOPS": str(hops)}
    findings = json.loads(run_command(server.folder, keys, "check", "--json"))
    found: dict[str, Any] = next(finding for finding in findings if finding["check"] == "proxy")
    return found

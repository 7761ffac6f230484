"""The library's own way to mesibo over HTTP, in both clients: what leaves, and what failures tell."""

from __future__ import annotations

import errno
import runpy
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from urllib3 import PoolManager
from urllib3.util import parse_url

from messenger_api import mesibo
from messenger_api.mesibo import Client, MesiboRefused, MesiboUnreachable, Options, Timeouts
from messenger_api.mesibo.aio import AsyncClient
from messenger_api.mesibo.http import environment
from messenger_api.mesibo.http.connections import close_connections, use_our_pools
from messenger_api.mesibo.http.environment import Way, pools, way_to
from messenger_api.mesibo.http.reaching import what_happened
from messenger_api.mesibo.retry import Retries
from tests.gateways.mesibo_stub import (
    SELF_SIGNED,
    UNUSABLE,
    Answer,
    Stub,
    ok,
    plain,
    refused,
    serving,
)
from tests.mesibo.loops import run
from tests.mesibo.tunnel import Tunnel

TOKEN = "app0token0secret"
TIMEOUTS = Timeouts(connect=1.0, read=1.0)
SHORT = Timeouts(connect=1.0, read=0.3)
DEL = mesibo.GroupDel(gid=1)

Call = Callable[..., Any]


def options(url: str, timeouts: Timeouts) -> Options:
    return Options(url, timeouts=timeouts, retries=Retries(most=0), ids=False)


def blocking(url: str, op: mesibo.Operation[Any] = DEL, times: int = 1, timeouts: Timeouts = TIMEOUTS) -> Any:
    with Client(TOKEN, options(url, timeouts)) as client:
        return [client.call(op) for _ in range(times)][-1]


def waiting(url: str, op: mesibo.Operation[Any] = DEL, times: int = 1, timeouts: Timeouts = TIMEOUTS) -> Any:
    async def whole() -> Any:
        async with AsyncClient(TOKEN, options(url, timeouts)) as client:
            return [await client.call(op) for _ in range(times)][-1]

    return run(whole())


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving() as server:
        yield server


@pytest.fixture(params=[blocking, waiting], ids=["sync", "async"])
def call(request: pytest.FixtureRequest) -> Call:
    found: Call = request.param
    return found


def failure_of(call: Call, url: str, timeouts: Timeouts = TIMEOUTS) -> MesiboUnreachable:
    with pytest.raises(MesiboUnreachable) as caught:
        call(url, timeouts=timeouts)
    assert caught.value.__context__ is None
    assert TOKEN not in repr(vars(caught.value))
    return caught.value


def unused_url() -> str:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}/backend"


def test_the_body_and_what_it_is_are_all_that_leaves(stub: Stub, call: Call) -> None:
    call(stub.url, times=2)
    seen = stub.seen[0]
    assert (seen.method, seen.path) == ("POST", "/backend")
    assert seen.body == mesibo.Wire(TOKEN).encode(DEL).body
    assert seen.headers["Content-Type"] == "application/json"
    assert seen.headers["User-Agent"] == "messenger-api-mesibo"
    wanted = {"host", "user-agent", "accept", "accept-encoding", "content-type", "content-length"}
    assert {name.lower() for name in seen.headers} - {"connection"} == wanted
    assert stub.connections == 1


def test_user_and_password_in_the_url_are_sent(stub: Stub, call: Call) -> None:
    call(stub.url.replace("//", "//me:mine@"))
    assert stub.seen[0].headers["Authorization"] == "Basic bWU6bWluZQ=="


def test_a_refusal_is_mesibos(stub: Stub, call: Call) -> None:
    stub.answers.append(refused(400, error="BADVALUE", code=400))
    with pytest.raises(MesiboRefused):
        call(stub.url)


def test_cookies_are_not_kept(stub: Stub, call: Call) -> None:
    stub.answers.append(plain(200, b'{"result":true}', **{"Set-Cookie": "a=b; Path=/"}))
    call(stub.url, times=2)
    assert "Cookie" not in stub.seen[1].headers


@pytest.mark.parametrize(("answer", "reason", "maybe_done"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_no_usable_answer_is_told_by_its_class(
    stub: Stub, call: Call, answer: Answer, reason: str, maybe_done: bool
) -> None:
    stub.answers.append(answer)
    failure = failure_of(call, stub.url, SHORT if reason == "timeout" else TIMEOUTS)
    assert (failure.reason, failure.maybe_done) == (reason, maybe_done)


def test_a_closed_port_and_a_bad_url_are_told_and_nothing_was_done(call: Call) -> None:
    url = unused_url()
    failure = failure_of(call, url)
    assert (failure.reason, failure.maybe_done, failure.detail) == ("connect", False, f"refused, {url}")
    assert failure_of(call, "mesibo").reason == "bad url"


def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_sent(call: Call) -> None:
    with serving(tls=True) as tls:
        failure = failure_of(call, tls.url)
        assert (failure.reason, failure.maybe_done, tls.seen) == ("tls", False, [])


def test_an_authority_of_the_environment_is_believed(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(SELF_SIGNED))
    with serving(tls=True) as tls:
        call(tls.url)
        assert len(tls.seen) == 1


def test_authorities_that_cannot_be_read_are_no_authorities(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/authorities.pem")
    with serving(tls=True) as tls:
        assert not failure_of(call, tls.url).maybe_done
        assert tls.seen == []


def test_the_networks_of_no_proxy_are_asked_without_one(
    stub: Stub, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.0/8")
    call(stub.url)
    assert stub.seen[0].path == "/backend"


def test_a_proxy_of_the_environment_is_used(stub: Stub, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", stub.url.removesuffix("/backend"))
    call("http://mesibo.invalid/backend")
    assert stub.seen[0].path == "http://mesibo.invalid/backend"


def test_https_goes_through_a_tunnel_of_which_the_proxy_sees_the_address_alone(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(SELF_SIGNED))
    with serving(tls=True) as tls, Tunnel() as tunnel:
        monkeypatch.setenv("HTTPS_PROXY", tunnel.url)
        call(tls.url)
        assert len(tls.seen) == 1
    [head] = tunnel.heads
    assert head.startswith(f"CONNECT {urlsplit(tls.url).netloc} HTTP/1.".encode())
    assert TOKEN.encode() not in head


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "proxy"), (b"", "connect")],
    ids=["refused", "cut off"],
)
def test_without_its_tunnel_nothing_was_sent(
    call: Call, answer: bytes, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(tls=True) as tls, Tunnel(answer) as tunnel:
        monkeypatch.setenv("HTTPS_PROXY", tunnel.url)
        failure = failure_of(call, tls.url)
        assert (failure.maybe_done, tls.seen, len(tunnel.heads)) == (False, [], 1)
        assert failure.reason == reason


# What the environment says


@pytest.mark.parametrize(
    ("settings", "url", "proxy"),
    [
        ({"HTTPS_PROXY": "http://p:1"}, "https://x/", "http://p:1"),
        ({"HTTPS_PROXY": "p:1"}, "https://x/", "http://p:1"),
        ({"ALL_PROXY": "http://p:1"}, "http://x/", "http://p:1"),
        ({"HTTP_PROXY": "http://p:1"}, "https://x/", ""),
        ({"HTTP_PROXY": "http://p:1", "NO_PROXY": "x"}, "http://x/", ""),
        ({"HTTP_PROXY": "http://p:1", "NO_PROXY": "y, 10.0.0.0/8"}, "http://10.1.2.3/", ""),
        ({"HTTP_PROXY": "http://p:1", "NO_PROXY": "y, 10.0.0.0/8"}, "http://11.1.2.3/", "http://p:1"),
        ({"HTTP_PROXY": "http://p:1", "NO_PROXY": "fd00::/8"}, "http://[fd00::1]/", ""),
    ],
)
def test_the_proxy_is_the_one_that_the_environment_names(
    settings: dict[str, str], url: str, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert way_to(parse_url(url)).proxy == proxy


def test_authorities_are_a_file_or_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))
    assert way_to(parse_url("https://x/")).authorities == str(tmp_path)
    for way, option in ((Way("", str(tmp_path)), "ca_cert_dir"), (Way("", __file__), "ca_certs")):
        assert pools(way, 1).connection_pool_kw[option] == way.authorities
    assert "ca_certs" not in pools(Way("", ""), 1).connection_pool_kw
    for place, authorities in ((SELF_SIGNED, 1), (tmp_path, 0)):
        assert environment.context(Way("", str(place))).cert_store_stats()["x509"] == authorities
    assert environment.context(Way("", "")).verify_mode is ssl.CERT_REQUIRED


def test_a_proxy_may_want_a_password() -> None:
    proxied: Any = pools(Way("http://me:mine@p:1", ""), 1)
    assert proxied.proxy_headers == {"proxy-authorization": "Basic bWU6bWluZQ=="}


# On its own

ALONE = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        inside = name.startswith("messenger_api.") and not name.startswith(ALLOWED)
        if inside or name.partition(".")[0] in BLOCKED:
            raise ImportError(f"{name} is not installed")

BLOCKED = set("flask sqlalchemy requests structlog msgspec click certifi idna pymysql aiohttp".split())
ALLOWED = ("messenger_api.mesibo", "messenger_api.version")
sys.meta_path.insert(0, Blocked())
from messenger_api.mesibo import Client, MesiboUnreachable, Options, Retries, UserAdd
with Client("t", Options(sys.argv[1], ids=False)) as client:
    print(client.call(UserAdd(address="491", appid="a")).uid)
"""


@pytest.mark.server
def test_the_library_needs_urllib3_and_nothing_of_the_product(stub: Stub) -> None:
    stub.answers.append(ok(user={"uid": 7}))
    found = subprocess.run(
        [sys.executable, "-c", ALONE, stub.url], capture_output=True, text=True, check=False, timeout=60
    )
    assert (found.stdout, found.stderr) == ("7\n", "")


def test_an_exchange_that_failed_says_what_and_where() -> None:
    failure = mesibo.NoResponse("connect", sent=False, detail="refused", server="http://x")
    assert failure.told == "refused, http://x"


# Corners


def test_without_certifi_the_systems_authorities_are_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "certifi", None)
    assert runpy.run_path(environment.__file__)["BUNDLED"] == ""


def test_a_way_that_the_network_has_not_is_told() -> None:
    assert what_happened(OSError(errno.ENETUNREACH, "no route")) == "no way there"
    assert what_happened(ValueError()) == ""


def test_a_client_that_was_never_used_closes() -> None:
    run(AsyncClient(TOKEN).close())
    Client(TOKEN).close()


def test_a_connection_without_a_guard_sends_all_the_same(stub: Stub) -> None:
    with use_our_pools(PoolManager()) as manager:
        assert manager.request("POST", stub.url, body=b"{}", retries=False, timeout=10).status == 200


def test_a_pool_that_is_gone_meanwhile_needs_no_closing() -> None:
    class Gone(dict[str, object]):
        def get(self, *_: object) -> None:
            return None

    manager: Any = SimpleNamespace(pools=Gone(a=1))
    close_connections(manager)

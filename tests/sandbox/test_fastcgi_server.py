"""The sandbox behind a web server that speaks FastCGI."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from messenger_api.sandbox import SandboxServer, SandboxStore
from messenger_api.sandbox import fastcgi as wire
from messenger_api.sandbox.fastcgi import Record
from tests.processes import LOOPBACK
from tests.sandbox.conftest import ADA
from tests.sandbox.web_server import BEGIN, WebServer


@pytest.fixture
def behind(store: SandboxStore) -> Iterator[SandboxServer]:
    with SandboxServer(store, fastcgi=(LOOPBACK, 0)) as server:
        yield server


def test_several_requests_of_a_connection_are_answered(behind: SandboxServer, store: SandboxStore) -> None:
    useradd = {"op": "useradd", "token": "sandbox", "user": {"address": ADA}}
    with WebServer(behind.fastcgi_address) as web:
        head, body = web.ask("/mesiboapi")
        assert body == b'{"error":"MISSINGOP","result":false}'
        assert "Status: 200 OK" in head
        assert "Content-Type: application/json" in head
        _, body = web.ask("/mesiboapi", json.dumps(useradd).encode(), CONTENT_TYPE="application/json")
        assert json.loads(body)["result"] is True
        for number in range(800):
            store.put_user(f"49{number}", name="x" * 50)
        _, body = web.ask("/sandbox/users.json", begin=BEGIN, QUERY_STRING="limit=1000")
        assert len(json.loads(body)["users"]) == 801
        assert web.socket.recv(1) == b""  # it was not to be kept


@pytest.mark.parametrize(
    "stranger",
    [
        {"REMOTE_ADDR": "192.0.2.1"},
        {"REMOTE_ADDR": ""},
        {"HTTP_HOST": "chat.example.com"},
        {"HTTP_X_FORWARDED_FOR": "192.0.2.1"},
        {"SERVER_PROTOCOL": "HTTP/1.0"},
    ],
)
def test_strangers_of_whom_a_web_server_tells_see_nothing(behind: SandboxServer, stranger: Any) -> None:
    with WebServer(behind.fastcgi_address) as web:
        head, _ = web.ask("/mesiboapi", **stranger)
    assert head.startswith("Status: 403")


def test_a_web_server_that_tells_nothing_is_a_stranger(behind: SandboxServer) -> None:
    with WebServer(behind.fastcgi_address) as web:
        web.said = {}
        assert web.ask("/mesiboapi")[0].startswith("Status: 403")


def test_no_parameter_reaches_into_the_server(behind: SandboxServer) -> None:
    with WebServer(behind.fastcgi_address) as web:
        # WSGI's name for what makes a body of a file.
        head, _ = web.ask("/static/icon.svg", **{"wsgi.file_wrapper": "x"})  # type: ignore[arg-type]
    assert head.startswith("Status: 200")


def test_what_a_web_server_asks_of_the_connection_is_answered(behind: SandboxServer) -> None:
    asked = wire.encode_pairs({"FCGI_MPXS_CONNS": ""})
    with WebServer(behind.fastcgi_address) as web:
        web.socket.sendall(Record(wire.GET_VALUES, 0, asked).encode())
        told = Record(wire.GET_VALUES_RESULT, 0, wire.encode_pairs({"FCGI_MPXS_CONNS": "0"}))
        assert web.socket.recv(1000) == told.encode()


def test_what_is_no_fastcgi_is_hung_up_on_and_the_next_is_served(
    behind: SandboxServer, caplog: pytest.LogCaptureFixture
) -> None:
    with WebServer(behind.fastcgi_address) as web:
        web.socket.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert web.socket.recv(1) == b""
    assert [record.getMessage() for record in caplog.records] == ["sandbox: no FastCGI: not version 1"]
    with WebServer(behind.fastcgi_address) as web:
        assert web.ask("/mesiboapi")[1]


def test_a_lost_connection_is_lost_here_too(behind: SandboxServer) -> None:
    behind.faults.add("usersget", drop=True, times=1)
    with WebServer(behind.fastcgi_address) as web, pytest.raises((AssertionError, ConnectionError)):
        web.ask("/api.php", QUERY_STRING="op=usersget&token=sandbox")


def test_a_port_that_is_taken_leaves_nothing_open(behind: SandboxServer, store: SandboxStore) -> None:
    taken = int(behind.fastcgi_address.rpartition(":")[2])
    second = SandboxServer(store, fastcgi=(LOOPBACK, taken))
    with pytest.raises(OSError, match="in use"):
        second.start()
    with pytest.raises(RuntimeError, match="not started"):
        _ = second.url


def test_without_it_there_is_no_address(server: SandboxServer) -> None:
    with pytest.raises(RuntimeError, match="FastCGI"):
        _ = server.fastcgi_address

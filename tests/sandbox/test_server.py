"""The sandbox as a web server."""

from __future__ import annotations

import socket
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import pytest
import requests

from messenger_api.sandbox import SandboxServer, SandboxStore
from messenger_api.sandbox.serving import HttpServer
from tests.stopwatch import Stopwatch


def test_a_connection_is_used_again(server: SandboxServer) -> None:
    with closing(HTTPConnection("127.0.0.1", int(server.url.rpartition(":")[2]), timeout=5)) as http:
        http.connect()
        first = http.sock
        for _ in range(3):
            http.request("GET", "/backend")
            assert http.getresponse().read() == b'{"error":"MISSINGOP","result":false}'
        assert http.sock is first


def test_a_taken_port_is_said_plainly(server: SandboxServer, store: SandboxStore) -> None:
    with pytest.raises(OSError, match="in use"):
        SandboxServer(store, port=int(server.url.rpartition(":")[2])).start()


def test_a_stop_ends_open_connections_and_frees_the_port(store: SandboxStore, http: requests.Session) -> None:
    server = SandboxServer(store).start()
    url = server.url
    assert http.get(f"{url}/backend", timeout=5).ok
    server.stop()
    server.stop()
    with pytest.raises(requests.ConnectionError):
        http.get(f"{url}/backend", timeout=5)
    with pytest.raises(RuntimeError, match="not started"):
        _ = server.url
    with SandboxServer(store, port=int(url.rpartition(":")[2])) as again:
        assert again.url == url


def test_the_app_token_is_the_one_it_was_made_with(store: SandboxStore, http: requests.Session) -> None:
    with SandboxServer(store, "other") as server:
        answers = [
            http.get(f"{server.mesibo_form_url}?op=usersget&token={token}", timeout=5).json()["result"]
            for token in ("other", "sandbox")
        ]
    assert answers == [True, False]


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"POST /backend HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
        (b"POST /backend HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", b"413"),
        (b"POST /backend HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", b"413"),
        (b"POST /backend HTTP/1.1\r\nHost: x\r\nContent-Length: \xb2\r\n\r\n", b"413"),
        (b"POST /backend HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", b"413"),
        (b"HEAD /sandbox HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", b"200"),
    ],
)
def test_odd_requests_are_answered_by_the_book(
    request_head: bytes, status: bytes, server: SandboxServer
) -> None:
    port = int(server.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(request_head)
        answer = client.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 " + status)


def test_a_client_that_goes_away_leaves_no_trace_in_the_log(
    server: SandboxServer, http: requests.Session, caplog: pytest.LogCaptureFixture
) -> None:
    port = int(server.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"POST /backend HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert http.get(server.mesibo_json_url, timeout=5).ok
    assert caplog.records == []


def test_a_stop_takes_no_time(store: SandboxStore) -> None:
    """Ten of them, of which each would take up to 50 ms if the server looked now and then whether to stop."""
    servers = [SandboxServer(store).start() for _ in range(10)]
    watch = Stopwatch()
    for server in servers:
        server.stop()
    assert watch.quiet_seconds < 0.15


def test_a_fault_of_ours_is_logged_and_leaves_the_server_up(caplog: pytest.LogCaptureFixture) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/fault":
            raise RuntimeError("ours")
        start_response("200 OK", [])
        return [b"well"]

    server = HttpServer(("127.0.0.1", 0), app)
    server.start("faulty")
    url = f"http://{server.server_name}:{server.server_port}"
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{url}/fault", timeout=5)
    assert requests.get(f"{url}/", timeout=5).text == "well"
    server.stop()
    [record] = caplog.records
    assert record.getMessage() == "sandbox: request failed"
    assert "ours" in str(record.exc_info)

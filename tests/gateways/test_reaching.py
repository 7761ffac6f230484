"""A server that cannot be reached: where it was asked and what happened, and none of the secrets."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import closing

import pytest

from messenger_api.gateways.http import HttpClient, Timeouts
from messenger_api.gateways.mesibo import MesiboClient, MesiboUnreachable
from messenger_api.gateways.sms import SmsUnavailable
from messenger_api.gateways.sms.answers import as_sms_failure
from messenger_api.mesibo.http.reaching import place
from tests.processes import LOOPBACK, free_port

QUICK = Timeouts(connect=0.5, read=1.0)


def unknown(*_: object) -> None:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that accepts and says nothing."""
    with socket.create_server((LOOPBACK, 0)) as server:
        yield f"{LOOPBACK}:{server.getsockname()[1]}"


def of_mesibo(url: str) -> MesiboUnreachable:
    client = MesiboClient(url, "the-app-token", timeouts=QUICK)
    with closing(client), pytest.raises(MesiboUnreachable) as caught:
        client.ping()
    for secret in ("hunter2", "the-app-token", "key=1"):
        assert secret not in str(caught.value)
    return caught.value


def test_mesibo_tells_a_refused_connection_with_its_address() -> None:
    port = free_port()
    failure = of_mesibo(f"http://user:hunter2@{LOOPBACK}:{port}/backend?key=1")
    assert failure.reason == "connect"
    assert str(failure).endswith(f"connect (refused, http://{LOOPBACK}:{port}/backend)")


def test_mesibo_tells_a_name_that_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    failure = of_mesibo("http://mesibo.invalid/backend")
    assert failure.reason == "connect"
    assert "name not found, http://mesibo.invalid/backend" in str(failure)


def test_mesibo_tells_silence(silent: str) -> None:
    failure = of_mesibo(f"http://{silent}/backend")
    assert failure.reason == "timeout"
    assert f"no answer, http://{silent}/backend" in str(failure)


def test_a_certificate_that_is_not_accepted_is_told(monkeypatch: pytest.MonkeyPatch, silent: str) -> None:
    def wrong(*_: object, **__: object) -> None:
        error = ssl.SSLCertVerificationError(1, "certificate verify failed")
        error.verify_message = "certificate has expired"
        raise error

    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", wrong)
    failure = of_mesibo(f"https://{silent}/backend")
    assert failure.reason == "tls"
    assert "certificate not accepted: certificate has expired" in str(failure)


def of_texts(url: str) -> SmsUnavailable:
    with closing(HttpClient(Timeouts(0.5, 1.0))) as client, pytest.raises(SmsUnavailable) as caught:
        as_sms_failure("http", lambda: client.request("POST", url, data=b"x"))
    assert "hunter2" not in str(caught.value)
    return caught.value


def test_texts_tell_a_refused_connection_and_a_name_that_is_not_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port = free_port()
    refused = of_texts(f"http://user:hunter2@{LOOPBACK}:{port}/hunter2?key=hunter2")
    assert str(refused) == f"http: connection failed (refused, http://{LOOPBACK}:{port})"
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    nobody = of_texts("http://sms.invalid/hunter2")
    assert str(nobody) == "http: connection failed (name not found, http://sms.invalid)"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:hunter2@h:1/p?token=hunter2#x", "https://h:1/p"),
        ("https://[::1", ""),
        ("nothing", ""),
    ],
)
def test_a_url_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert place(url) == shown

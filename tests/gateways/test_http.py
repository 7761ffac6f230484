"""The one HTTP client: an exchange is bounded whatever the server does, and says whether the request left."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from messenger_api.gateways.http import HttpClient, NoResponse, Timeouts
from messenger_api.mesibo.http.sending import SendGuard
from tests.processes import LOOPBACK, free_port

from .mesibo_stub import Answer, Stub, cut_short, held, ok, plain, serving, trickle

SECONDS = 0.5
# A loaded machine may be so late.
MARGIN = 2.0
BODY = b"the secret body"


@pytest.fixture
def client() -> Iterator[HttpClient]:
    with closing(HttpClient(Timeouts(5, 5), most_bytes=1000)) as client:
        yield client


def failure_of(call: Callable[[], object]) -> NoResponse:
    with pytest.raises(NoResponse) as caught:
        call()
    return caught.value


IN_DROPS = {
    "the first line": trickle(b"HTTP/1.1 2"),
    "a header": trickle(b"HTTP/1.1 200 OK\r\nX-Slow: "),
    "a body": trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"),
    "a body without end": trickle(b"HTTP/1.1 200 OK\r\n\r\n"),
    "the size of a chunk": trickle(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;"),
    "a chunk": trickle(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n"),
    "what a redirect holds": trickle(b"HTTP/1.1 302 F\r\nLocation: /x\r\nContent-Length: 100000\r\n\r\n"),
    "nothing at all": held(ok()),
}


@pytest.mark.parametrize(
    ("answer", "tls"),
    [
        *(pytest.param(answer, False, id=f"{name}-plain") for name, answer in IN_DROPS.items()),
        # Each waits for half a second: over TLS `make test-quick` tries one.
        *(
            pytest.param(answer, True, id=f"{name}-tls", marks=() if name == "a body" else pytest.mark.long)
            for name, answer in IN_DROPS.items()
        ),
    ],
)
def test_an_answer_in_drops_ends_in_time_in_the_thread_that_reads_it(
    answer: Answer, tls: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(tls=tls) as stub:
        if tls:
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(stub_certificate()))
        stub.answers.append(answer)
        with closing(HttpClient(Timeouts(5, 5), most_bytes=1000)) as client:
            began = time.monotonic()
            failure = failure_of(lambda: client.request("POST", stub.url, data=BODY, seconds=SECONDS))
            assert time.monotonic() - began < SECONDS + MARGIN
        assert (failure.reason, failure.sent) == ("timeout", True)


def stub_certificate() -> Path:
    return Path(__file__).with_name("self_signed.pem")


@pytest.mark.parametrize(
    ("answer", "reason", "answered"),
    [(plain(200, b"x" * 1001), "too large", True), (cut_short, "broken", True)],
)
def test_an_answer_that_is_none_is_told_by_its_class(
    stub: Stub, client: HttpClient, answer: Answer, reason: str, answered: bool
) -> None:
    stub.answers.append(answer)
    failure = failure_of(lambda: client.request("POST", stub.url, data=BODY))
    assert (failure.reason, failure.sent, failure.answered) == (reason, True, answered)


def test_any_status_is_an_answer_and_no_redirect_is_followed(stub: Stub, client: HttpClient) -> None:
    stub.answers.extend([plain(500, b"no"), plain(302, b"", Location=f"{stub.url}/elsewhere")])
    answers = [client.request("POST", stub.url, data=BODY) for _ in range(2)]
    assert [(answer.status, answer.body) for answer in answers] == [(500, b"no"), (302, b"")]
    assert len(stub.seen) == 2


def test_the_next_exchange_of_a_connection_has_all_its_time(stub: Stub, client: HttpClient) -> None:
    for _ in range(3):
        assert client.request("POST", stub.url, data=BODY, seconds=1.0).status == 200
        time.sleep(0.4)
    assert stub.connections == 1


# Whether the request has left


def test_a_request_that_was_given_up_does_not_leave(stub: Stub, client: HttpClient) -> None:
    guard = SendGuard()
    assert not guard.cancel(), "nobody knows of a request that is not in our hands yet"
    failure = failure_of(lambda: client.request("POST", stub.url, data=BODY, guard=guard))
    assert (failure.reason, failure.sent, stub.seen) == ("too late", False, [])


def test_a_request_whose_time_is_over_does_not_leave(stub: Stub, client: HttpClient) -> None:
    guard = SendGuard(with_body=True, seconds_left=lambda: 0.0)
    failure = failure_of(lambda: client.request("POST", stub.url, data=BODY, guard=guard))
    assert (failure.reason, failure.sent) == ("too late", False)
    # Its head did: a quick server has seen that, and no server acts without the body.
    assert not any(seen.body for seen in stub.seen)


def test_a_connection_that_is_not_made_sent_nothing_and_says_where(client: HttpClient) -> None:
    port = free_port()
    url = f"http://me:hunter2@{LOOPBACK}:{port}/path?key=hunter2"
    failure = failure_of(lambda: client.request("POST", url, data=BODY))
    assert (failure.reason, failure.sent) == ("connect", False)
    assert failure.told == f"refused, http://{LOOPBACK}:{port}"


# Secrets


@pytest.mark.parametrize("answer", [*IN_DROPS.values(), cut_short, plain(200, b"x" * 1001)])
def test_a_failure_holds_nothing_of_the_request(stub: Stub, client: HttpClient, answer: Answer) -> None:
    stub.answers.append(answer)
    headers = {"X-Key": "hunter2"}
    failure = failure_of(
        lambda: client.request("POST", f"{stub.url}?key=hunter2", data=BODY, headers=headers, seconds=SECONDS)
    )
    assert failure.__cause__ is None
    assert failure.__context__ is None
    told = "".join(traceback.format_exception_only(failure)) + repr(vars(failure))
    assert "hunter2" not in told
    assert "secret" not in told


def test_neither_netrc_nor_the_url_adds_credentials_unless_the_client_is_for_that_url(
    stub: Stub, client: HttpClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password mine\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    url = stub.url.replace("//", "//me:mine@")
    client.request("POST", url, data=BODY)
    client.request("POST", url, data=BODY, auth=("a", "b"))
    with closing(HttpClient(Timeouts(), url=url)) as own:
        own.request("POST", url, data=BODY)
    assert [seen.headers.get("Authorization") for seen in stub.seen] == [
        None,
        "Basic YTpi",
        "Basic bWU6bWluZQ==",
    ]


def test_a_proxy_of_the_environment_is_looked_up_for_each_request(
    stub: Stub, client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", stub.url.removesuffix("/backend"))
    client.request("POST", "http://sms.invalid/send", data=BODY)
    assert stub.seen[0].path == "http://sms.invalid/send"

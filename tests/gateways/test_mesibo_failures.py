"""What the client of mesibo's backend API does when things go wrong, and what it never does."""

from __future__ import annotations

import logging
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from messenger_api.gateways.http import NoResponse
from messenger_api.gateways.mesibo import (
    MesiboClient,
    MesiboError,
    MesiboRefused,
    MesiboUnreachable,
    Message,
    Timeouts,
)
from messenger_api.mesibo.retry import IDEMPOTENT, may_retry
from tests.stopwatch import Stopwatch

from .mesibo_stub import (
    SELF_SIGNED,
    SLOW_BODY,
    SLOW_HEAD,
    UNUSABLE,
    Answer,
    Stub,
    hang_up,
    held,
    ok,
    plain,
    refused,
    serving,
    trickle,
)

APP_TOKEN = "app0token0secret"
ANA, BOB = "919876543210", "919876543211"
TEXT = "a message of one's own"
HELLO = Message(ANA, [BOB], TEXT)
QUICK = Timeouts(connect=0.5, read=0.3)

# A loaded machine may be so late; far less than the seconds that a broken promise would take.
MARGIN = 1.0


@pytest.fixture
def client(stub: Stub) -> Iterator[MesiboClient]:
    with closing(MesiboClient(stub.url, APP_TOKEN, timeouts=QUICK)) as client:
        yield client


def unused_url() -> str:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}/backend"


def failure_of(call: Callable[[], object]) -> MesiboUnreachable:
    with pytest.raises(MesiboUnreachable) as caught:
        call()
    return caught.value


# What no answer means


@pytest.mark.parametrize(("answer", "reason", "maybe_done"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_an_answer_that_is_not_mesibos_is_told_by_its_class(
    stub: Stub, client: MesiboClient, answer: Answer, reason: str, maybe_done: bool
) -> None:
    stub.answers.append(answer)
    watch = Stopwatch()
    failure = failure_of(lambda: client.send_message(HELLO))
    assert (failure.reason, failure.maybe_done) == (reason, maybe_done)
    assert watch.quiet_seconds < QUICK.read + MARGIN
    assert len(stub.seen) == 1


def test_a_closed_port_is_unreachable_and_nothing_was_done() -> None:
    with closing(MesiboClient(unused_url(), APP_TOKEN)) as client:
        failure = failure_of(lambda: client.add_group("g", [ANA]))
    assert (failure.reason, failure.maybe_done) == ("connect", False)


def test_an_unknown_host_is_unreachable_and_nothing_was_done(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def unknown(host: str, *_: object) -> None:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with closing(MesiboClient("http://mesibo.invalid/", APP_TOKEN)) as client:
        failure = failure_of(lambda: client.send_message(HELLO))
    assert (failure.reason, failure.maybe_done) == ("connect", False)
    assert asked == ["mesibo.invalid"] * 2, "a request that never left may be retried once"


@pytest.mark.parametrize("url", ["mesibo", "ftp://127.0.0.1/", "http://", "http://127.0.0.1:99999/"])
def test_a_url_that_is_none_is_unreachable(url: str) -> None:
    with closing(MesiboClient(url, APP_TOKEN)) as client:
        failure = failure_of(lambda: client.send_message(HELLO))
    assert (failure.reason, failure.maybe_done) == ("bad url", False)


def test_a_redirect_is_not_followed(stub: Stub, client: MesiboClient) -> None:
    stub.answers.append(plain(307, b"", Location=stub.url + "/elsewhere"))
    failure = failure_of(lambda: client.delete_group(1))
    assert (failure.reason, failure.maybe_done) == ("redirect", False)
    assert [seen.path for seen in stub.seen] == ["/backend"]


def test_a_redirect_with_an_endless_body_holds_nobody(stub: Stub, client: MesiboClient) -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 100000\r\n\r\n"
    stub.answers.append(trickle(head))
    watch = Stopwatch()
    failure_of(lambda: client.delete_group(1))
    assert watch.quiet_seconds < QUICK.read + MARGIN


# TLS


def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_sent() -> None:
    with serving(tls=True) as stub, closing(MesiboClient(stub.url, APP_TOKEN)) as client:
        failure = failure_of(lambda: client.send_message(HELLO))
        assert (failure.reason, failure.maybe_done) == ("tls", False)
        assert stub.seen == []


def test_an_operators_own_certificate_authority_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(SELF_SIGNED))
    with serving(tls=True) as stub, closing(MesiboClient(stub.url, APP_TOKEN)) as client:
        client.delete_group(1)
        assert len(stub.seen) == 1


def test_a_plain_server_behind_an_https_url_is_a_fault_of_tls_and_nothing_was_done(stub: Stub) -> None:
    with closing(MesiboClient(stub.url.replace("http:", "https:"), APP_TOKEN)) as client:
        failure = failure_of(lambda: client.send_message(HELLO))
    assert (failure.reason, failure.maybe_done) == ("tls", False)


# What the environment may and may not add


def test_netrc_adds_no_authorization(stub: Stub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password mine\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with closing(MesiboClient(stub.url, APP_TOKEN)) as client:
        client.delete_group(1)
    assert "Authorization" not in stub.seen[0].headers


def test_user_and_password_in_the_url_are_sent(stub: Stub) -> None:
    with closing(MesiboClient(stub.url.replace("//", "//me:mine@"), APP_TOKEN)) as client:
        client.delete_group(1)
    assert stub.seen[0].headers["Authorization"] == "Basic bWU6bWluZQ=="


def test_a_proxy_of_the_environment_is_used(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", stub.url.removesuffix("/backend"))
    with closing(MesiboClient("http://mesibo.invalid/backend", APP_TOKEN)) as client:
        client.delete_group(1)
    assert stub.seen[0].path == "http://mesibo.invalid/backend"


def test_a_proxy_that_is_down_is_unreachable_and_nothing_was_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", unused_url())
    with closing(MesiboClient("http://mesibo.invalid/backend", APP_TOKEN)) as client:
        failure = failure_of(lambda: client.send_message(HELLO))
    assert (failure.reason, failure.maybe_done) == ("proxy", False)


def test_cookies_are_not_kept(stub: Stub, client: MesiboClient) -> None:
    stub.answers.append(plain(200, b'{"result":true}', **{"Set-Cookie": "a=b; Path=/"}))
    client.delete_group(1)
    client.delete_group(1)
    assert "Cookie" not in stub.seen[1].headers


# The retry rule


@pytest.mark.parametrize("op", [*sorted(IDEMPOTENT), "groupadd", "message"])
@pytest.mark.parametrize("reason", ["connect", "proxy", "broken"])
def test_every_op_is_retried_when_nothing_was_sent(op: str, reason: str) -> None:
    assert may_retry(op, NoResponse(reason, sent=False))


@pytest.mark.parametrize("op", sorted(IDEMPOTENT))
def test_an_idempotent_op_is_retried_when_the_connection_ended_before_an_answer(op: str) -> None:
    assert may_retry(op, NoResponse("broken", sent=True))
    assert not may_retry(op, NoResponse("broken", sent=True, answered=True))


@pytest.mark.parametrize("op", ["groupadd", "message"])
def test_what_would_happen_twice_is_not_retried_once_sent(op: str) -> None:
    assert not may_retry(op, NoResponse("broken", sent=True))


@pytest.mark.parametrize("reason", ["timeout", "tls", "too large", "bad url"])
def test_a_failure_that_does_not_pass_is_not_retried(reason: str) -> None:
    assert not may_retry("useradd", NoResponse(reason, sent=False))


def test_a_stale_connection_is_replaced_for_an_idempotent_op(stub: Stub, client: MesiboClient) -> None:
    stub.answers.extend([ok(), hang_up, ok(members=[ANA])])
    client.delete_group(1)
    assert client.group_members(1) == [ANA]
    assert [seen.json["op"] for seen in stub.seen] == ["groupdel", "groupgetmembers", "groupgetmembers"]
    assert stub.connections == 2


def test_a_second_failure_is_final(stub: Stub, client: MesiboClient) -> None:
    stub.answers.extend([hang_up, hang_up, ok()])
    failure = failure_of(lambda: client.delete_group(1))
    assert (failure.reason, failure.maybe_done, len(stub.seen)) == ("broken", True, 2)


@pytest.mark.parametrize("op", ["message", "groupadd"])
def test_a_message_and_a_new_group_are_sent_once(stub: Stub, client: MesiboClient, op: str) -> None:
    stub.answers.extend([ok(), hang_up, ok(group={"gid": 1})])
    client.delete_group(1)
    call = {"message": lambda: client.send_message(HELLO), "groupadd": lambda: client.add_group("g", [ANA])}
    failure = failure_of(call[op])
    assert (failure.reason, failure.maybe_done) == ("broken", True)
    assert [seen.json["op"] for seen in stub.seen] == ["groupdel", op]


# At most so many calls at once


def test_a_call_too_many_is_turned_away_soon_and_the_next_one_is_served(stub: Stub) -> None:
    stub.answers.append(held(ok()))
    with closing(MesiboClient(stub.url, APP_TOKEN, max_calls=1)) as client:
        first = threading.Thread(target=client.delete_group, args=(1,))
        first.start()
        assert stub.arrived.acquire(timeout=5)
        watch = Stopwatch()
        failure = failure_of(lambda: client.delete_group(2))
        waited, counted = watch.seconds, watch.quiet_seconds
        stub.release.set()
        first.join()
        client.delete_group(3)
    assert (failure.reason, failure.maybe_done) == ("busy", False)
    assert waited > 0.4
    assert counted < 0.5 + MARGIN
    assert [seen.json["group"]["gid"] for seen in stub.seen] == [1, 3]


def test_a_call_too_many_waits_for_its_turn_when_it_comes_soon(stub: Stub) -> None:
    stub.answers.append(held(ok()))
    with closing(MesiboClient(stub.url, APP_TOKEN, max_calls=1)) as client:
        first = threading.Thread(target=client.delete_group, args=(1,))
        first.start()
        assert stub.arrived.acquire(timeout=5)
        threading.Timer(0.1, stub.release.set).start()
        client.delete_group(2)
        first.join()
    assert len(stub.seen) == 2


def test_failures_give_their_turn_back() -> None:
    with closing(MesiboClient(unused_url(), APP_TOKEN, max_calls=1)) as client:
        reasons = [failure_of(lambda: client.delete_group(1)).reason for _ in range(3)]
    assert reasons == ["connect"] * 3


@pytest.mark.parametrize("start", [SLOW_BODY, SLOW_HEAD], ids=["body", "head"])
def test_an_answer_in_drops_does_not_keep_its_turn(stub: Stub, start: bytes) -> None:
    stub.answers.append(trickle(start))
    with closing(MesiboClient(stub.url, APP_TOKEN, timeouts=QUICK, max_calls=1)) as client:
        failure_of(lambda: client.delete_group(1))
        assert called_in_time(lambda: client.delete_group(2))
        assert not stub.release.is_set(), "the first answer is still dripping"


def called_in_time(call: Callable[[], object]) -> bool:
    """Whether a call is made at last. None may be turned away, but a busy machine can be late with a few."""
    for _ in range(10):
        try:
            call()
        except MesiboUnreachable as failure:
            if failure.reason != "timeout":
                raise
        else:
            return True
    return False


def test_a_system_without_threads_left_is_busy(
    stub: Stub, client: MesiboClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", none_left)
        failure = failure_of(lambda: client.delete_group(1))
    assert (failure.reason, failure.maybe_done) == ("busy", False)


# A group that is made too late


def test_a_late_group_is_reported_to_the_one_who_gave_up(stub: Stub, client: MesiboClient) -> None:
    stub.answers.append(held(ok(group={"gid": 5001})))
    told: list[int] = []
    heard = threading.Event()

    def on_late(gid: int) -> None:
        told.append(gid)
        heard.set()

    watch = Stopwatch()
    failure = failure_of(lambda: client.add_group("g", [ANA], on_late=on_late))
    assert watch.quiet_seconds < QUICK.read + MARGIN
    assert (failure.reason, failure.maybe_done) == ("timeout", True)
    time.sleep(QUICK.read)  # the answer comes later than any other op would wait for it
    assert told == []
    stub.release.set()
    assert heard.wait(5)
    assert told == [5001]


def test_a_group_made_in_time_is_not_late(stub: Stub, client: MesiboClient) -> None:
    told: list[int] = []
    stub.answers.append(ok(group={"gid": 5001}))
    assert client.add_group("g", [ANA], on_late=told.append) == 5001
    assert told == []


@pytest.mark.parametrize("answer", [refused(error="BADVALUE"), plain(502, b""), hang_up])
def test_a_late_failure_is_no_late_group(stub: Stub, answer: Answer) -> None:
    stub.answers.append(held(answer))
    told: list[int] = []
    with closing(MesiboClient(stub.url, APP_TOKEN, timeouts=QUICK, max_calls=1)) as client:
        failure_of(lambda: client.add_group("g", [ANA], on_late=told.append))
        stub.release.set()
        client.delete_group(1)  # gets its turn when the late call has ended
    assert told == []


def test_what_on_late_raises_is_logged_and_harms_nobody(stub: Stub, client: MesiboClient) -> None:
    called = threading.Event()

    def on_late(gid: int) -> None:
        called.set()
        raise OSError("the database is away")

    stub.answers.append(held(ok(group={"gid": 5001})))
    with capture_logs() as lines:
        failure_of(lambda: client.add_group("g", [ANA], on_late=on_late))
        stub.release.set()
        assert called.wait(5)
        until = time.monotonic() + 5
        while lines[-1]["event"] != "mesibo_late_group_kept" and time.monotonic() < until:
            time.sleep(0.01)
    assert (lines[-1]["event"], lines[-1]["gid"]) == ("mesibo_late_group_kept", 5001)
    client.delete_group(5001)


def test_close_waits_for_nobody(stub: Stub) -> None:
    stub.answers.append(held(ok(group={"gid": 1})))
    client = MesiboClient(stub.url, APP_TOKEN, timeouts=QUICK)
    failure_of(lambda: client.add_group("g", [ANA], on_late=lambda gid: None))
    watch = Stopwatch()
    client.close()
    assert watch.quiet_seconds < MARGIN


def test_close_closes_idle_connections_even_after_a_failure(stub: Stub) -> None:
    client = MesiboClient(stub.url, APP_TOKEN)
    stub.answers.extend([ok(), hang_up, ok()])
    client.delete_group(1)
    client.delete_group(2)
    client.close()
    assert stub.connections == 2
    for _ in range(2):
        assert stub.closed.acquire(timeout=MARGIN)


def test_a_fault_of_ours_reaches_the_caller_and_gives_its_turn_back(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    with closing(MesiboClient(stub.url, APP_TOKEN, max_calls=1)) as client:
        with monkeypatch.context() as patch:
            patch.setattr(socket, "getaddrinfo", broken)
            with pytest.raises(ZeroDivisionError):
                client.delete_group(1)
        client.delete_group(2)


# Secrets


def traces(error: BaseException) -> str:
    """Everything of an exception that an error reporter might print."""
    parts = [repr(error), str(error), repr(vars(error)), repr(error.args)]
    parts += traceback.format_exception(error)
    assert error.__cause__ is None
    assert error.__context__ is None, "carries another exception with it, and whatever that holds"
    return "\n".join(parts)


TELLTALE = refused(
    error=f"BAD {APP_TOKEN} {ANA}",
    code=400,
    cause=f"token {APP_TOKEN} for {ANA}",
    action=f"renew {APP_TOKEN}",
    properties=[APP_TOKEN],
)
BROKEN: dict[str, Answer] = {
    **{name: answer for name, (answer, _reason, _done) in UNUSABLE.items()},
    "a redirect to another server": plain(301, b"", Location="http://127.0.0.1:9/"),
    "a refusal": refused(error="AUTHFAIL", code=401),
    "a refusal that repeats the token": TELLTALE,
    "a success without what was asked for": ok(),
}


@pytest.mark.parametrize("style", ["json", "form"])
@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN.keys())
def test_a_failure_tells_neither_token_nor_address_nor_text(
    stub: Stub, answer: Answer, style: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    stub.answers.append(answer)
    client = MesiboClient(stub.url, APP_TOKEN, style=style, timeouts=Timeouts(read=0.1))
    with closing(client), capture_logs() as lines, pytest.raises(MesiboError) as caught:
        client.add_group(TEXT, [ANA, BOB])
    told = traces(caught.value)
    assert APP_TOKEN not in told
    assert APP_TOKEN not in repr(client) + repr(vars(client)["_transport"])
    logged = caplog.text + repr(lines)
    for private in (APP_TOKEN, ANA, BOB, TEXT):
        assert private not in logged
        assert private not in str(caught.value)
    calls = [line for line in lines if line["event"] == "mesibo_call"]
    assert [line["log_level"] for line in calls] == ["warning"]


@pytest.mark.parametrize(
    "url",
    [unused_url(), unused_url().replace("http:", "https:"), "http://"],
    ids=["closed port", "closed port for TLS", "no host"],
)
def test_a_server_that_is_not_there_makes_nobody_tell_the_token(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = MesiboClient(url, APP_TOKEN)
    with closing(client), capture_logs() as lines, pytest.raises(MesiboUnreachable) as caught:
        client.send_message(HELLO)
    everything = traces(caught.value) + caplog.text + repr(lines)
    for private in (APP_TOKEN, ANA, BOB, TEXT):
        assert private not in everything


def test_a_success_is_one_debug_line_of_op_time_and_outcome(
    stub: Stub, client: MesiboClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with capture_logs() as lines:
        client.send_message(HELLO)
    [line] = lines
    assert set(line) == {"event", "log_level", "op", "seconds", "outcome"}
    assert (line["log_level"], line["op"], line["outcome"]) == ("debug", "message", "ok")
    assert APP_TOKEN not in caplog.text


def test_a_refusal_is_logged_by_its_code(stub: Stub, client: MesiboClient) -> None:
    stub.answers.append(refused(error="AUTHFAIL", code=401))
    with capture_logs() as lines, suppress(MesiboRefused):
        client.delete_group(1)
    [line] = lines
    assert (line["outcome"], line["error"], line["code"]) == ("refused", "AUTHFAIL", 401)

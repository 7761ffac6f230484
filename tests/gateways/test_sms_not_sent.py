"""Which outcomes prove that nothing was sent, provider by provider; every other may have been sent."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

import pytest
import requests
from structlog.testing import capture_logs

from messenger_api.configuration import build
from messenger_api.gateways.sms import (
    Channel,
    SmsError,
    SmsProvider,
    SmsRefused,
    SmsSender,
    SmsUnavailable,
    TextMessage,
    sender_from_settings,
)
from messenger_api.gateways.sms.calls import ProviderCalls
from messenger_api.gateways.sms.twilio_codes import BAD_NUMBER, FAULTS, FRAUD, THIS_NUMBER, WRONG_CHANNEL
from messenger_api.gateways.sms.vonage import FAULTS as VONAGE_FAULTS
from messenger_api.gateways.sms.vonage import INTERNAL_ERROR
from messenger_api.gateways.sms.vonage import THIS_NUMBER as VONAGE_THIS_NUMBER
from tests.gateways.gateway_standin import Gateway, gateway
from tests.gateways.twilio_standin import FROM, MESSAGE, NUMBER, SID, TOKEN
from tests.processes import wait_for

PROVIDERS = ["twilio", "twilio_verify", "vonage", "http"]


def sender_to(provider: str, url: str, **more: object) -> SmsSender:
    """The product's own sender, with one provider at this address."""
    keys: dict[str, object] = {
        "sms_providers": [provider],
        "sms_countries": "*",
        "sms_timeout": 5.0,
        "twilio_account_sid": SID,
        "twilio_auth_token": TOKEN,
        "twilio_from": FROM,
        "twilio_verify_sid": "VA0123456789abcdef0123456789abcdef",
        "twilio_api_url": url,
        "vonage_api_key": "abcd1234",
        "vonage_api_secret": "s3cr3t",
        "vonage_from": "Messenger",
        "vonage_api_url": url,
        "sms_http_url": f"{url}/send",
        "sms_http_body": "{to}{text}",
        "sms_http_id": "id",
    }
    return sender_from_settings(build(**{**keys, **more}))


def failing(provider: str, url: str, message: TextMessage = MESSAGE, **more: object) -> SmsError:
    """What sending raises."""
    sender = sender_to(provider, url, **more)
    try:
        with pytest.raises(SmsError) as caught, capture_logs():
            sender.send(message)
    finally:
        sender.close()
    return caught.value


def attempts() -> list[threading.Thread]:
    """The threads in which providers are asked now."""
    return [
        each
        for each in threading.enumerate()
        if each.name.startswith("sms-") and not each.name.endswith("idle")
    ]


# --- What never left


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_refused_connection_sent_nothing(provider: str) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        assert failing(provider, f"http://127.0.0.1:{deaf.getsockname()[1]}").not_sent


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_name_that_is_not_found_sent_nothing(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert failing(provider, "http://sms.example.com").not_sent


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_certificate_that_is_not_trusted_sent_nothing(provider: str) -> None:
    with gateway(tls=True) as standin:
        assert failing(provider, standin.url).not_sent
        assert standin.calls == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_tls_at_all_sent_nothing(provider: str) -> None:
    with gateway() as standin:
        assert failing(provider, standin.url.replace("http:", "https:"), sms_timeout=0.5).not_sent
        assert standin.calls == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_connection_that_is_not_made_in_time_sent_nothing_and_never_does(provider: str) -> None:
    """A listener whose queue is full answers no one; when it does later, nobody waits any more."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(3)]
        for each in waiting:
            each.setblocking(False)
            with suppress(BlockingIOError):
                each.connect(address)
        assert failing(provider, f"http://127.0.0.1:{address[1]}", sms_timeout=0.5).not_sent
        for each in waiting:
            each.close()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_name_that_is_looked_up_for_too_long_sent_nothing_and_never_does(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given up while it waits for the name, the request does not leave when the name is found."""
    found = threading.Event()
    right = socket.getaddrinfo

    def slow(*args: object, **keywords: object) -> object:
        found.wait(10)
        return right(*args, **keywords)  # type: ignore[arg-type]

    with gateway() as standin:
        monkeypatch.setattr(socket, "getaddrinfo", slow)
        error = failing(provider, standin.url.replace("127.0.0.1", "localhost"), sms_timeout=0.5)
        found.set()
        wait_for(lambda: not attempts(), 10, "the end of the attempt")
        assert (error.not_sent, standin.calls) == (True, [])


def test_an_attempt_for_which_there_is_no_thread_sent_nothing() -> None:
    release = threading.Event()
    calls = ProviderCalls("busy", 0.05, most=1)
    with capture_logs(), pytest.raises(SmsUnavailable) as hanging:
        calls.run(lambda: release.wait(10))
    with pytest.raises(SmsUnavailable) as refused:
        calls.run(lambda: True)
    release.set()
    assert (hanging.value.not_sent, refused.value.not_sent) == (False, True)


# --- What the provider says


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 409, 413, 415, 422, 429, 451])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_refusal_by_status_sent_nothing(provider: str, status: int) -> None:
    with gateway(status=status, answer=b"<html>no</html>") as standin:
        assert failing(provider, standin.url).not_sent
        assert len(standin.calls) == 1


@pytest.mark.parametrize("status", [200, 201, 204, 302, 408, 499, 500, 502, 503, 504, 599])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_any_other_status_without_a_right_answer_may_have_been_sent(provider: str, status: int) -> None:
    with gateway(status=status, answer=b"" if status == 204 else b"<html>thanks</html>") as standin:
        assert not failing(provider, standin.url).not_sent
        assert len(standin.calls) == 1


@pytest.mark.parametrize("provider", ["twilio", "twilio_verify"])
@pytest.mark.parametrize("code", [*FRAUD, *BAD_NUMBER, *WRONG_CHANNEL, *THIS_NUMBER, *FAULTS, 99999])
def test_twilios_error_codes_sent_nothing_unless_twilio_broke(provider: str, code: int) -> None:
    answer = {"code": code, "message": "no", "status": 400}
    with gateway(status=400, answer=answer) as standin:
        assert failing(provider, standin.url).not_sent
        standin.status = 500
        assert not failing(provider, standin.url).not_sent


def test_a_message_that_failed_at_once_by_a_code_that_nobody_knows_may_have_been_sent() -> None:
    with gateway(status=201, answer={"sid": "SM1", "status": "failed", "error_code": 30450}) as standin:
        assert failing("twilio", standin.url).not_sent
        standin.answer = {"sid": "SM1", "status": "failed", "error_code": 39999}
        assert not failing("twilio", standin.url).not_sent


@pytest.mark.parametrize("status", ["6", "7", "33", *VONAGE_THIS_NUMBER, *VONAGE_FAULTS, "77"])
def test_vonages_statuses_sent_nothing_but_for_an_error_inside(status: str) -> None:
    with gateway(answer={"messages": [{"status": status}]}) as standin:
        known = status not in (INTERNAL_ERROR, "77")
        assert failing("vonage", standin.url).not_sent is known


@pytest.mark.parametrize("refused", ["9", "6"])
def test_a_message_of_which_vonage_took_a_part_may_have_been_sent(refused: str) -> None:
    parts = [{"status": "0", "message-id": "1"}, {"status": refused}]
    with gateway(answer={"messages": parts}) as standin:
        error = failing("vonage", standin.url)
        assert (type(error), error.not_sent) == (SmsUnavailable, False)


def test_the_refused_statuses_of_a_gateway_are_its_own_word() -> None:
    with gateway(status=503, answer={}) as standin:
        error = failing("http", standin.url, sms_http_refused=[503])
        assert (type(error), error.not_sent) == (SmsRefused, True)


def test_a_call_is_judged_as_a_text_is() -> None:
    call = TextMessage(NUMBER, "4 8 1 5 1 6", code="481516", channel=Channel.VOICE)
    with gateway(status=400, answer={"code": 21215, "status": 400}) as standin:
        assert failing("twilio", standin.url, call).not_sent
        standin.status, standin.answer = 201, b"<html>"
        assert not failing("twilio", standin.url, call).not_sent


# --- A provider of one's own


class Own(SmsProvider):
    name = "own"

    def __init__(self, deliver: Callable[[], str | None]) -> None:
        self.deliver = deliver

    def _deliver(self, message: TextMessage) -> str:
        return self.deliver()  # type: ignore[return-value]


def raising(error: Exception) -> Callable[[], str]:
    def deliver() -> str:
        raise error

    return deliver


@pytest.mark.parametrize(
    ("deliver", "not_sent"),
    [
        (raising(SmsUnavailable("own", "down")), False),
        (raising(SmsUnavailable("own", "down", not_sent=True)), True),
        (raising(SmsUnavailable("own", "not there", about_number=True)), True),
        (raising(SmsRefused("own", "no such number")), True),
        (raising(requests.ConnectionError()), False),
        (raising(requests.Timeout()), False),
        (raising(KeyError("id")), False),
        (raising(ConnectionRefusedError()), False),
        (lambda: None, False),
    ],
)
def test_what_ones_own_provider_does_not_declare_may_have_been_sent(
    deliver: Callable[[], str | None], not_sent: bool
) -> None:
    with pytest.raises(SmsError) as caught, capture_logs() as events:
        SmsSender([Own(deliver)]).send(MESSAGE)
    assert caught.value.not_sent is not_sent
    assert events[-1].get("may_be_sent", False) is not not_sent


def test_a_connection_of_its_own_that_hangs_may_have_sent_it() -> None:
    with gateway(behave=lambda standin, _client: standin.stopping.wait(5)) as standin:

        def deliver() -> str:
            return str(requests.post(standin.url, data="x", timeout=5).json()["id"])

        with pytest.raises(SmsUnavailable) as caught, capture_logs():
            SmsSender([Own(deliver)], timeout=0.3).send(MESSAGE)
        assert not caught.value.not_sent


def test_of_several_all_must_prove_it() -> None:
    proven, open_ = SmsUnavailable("a", "refused", not_sent=True), SmsUnavailable("b", "timed out")
    for errors, not_sent in (([proven, proven], True), ([proven, open_], False), ([open_, proven], False)):
        providers = [Own(raising(error)) for error in errors]
        providers[1].name = "second"
        with pytest.raises(SmsUnavailable) as caught, capture_logs():
            SmsSender(providers).send(MESSAGE)
        assert caught.value.not_sent is not_sent


def test_the_body_of_a_request_that_is_cut_may_have_been_sent() -> None:
    def hanging_up(_standin: Gateway, client: socket.socket) -> None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset, not an end

    for provider in PROVIDERS:
        with gateway(behave=hanging_up) as standin:
            assert not failing(provider, standin.url).not_sent

"""The Twilio provider, asserted by the bytes that Twilio would get."""

from __future__ import annotations

import base64
import logging
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from structlog.testing import capture_logs

from messenger_api.gateways.http import Timeouts
from messenger_api.gateways.sms import SmsError, SmsRefused, SmsUnavailable, TextMessage, sender_from_settings
from messenger_api.gateways.sms.twilio import TwilioProvider
from messenger_api.gateways.sms.twilio_codes import BAD_NUMBER, FAULTS, FRAUD, THIS_NUMBER, WRONG_CHANNEL
from tests.gateways.twilio_standin import (
    ACCOUNT_PATH,
    ACTIVE,
    CREATED,
    FROM,
    MESSAGE,
    MESSAGES_PATH,
    NUMBER,
    SERVICE,
    SID,
    TEXT,
    TOKEN,
    TwilioStandIn,
    assert_no_secret,
    everything_in,
    running,
    settings_for,
)
from tests.stopwatch import Stopwatch

REFUSED = {**BAD_NUMBER, **WRONG_CHANNEL}


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the developer's machine must not stand between us and loopback."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def standin() -> Iterator[TwilioStandIn]:
    with running() as standin:
        yield standin


@pytest.fixture
def twilio(standin: TwilioStandIn) -> Iterator[TwilioProvider]:
    provider = TwilioProvider(settings_for(standin.url))
    yield provider
    provider.close()


# --- The wire


def test_twilio_gets_exactly_to_from_and_body(standin: TwilioStandIn, twilio: TwilioProvider) -> None:
    assert twilio.send(MESSAGE) == CREATED["sid"]
    (call,) = standin.calls
    assert (call.method, call.target) == ("POST", MESSAGES_PATH)
    assert call.form == [("To", f"+{NUMBER}"), ("From", FROM), ("Body", TEXT)]
    assert call.headers["content-type"] == "application/x-www-form-urlencoded"
    assert call.headers["authorization"] == "Basic " + base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()


def test_every_character_of_a_text_arrives(standin: TwilioStandIn, twilio: TwilioProvider) -> None:
    text = "कोड 12 & 3=4 + 100% ; \n “ok” 👍"
    twilio.send(TextMessage(NUMBER, text))
    assert standin.calls[0].form[-1] == ("Body", text)


@pytest.mark.parametrize(
    ("sender", "fields"),
    [
        ("Messenger", ("From", "Messenger")),
        ("MGMT", ("From", "MGMT")),
        (SERVICE, ("MessagingServiceSid", SERVICE)),
    ],
)
def test_the_sender_is_a_name_a_number_or_a_messaging_service(
    standin: TwilioStandIn, sender: str, fields: tuple[str, str]
) -> None:
    provider = TwilioProvider(settings_for(standin.url, twilio_from=sender))
    provider.send(MESSAGE)
    provider.close()
    assert standin.calls[0].form == [("To", f"+{NUMBER}"), fields, ("Body", TEXT)]


def test_the_address_is_the_settings_and_not_the_environments(
    standin: TwilioStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_EDGE", "sydney")
    monkeypatch.setenv("TWILIO_REGION", "au1")
    standin.prefix = "/standin/twilio"
    provider = TwilioProvider(settings_for(f"{standin.url}/standin/twilio/"))
    provider.send(MESSAGE)
    provider.close()
    assert standin.calls[0].target == "/standin/twilio" + MESSAGES_PATH
    assert standin.calls[0].headers["host"] == standin.url.removeprefix("http://")


def test_sends_in_turn_share_one_connection_and_no_cookie(
    standin: TwilioStandIn, twilio: TwilioProvider
) -> None:
    for _ in range(3):
        twilio.send(MESSAGE)
    assert len({call.connection for call in standin.calls}) == 1
    assert not any("cookie" in call.headers for call in standin.calls)


def test_threads_send_at_the_same_time(standin: TwilioStandIn, twilio: TwilioProvider) -> None:
    numbers = [f"9198765432{last:02}" for last in range(24)]
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda number: twilio.send(TextMessage(number, TEXT)), numbers))
    assert ids == [CREATED["sid"]] * 24
    assert sorted(dict(call.form)["To"] for call in standin.calls) == [f"+{number}" for number in numbers]


# --- Errors


@pytest.mark.parametrize("code", [21211, 21214, 21217, 21265, 21610, 21614, 21635, 30005, 30006])
def test_a_number_that_cannot_get_it_is_refused(
    standin: TwilioStandIn, twilio: TwilioProvider, code: int
) -> None:
    standin.refuses(code)
    with pytest.raises(SmsRefused) as caught:
        twilio.send(MESSAGE)
    assert (caught.value.provider, caught.value.reason) == (
        "twilio",
        f"error {code}: {REFUSED[code]}",
    )


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (20003, 401),  # bad credentials
        (20429, 429),  # rate limit
        (21408, 400),  # country not switched on in this account
        (21401, 400),  # our own sender
        (21606, 400),  # our own sender
        (21612, 400),  # this sender to that country
        (30003, 400),  # handset switched off
        (99999, 400),  # a code of tomorrow
        (20500, 500),
        (20503, 503),
        (21211, 500),  # an outage says nothing about a number
    ],
)
def test_every_other_error_leaves_it_to_the_next_provider(
    standin: TwilioStandIn, twilio: TwilioProvider, code: int, status: int
) -> None:
    standin.refuses(code, status)
    with pytest.raises(SmsUnavailable, match=rf"^twilio: error {code}: .+ \(HTTP {status}\)$"):
        twilio.send(MESSAGE)


def test_no_code_is_listed_twice() -> None:
    tables = [FRAUD, BAD_NUMBER, WRONG_CHANNEL, THIS_NUMBER, FAULTS]
    assert len(set().union(*tables)) == sum(map(len, tables))


def test_the_newer_error_format_is_sorted_the_same_way(
    standin: TwilioStandIn, twilio: TwilioProvider
) -> None:
    problem = {
        "type": "https://www.twilio.com/docs/errors/21614",
        "title": NUMBER,
        "status": 400,
        "code": 21614,
    }
    standin.answers(400, problem)
    with pytest.raises(SmsRefused, match="21614"):
        twilio.send(MESSAGE)


def test_a_message_that_failed_on_creation_is_a_failure(
    standin: TwilioStandIn, twilio: TwilioProvider
) -> None:
    standin.answers(201, CREATED | {"status": "failed", "error_code": 30006})
    with pytest.raises(SmsRefused, match="30006"):
        twilio.send(MESSAGE)


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (201, b"<html>captive portal</html>"),
        (201, b""),
        (201, b"[]"),
        (201, {"status": "queued"}),
        (302, b""),
        (400, b"<html>no JSON</html>"),
        (400, b'["code"]'),
        (400, {"code": [21211], "message": "odd"}),
        (502, b"<html>Bad Gateway</html>"),
    ],
)
def test_an_answer_that_makes_no_sense_is_a_fault_of_the_provider(
    standin: TwilioStandIn, twilio: TwilioProvider, status: int, answer: Any
) -> None:
    standin.answers(status, answer)
    with pytest.raises(SmsUnavailable):
        twilio.send(MESSAGE)


@pytest.mark.parametrize("act", ["send", "check"])
def test_a_silent_provider_is_left_in_time_and_asked_once(standin: TwilioStandIn, act: str) -> None:
    standin.silent = True
    provider = TwilioProvider(settings_for(standin.url), timeouts=Timeouts(connect=1, read=0.2))
    watch = Stopwatch()
    with pytest.raises(SmsUnavailable, match=r"^twilio: timed out$"):
        provider.send(MESSAGE) if act == "send" else provider.check()
    assert watch.seconds >= 0.2
    assert watch.quiet_seconds < 2
    assert len(standin.calls) == 1
    provider.close()


def test_the_time_outs_are_finite_when_nobody_names_them() -> None:
    assert Timeouts() == (3.0, 10.0)


@pytest.mark.parametrize("act", ["send", "check"])
def test_a_failed_connection_is_unavailable_and_carries_no_request_along(act: str) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        provider = TwilioProvider(settings_for(f"http://127.0.0.1:{deaf.getsockname()[1]}"))
        with pytest.raises(SmsUnavailable, match="connection failed") as caught:
            provider.send(MESSAGE) if act == "send" else provider.check()
    provider.close()
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


# --- The doctor


def test_the_check_fetches_the_account_and_sends_nothing(
    standin: TwilioStandIn, twilio: TwilioProvider
) -> None:
    standin.answers(200, ACTIVE)
    twilio.check()
    assert [(call.method, call.target, call.body) for call in standin.calls] == [("GET", ACCOUNT_PATH, b"")]


def test_the_check_tells_wrong_credentials(standin: TwilioStandIn) -> None:
    provider = TwilioProvider(settings_for(standin.url, twilio_auth_token="wrong"))
    with pytest.raises(SmsUnavailable, match="20003: the credentials were not accepted"):
        provider.check()
    provider.close()


def test_the_check_tells_a_suspended_account(standin: TwilioStandIn, twilio: TwilioProvider) -> None:
    standin.answers(200, ACTIVE | {"status": "suspended"})
    with pytest.raises(SmsUnavailable, match="not active"):
        twilio.check()


# --- Nothing secret


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [(201, 0, "sent"), (400, 21211, "refused"), (500, 20500, "unavailable"), (401, 20003, "unavailable")],
)
def test_no_log_output_or_exception_holds_number_text_or_token(
    standin: TwilioStandIn,
    twilio: TwilioProvider,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    status: int,
    code: int,
    outcome: str,
) -> None:
    if code:
        standin.refuses(code, status)
    shown = ""
    with caplog.at_level(logging.DEBUG), capture_logs() as events:
        try:
            twilio.send(MESSAGE)
        except SmsError as error:
            shown = everything_in(error)
    records = "".join(f"{record.getMessage()} {vars(record)!r}" for record in caplog.records)
    assert_no_secret(shown + records + repr(events) + "".join(capfd.readouterr()))
    assert [(event["outcome"], event["to"]) for event in events] == [(outcome, "9198******10")]


def test_the_library_writes_nothing_to_the_log(
    standin: TwilioStandIn, twilio: TwilioProvider, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        twilio.send(MESSAGE)
    assert {record.name for record in caplog.records} <= {"urllib3.connectionpool"}


# --- With another provider


def test_twilio_down_falls_over_to_the_console(
    standin: TwilioStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    standin.refuses(20503, 503)
    sender = sender_from_settings(settings_for(standin.url, sms_providers=["twilio", "console"]))
    sent = sender.send(MESSAGE)
    assert (sent.provider, sent.id[:8]) == ("console", "console-")
    sender.close()
    assert TEXT in capsys.readouterr().out
    assert len(standin.calls) == 1

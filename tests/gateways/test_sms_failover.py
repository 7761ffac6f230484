"""Failover, with real HTTP: whatever the first provider does, the next has sent in time."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from messenger_api.configuration import build
from messenger_api.gateways.sms import (
    Channel,
    Health,
    Sent,
    SmsFraud,
    SmsProvider,
    SmsRefused,
    SmsSender,
    SmsUnavailable,
    SmsWrongChannel,
    TextMessage,
    VerifyProvider,
    sender_from_settings,
)
from messenger_api.gateways.sms.calls import ProviderCalls
from messenger_api.gateways.sms.http import HttpProvider
from tests.gateways.gateway_standin import (
    Gateway,
    dropping,
    gateway,
    silent,
    slow,
    trickling_body,
    trickling_head,
)
from tests.gateways.mesibo_stub import SELF_SIGNED
from tests.gateways.test_sms import Scripted
from tests.gateways.test_sms_health import Clock
from tests.gateways.twilio_standin import MESSAGE, NUMBER, TEXT, assert_no_secret, everything_in
from tests.processes import wait_for
from tests.stopwatch import Stopwatch

PATIENCE = 10.0
CALL = TextMessage(NUMBER, TEXT, code="481516", channel=Channel.VOICE)


class Second(HttpProvider):
    """Another gateway of the same kind."""

    name = "second"


class Third(HttpProvider):
    name = "third"


def http(kind: type[HttpProvider], url: str, **values: object) -> HttpProvider:
    keys = {"sms_http_url": url, "sms_http_body": "to={to}&text={text}", "sms_http_id": "id"}
    return kind(build(sms_providers=["http"], **{**keys, **values}))


def timed(work: Callable[[], Sent]) -> tuple[float, Sent]:
    watch = Stopwatch()
    sent = work()
    return watch.quiet_seconds, sent


# --- Whatever the first does


def error_500(standin: Gateway, client: socket.socket) -> None:
    standin.status = 500
    standin.reply(client)


@pytest.mark.parametrize(
    "behave",
    [
        error_500,
        dropping,
        *(  # three seconds are waited for each
            pytest.param(behave, marks=pytest.mark.server)
            for behave in (silent, slow, trickling_body, trickling_head)
        ),
    ],
)
def test_the_next_provider_has_sent_in_time(behave: Callable[[Gateway, socket.socket], None]) -> None:
    with gateway(behave=behave) as bad, gateway() as good:
        sender = SmsSender([http(HttpProvider, bad.url), http(Second, good.url)])
        seconds, sent = timed(lambda: sender.send(MESSAGE))
        assert seconds < PATIENCE / 2
        assert sent == Sent("second", "id-1", Channel.SMS, makes_codes=False, receipts=False)
        assert len(bad.calls) == 1
        assert good.calls[0].form == {"to": NUMBER, "text": TEXT}

        # And whoever comes next does not wait for the one that failed.
        seconds, _ = timed(lambda: sender.send(MESSAGE))
        assert seconds < 2
        assert len(bad.calls) == 1
        sender.close()


@pytest.mark.server
def test_two_providers_that_hang_still_leave_time_for_the_third() -> None:
    with gateway(behave=silent) as one, gateway(behave=trickling_head) as two, gateway() as good:
        providers = [http(HttpProvider, one.url), http(Second, two.url), http(Third, good.url)]
        sender = SmsSender(providers)
        seconds, sent = timed(lambda: sender.send(MESSAGE))
        sender.close()
    assert seconds < PATIENCE
    assert sent.provider == "third"


def test_a_refused_connection_is_a_fault_of_the_provider() -> None:
    with socket.socket() as deaf, gateway() as good:
        deaf.bind(("127.0.0.1", 0))
        bad = http(HttpProvider, f"http://127.0.0.1:{deaf.getsockname()[1]}")
        sender = SmsSender([bad, http(Second, good.url)])
        assert sender.send(MESSAGE).provider == "second"
        sender.close()


def test_the_time_of_an_attempt_is_the_settings() -> None:
    with gateway(behave=silent) as bad:
        keys = {"sms_http_url": bad.url, "sms_http_body": "{to}{text}", "sms_timeout": 0.5}
        sender = sender_from_settings(build(sms_providers=["http"], sms_countries="*", **keys))
        watch = Stopwatch()
        with pytest.raises(SmsUnavailable, match="http: ") as caught:
            sender.send(MESSAGE)
        assert watch.seconds > 0.4
        assert watch.quiet_seconds < 3
        sender.close()
    assert_no_secret(everything_in(caught.value))


@pytest.mark.parametrize("behave", [silent, trickling_head, trickling_body])
def test_an_attempt_that_was_given_up_ends_soon_though_the_server_goes_on(
    behave: Callable[[Gateway, socket.socket], None],
) -> None:
    with gateway(behave=behave) as bad:
        keys = {"sms_http_url": bad.url, "sms_http_body": "{to}{text}", "sms_timeout": 0.5}
        sender = sender_from_settings(build(sms_providers=["http"], sms_countries="*", **keys))
        with pytest.raises(SmsUnavailable):
            sender.send(MESSAGE)
        with pytest.raises(SmsUnavailable, match=r"^http: timed out$"):
            sender.providers[0].send(MESSAGE)
        wait_for(lambda: not threads_named("sms-http"), 3, "the end of the attempt")
        assert not bad.stopping.is_set()
        sender.close()


def test_over_tls_it_ends_as_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(SELF_SIGNED))
    with gateway(tls=True) as good, gateway(tls=True, behave=trickling_head) as bad:
        keys = {"sms_http_body": "{to}{text}", "sms_timeout": 0.5}
        provider = http(HttpProvider, good.url, **keys)
        assert provider.send(MESSAGE) == "id-1"
        provider.close()
        provider = http(HttpProvider, bad.url, **keys)
        watch = Stopwatch()
        with pytest.raises(SmsUnavailable, match=r"^http: timed out$"):
            provider.send(MESSAGE)
        assert watch.quiet_seconds < 3
        provider.close()


def threads_named(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == name]


# --- A provider of somebody else's that hangs


class Hanging(SmsProvider):
    name = "hanging"

    def __init__(self) -> None:
        self.released = threading.Event()

    def _deliver(self, message: TextMessage) -> str:
        self.released.wait(20)
        return "late"

    def release(self) -> None:
        """Let every call end."""
        self.released.set()
        wait_for(lambda: not threads_named("sms-hanging"), 5, "the end of the calls")


def test_a_provider_that_forgot_its_timeout_is_left_in_time() -> None:
    hanging = Hanging()
    sender = SmsSender([hanging, Scripted("b", "id-b")], timeout=0.2)
    with capture_logs() as events:
        seconds, sent = timed(lambda: sender.send(MESSAGE))
        hanging.release()
    assert (sent.provider, seconds < 2) == ("b", True)
    assert [event["provider"] for event in events if event["event"] == "sms.abandoned"] == ["hanging"]


def test_no_more_than_a_bounded_number_of_calls_hang_at_once() -> None:
    hanging = Hanging()
    calls = ProviderCalls("hanging", 0.05, most=3)
    reasons = []
    with capture_logs():
        for _ in range(5):
            with pytest.raises(SmsUnavailable) as caught:
                calls.run(lambda: hanging.send(MESSAGE))
            reasons.append(caught.value.reason)
        hanging.release()
    assert calls.run(lambda: "free again") == "free again"
    assert reasons == ["no result within 0.05 s"] * 3 + ["too many calls are under way"] * 2


# --- The order


def test_a_provider_that_comes_back_is_found_by_one_probe() -> None:
    clock = Clock()
    first, second = Scripted("a", SmsUnavailable("a", "down")), Scripted("b", "id-b")
    sender = SmsSender([first, second], health=Health(clock))
    assert [sender.send(MESSAGE).provider for _ in range(3)] == ["b", "b", "b"]
    assert len(first.got) == 1
    first.outcome = "id-a"
    clock.now += 31
    assert [sender.send(MESSAGE).provider for _ in range(2)] == ["a", "a"]


def test_when_the_others_fail_too_the_ailing_one_is_asked_again() -> None:
    first, second = Scripted("a", SmsUnavailable("a", "down")), Scripted("b", "id-b")
    sender = SmsSender([first, second])
    sender.send(MESSAGE)
    first.outcome, second.outcome = "id-a", SmsUnavailable("b", "down")
    assert sender.send(MESSAGE).provider == "a"


def test_those_that_failed_this_number_before_come_last() -> None:
    sender = SmsSender([Scripted("a", "id-a"), Scripted("b", "id-b")])
    assert sender.send(MESSAGE, avoid={"a"}).provider == "b"
    assert sender.send(MESSAGE, avoid=["a", "b", "gone"]).provider == "a"
    assert sender.send(MESSAGE).provider == "a"


def test_a_fault_about_one_number_leaves_the_provider_its_place() -> None:
    first = Scripted("a", SmsUnavailable("a", "not to this country", about_number=True))
    sender = SmsSender([first, Scripted("b", "id-b")])
    assert sender.send(MESSAGE).provider == "b"
    first.outcome = "id-a"
    assert sender.send(MESSAGE).provider == "a"


@pytest.mark.parametrize("kind", [SmsRefused, SmsFraud, SmsWrongChannel])
def test_what_is_about_the_number_is_told_by_the_first_and_asked_of_nobody_else(
    kind: type[SmsRefused],
) -> None:
    first, second = Scripted("a", kind("a", "no")), Scripted("b", "id-b")
    sender = SmsSender([first, second])
    with pytest.raises(kind), capture_logs() as events:
        sender.send(MESSAGE)
    assert (second.got, events[0]["outcome"]) == ([], kind.outcome)
    first.outcome = "id-a"
    assert sender.send(MESSAGE).provider == "a"


# --- Channels


class Caller(Scripted):
    channels = frozenset({Channel.VOICE})
    costs = False


def test_providers_without_the_channel_are_left_out() -> None:
    texter, caller = Scripted("a", "id-a"), Caller("b", "id-b")
    sender = SmsSender([texter, caller])
    with capture_logs() as events:
        assert sender.send(CALL) == Sent("b", "id-b", Channel.VOICE, makes_codes=False, receipts=False)
    assert events[0]["channel"] == "voice"
    assert sender.send(MESSAGE).provider == "a"
    assert sender.channels == {Channel.SMS, Channel.VOICE}


def test_a_channel_that_nobody_has_is_the_wrong_one() -> None:
    sender = SmsSender([Scripted("a", "id-a")])
    with pytest.raises(SmsWrongChannel, match="no provider has this channel"):
        sender.send(CALL)
    assert sender.channels == {Channel.SMS}


def test_it_costs_where_one_provider_does() -> None:
    assert SmsSender([Caller("a", "x"), Scripted("b", "x")]).costs
    assert not SmsSender([Caller("a", "x")]).costs
    assert not sender_from_settings(build()).costs


def test_two_providers_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="SMS_PROVIDERS: two providers have the same name"):
        SmsSender([Scripted("a", "x"), Scripted("a", "y")])


# --- Those who make the codes


class Maker(VerifyProvider):
    """Makes a code of its own."""

    name = "maker"

    def __init__(self, outcome: bool | Exception = True) -> None:
        self.outcome = outcome
        self.asked: list[tuple[str, str, str]] = []

    def _deliver(self, message: TextMessage) -> str:
        return "verification-1"

    def _check(self, to: str, verification_id: str, code: str) -> bool:
        self.asked.append((to, verification_id, code))
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def test_a_provider_that_makes_codes_checks_them() -> None:
    maker = Maker()
    sender = SmsSender([Scripted("a", SmsUnavailable("a", "down")), maker])
    sent = sender.send(MESSAGE)
    assert sent == Sent("maker", "verification-1", Channel.SMS, makes_codes=True, receipts=False)
    with capture_logs() as events:
        assert sender.check_code(sent.provider, NUMBER, sent.id, "739164")
        maker.outcome = False
        assert not sender.check_code(sent.provider, NUMBER, sent.id, "739165")
    assert maker.asked == [(NUMBER, sent.id, "739164"), (NUMBER, sent.id, "739165")]
    assert [(event["event"], event["outcome"], event["to"]) for event in events] == [
        ("sms.check", "right", "9198******10"),
        ("sms.check", "wrong", "9198******10"),
    ]
    assert all(isinstance(event["ms"], int) for event in events)
    assert_no_secret(repr(events))
    assert "7391" not in repr(events)


@pytest.mark.parametrize(
    "fault", [SmsUnavailable("maker", "down"), SmsRefused("maker", "odd"), RuntimeError(NUMBER)]
)
def test_a_check_that_cannot_be_made_is_no_answer(fault: Exception) -> None:
    sender = SmsSender([Maker(fault)])
    with pytest.raises(SmsUnavailable) as caught:
        sender.check_code("maker", NUMBER, "verification-1", "739164")
    assert_no_secret(everything_in(caught.value))


@pytest.mark.parametrize("name", ["a", "gone"])
def test_a_code_cannot_be_checked_by_who_made_none_or_is_gone(name: str) -> None:
    sender = SmsSender([Scripted("a", "id-a")])
    with pytest.raises(SmsUnavailable, match="not configured to check codes"):
        sender.check_code(name, NUMBER, "x", "739164")


def test_a_provider_is_found_by_its_name() -> None:
    maker = Maker()
    sender = SmsSender([maker])
    assert (sender.get("maker"), sender.get("gone")) == (maker, None)

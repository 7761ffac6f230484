"""The SMS gateway: what all providers share, their order, the console, and the setting."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from messenger_api.configuration import build
from messenger_api.gateways.keys.sms_providers import NAMES
from messenger_api.gateways.sms import (
    ConsoleProvider,
    SmsProvider,
    SmsRefused,
    SmsSender,
    SmsUnavailable,
    TextMessage,
    sender_from_settings,
)
from tests.gateways.twilio_standin import MESSAGE, NUMBER, SID, TEXT, assert_no_secret, everything_in


class Scripted(SmsProvider):
    """A provider of somebody else: answers, or raises what it was given."""

    def __init__(self, name: str, outcome: str | Exception) -> None:
        self.name = name
        self.outcome = outcome
        self.got: list[TextMessage] = []

    def check(self) -> None:
        if isinstance(self.outcome, Exception):
            raise self.outcome

    def _deliver(self, message: TextMessage) -> str:
        self.got.append(message)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


# --- The message


def test_a_printed_message_shows_neither_its_text_nor_the_whole_number() -> None:
    printed = f"{MESSAGE} {MESSAGE!r} {[MESSAGE]}"
    assert_no_secret(printed)
    assert "9198******10" in printed


# --- Nothing secret


def test_the_log_tells_provider_outcome_and_duration() -> None:
    with capture_logs() as events:
        Scripted("a", "id-1").send(MESSAGE)
    (event,) = events
    assert isinstance(event.pop("ms"), int)
    assert event == {
        "event": "sms.send",
        "log_level": "info",
        "outcome": "sent",
        "id": "id-1",
        "provider": "a",
        "to": "9198******10",
    }


@pytest.mark.parametrize(
    "outcome",
    [RuntimeError(f"cannot send {TEXT} to {NUMBER}"), KeyError(NUMBER), SmsUnavailable("b", "down")],
)
def test_what_a_providers_library_raises_is_cut_off(outcome: Exception) -> None:
    outcome.__cause__ = ValueError(f"{NUMBER} {TEXT}")
    with capture_logs() as events, pytest.raises(SmsUnavailable) as caught:
        Scripted("b", outcome).send(MESSAGE)
    assert_no_secret(everything_in(caught.value) + repr(events))


def test_an_unforeseen_fault_is_logged_with_its_place() -> None:
    with capture_logs() as events, pytest.raises(SmsUnavailable, match=r"^b: unexpected RuntimeError$"):
        Scripted("b", RuntimeError(TEXT)).send(MESSAGE)
    assert events[0]["error"] == "RuntimeError"
    assert "in _deliver" in events[0]["frames"]


# --- The order of providers


def test_the_first_provider_that_works_is_the_only_one_asked() -> None:
    first, second = Scripted("a", "id-a"), Scripted("b", "id-b")
    assert SmsSender([first, second]).send(MESSAGE).id == "id-a"
    assert (first.got, second.got) == ([MESSAGE], [])


@pytest.mark.parametrize("fault", [SmsUnavailable("a", "down"), ConnectionError("reset"), KeyError("sid")])
def test_a_fault_of_one_provider_is_made_good_by_the_next(fault: Exception) -> None:
    first, second, third = Scripted("a", fault), Scripted("b", "id-b"), Scripted("c", "id-c")
    assert SmsSender([first, second, third]).send(MESSAGE).id == "id-b"
    assert (first.got, second.got, third.got) == ([MESSAGE], [MESSAGE], [])


def test_a_refused_number_is_not_offered_to_the_next_provider() -> None:
    second = Scripted("b", "id-b")
    with pytest.raises(SmsRefused, match=r"^a: no mobile$"):
        SmsSender([Scripted("a", SmsRefused("a", "no mobile")), second]).send(MESSAGE)
    assert second.got == []


def test_when_all_providers_fail_each_reason_is_told() -> None:
    first, second = Scripted("a", SmsUnavailable("a", "down")), Scripted("b", OSError(NUMBER))
    with pytest.raises(SmsUnavailable, match="a: down; b: unexpected OSError") as caught:
        SmsSender([first, second]).send(MESSAGE)
    assert caught.value.provider == "a, b"
    assert_no_secret(everything_in(caught.value))


def test_the_check_looks_behind_a_working_provider() -> None:
    sender = SmsSender([Scripted("a", "ok"), Scripted("b", SmsUnavailable("b", "no credit"))])
    with pytest.raises(SmsUnavailable, match="b: no credit"):
        sender.check()
    SmsSender([Scripted("a", "ok")]).check()


# --- The console


def test_the_console_prints_one_framed_line_that_says_it_is_not_for_production(
    capsys: pytest.CaptureFixture[str],
) -> None:
    provider = ConsoleProvider()
    capsys.readouterr()
    with capture_logs() as events:
        first, second = (provider.send(TextMessage(NUMBER, "481516 is\nyour code")) for _ in range(2))
    lines = capsys.readouterr().out.splitlines()
    assert (
        lines
        == [f">>>> SMS NOT SENT (console: not for production) to +{NUMBER}: 481516 is your code <<<<"] * 2
    )
    assert first != second
    assert_no_secret(repr(events))


def test_the_console_warns_in_the_log_when_it_is_configured() -> None:
    with capture_logs() as events:
        sender_from_settings(build()).check()
    assert [(event["log_level"], event["event"]) for event in events] == [("warning", "sms.console")]
    assert "not for production" in events[0]["note"]


def test_the_console_fills_the_sandboxs_inbox(capsys: pytest.CaptureFixture[str]) -> None:
    inbox: list[tuple[str, str]] = []
    sender = sender_from_settings(build(), inbox=lambda to, text: inbox.append((to, text)))
    sender.send(MESSAGE)
    assert inbox == [(NUMBER, TEXT)]
    assert TEXT in capsys.readouterr().out


# --- The setting


OWN_PROVIDER = """
from messenger_api.gateways.sms import SmsProvider

class Own(SmsProvider):
    name = "own"

    def __init__(self, settings):
        self.app = settings.sms_app_name

    def _deliver(self, message):
        return f"{self.app}-{message.to[-2:]}"

number = 5
"""


@pytest.fixture
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "own_sms.py").write_text(OWN_PROVIDER)
    (tmp_path / "broken_sms.py").write_text("import no_such_library_for_sms\n")
    (tmp_path / "garbled_sms.py").write_text("class (:\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in ("own_sms", "broken_sms", "garbled_sms"):
        sys.modules.pop(name, None)


@pytest.mark.usefixtures("own_module")
def test_a_dotted_path_loads_a_provider_and_gives_it_the_settings() -> None:
    sender = sender_from_settings(
        build(sms_providers=["own_sms.Own"], sms_app_name="Chat", sms_countries="*")
    )
    with capture_logs() as events:
        assert sender.send(MESSAGE).id == "Chat-10"
    sender.check()
    sender.close()
    assert events[0]["provider"] == "own"


@pytest.mark.usefixtures("own_module")
@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("twillio", f"accepted are {', '.join(NAMES)} and a dotted path"),
        ("no_such_module.Own", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("broken_sms.Own", "No module named 'no_such_library_for_sms'"),
        ("garbled_sms.Own", "SyntaxError"),
        ("own_sms.Other", "AttributeError"),
        ("own_sms.number", "not a messenger_api.gateways.sms.SmsProvider"),
        ("pathlib.Path", "not a messenger_api.gateways.sms.SmsProvider"),
        (".Own", "cannot be imported"),
    ],
)
def test_a_provider_that_cannot_be_loaded_names_the_key_and_the_fault(path: str, told: str) -> None:
    with pytest.raises(ValueError) as caught:
        sender_from_settings(build(sms_providers=[path]))
    assert str(caught.value).startswith(f"SMS_PROVIDERS = {path!r}: ")
    assert told in str(caught.value)


def test_no_provider_at_all_names_the_key() -> None:
    with pytest.raises(ValueError, match="SMS_PROVIDERS"):
        sender_from_settings(build(sms_providers=[]))


@pytest.mark.server
def test_twilios_library_is_loaded_only_where_it_is_configured() -> None:
    program = (
        "import sys\n"
        "from messenger_api.gateways.sms import sender_from_settings\n"
        "from messenger_api.configuration import build\n"
        "sender_from_settings(build())\n"
        "print('twilio' in sys.modules)\n"
        f"sender_from_settings(build(sms_providers=['twilio'], sms_countries='*', twilio_account_sid={SID!r},"
        " twilio_auth_token='x', twilio_from='x')).close()\n"
        "print('twilio' in sys.modules)\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    words = [line for line in done.stdout.splitlines() if line in ("True", "False")]
    assert words == ["False", "True"]

"""What all login methods share: addresses, the log, what is cut off, and the setting."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from messenger_api.configuration import build
from messenger_api.domain.address import is_address, masked_address, read_login_name
from messenger_api.gateways.login import (
    CodeMethod,
    Denied,
    LoginFailed,
    LoginMethod,
    Person,
    Unavailable,
    Undeliverable,
    method_from_settings,
)
from tests.login.standins import assert_hidden
from tests.servers import ROOT

NAME, SECRET, CODE = "anastasia", "correct horse battery", "481516"


class Scripted(LoginMethod):
    """A method of somebody else: answers, or raises what it was given."""

    name = "scripted"

    def __init__(self, outcome: Person | Exception) -> None:
        self.outcome = outcome

    def _authenticate(self, address: str, secret: str) -> Person:
        if isinstance(self.outcome, Exception):
            raise self.outcome from ValueError(f"{address} {secret}")
        return self.outcome


class Courier(CodeMethod):
    """A method of somebody else that delivers codes, or raises what it was given."""

    name = "courier"

    def __init__(self, fault: Exception | None = None) -> None:
        self.fault = fault
        self.got: list[tuple[str, str, str]] = []

    def _deliver(self, address: str, code: str, language: str) -> None:
        self.got.append((address, code, language))
        if self.fault:
            raise self.fault from ValueError(f"{address} {code}")


# --- Addresses


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("Ana", "ana"), ("  ana \n", "ana"), ("ana.b-c_d@x", "ana.b-c_d@x"), ("a" * 64, "a" * 64),
        ("a" * 65, None), ("", None), ("   ", None), ("a b", None), ("a,b", None), ("a:b", None),
        ("a\x00b", None), ("añb", None), ("\u212aai", None), ("a\u200bb", None), ("a\tb", None),
    ],
)  # fmt: skip
def test_a_login_name_is_lower_case_ascii_without_what_lists_of_members_use(
    entry: str, expected: str | None
) -> None:
    assert read_login_name(entry) == expected
    assert Scripted(Person("x")).read(entry) == expected


@given(st.text())
def test_whatever_is_typed_a_name_that_was_read_is_an_address_and_reads_as_itself(entry: str) -> None:
    name = read_login_name(entry)
    assert name is None or (is_address(name) and read_login_name(name) == name)


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("anastasia", "an***"), ("ana", "***"), ("", "***"), ("anastasia@example.com", "an***@example.com"),
        ("me@example.com", "***@example.com"), ("919876543210", "9198******10"),
    ],
)  # fmt: skip
def test_a_masked_address_tells_who_it_is_to_those_who_know(address: str, masked: str) -> None:
    assert masked_address(address) == masked


def test_a_printed_person_is_masked() -> None:
    assert repr(Person("anastasia", "Ana Lee")) == "Person(an***)"


# --- The log, and what never enters it


def test_the_log_tells_method_outcome_and_duration() -> None:
    with capture_logs() as events:
        assert Scripted(Person(NAME, "Ana")).authenticate(NAME, SECRET) == Person(NAME, "Ana")
    (event,) = events
    assert isinstance(event.pop("ms"), int)
    assert event == {
        "event": "login.prove",
        "log_level": "info",
        "method": "scripted",
        "address": "an***",
        "outcome": "ok",
    }


def test_a_person_whom_the_secret_named_stands_masked_in_the_log() -> None:
    with capture_logs() as events:
        Scripted(Person(NAME)).authenticate("", SECRET)
    assert events[0]["address"] == "an***"


def test_a_delivered_code_is_logged_without_the_code() -> None:
    courier = Courier()
    with capture_logs() as events:
        courier.deliver(NAME, CODE, "de")
    assert courier.got == [(NAME, CODE, "de")]
    assert (events[0]["event"], events[0]["method"], events[0]["outcome"]) == (
        "login.deliver",
        "courier",
        "ok",
    )
    assert CODE not in repr(events)
    assert NAME not in repr(events)


@pytest.mark.parametrize("fault", [Denied("no entry"), Unavailable("down")])
def test_a_failure_keeps_its_kind_and_reason_and_loses_its_cause(fault: LoginFailed) -> None:
    with capture_logs() as events, pytest.raises(type(fault)) as caught:
        Scripted(fault).authenticate(NAME, SECRET)
    assert (events[0]["log_level"], events[0]["outcome"]) == ("warning", fault.outcome)
    assert events[0]["reason"] == fault.reason == caught.value.reason
    assert_hidden(caught.value, events, NAME, SECRET)


@pytest.mark.parametrize("fault", [RuntimeError(f"{NAME} {SECRET}"), KeyError(SECRET), OSError(NAME)])
def test_whatever_else_a_method_raises_becomes_unavailable_with_its_place_in_the_log(
    fault: Exception,
) -> None:
    with capture_logs() as events, pytest.raises(Unavailable) as caught:
        Scripted(fault).authenticate(NAME, SECRET)
    assert caught.value.reason == f"unexpected {type(fault).__name__}"
    assert "in _authenticate" in events[0]["frames"]
    assert_hidden(caught.value, events, NAME, SECRET)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [(Undeliverable("550"), Undeliverable), (Unavailable("451"), Unavailable), (OSError("x"), Unavailable)],
)
def test_a_code_that_was_not_delivered_says_whether_trying_again_helps(
    fault: Exception, expected: type[LoginFailed]
) -> None:
    with capture_logs() as events, pytest.raises(expected) as caught:
        Courier(fault).deliver(NAME, CODE, "en")
    assert_hidden(caught.value, events, NAME, CODE)


@pytest.mark.parametrize("address", ["Müller", "a,b", "", "a" * 65, "a b"])
def test_a_person_whose_address_mesibo_cannot_hold_is_denied(address: str) -> None:
    with pytest.raises(Denied, match="cannot be used at mesibo"):
        Scripted(Person(address)).authenticate(NAME, SECRET)


# --- The setting


OWN = """
from messenger_api.gateways.login import CodeMethod, LoginMethod, Person

class Own(LoginMethod):
    def __init__(self, settings):
        self.app = settings.sms_app_name

    def _authenticate(self, address, secret):
        return Person(address, self.app)

class Chat(CodeMethod):
    def __init__(self, settings): ...

    def _deliver(self, address, code, language): ...

number = 5
"""


@pytest.fixture
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "own_login.py").write_text(OWN)
    (tmp_path / "broken_login.py").write_text("import no_such_library_for_login\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in ("own_login", "broken_login"):
        sys.modules.pop(name, None)


@pytest.mark.usefixtures("own_module")
def test_a_dotted_path_loads_a_method_and_gives_it_the_settings() -> None:
    method = method_from_settings(build(login_method="own_login.Own", sms_app_name="Chat"))
    assert isinstance(method, LoginMethod)
    assert method.authenticate("ana", SECRET).name == "Chat"
    method.check()
    method.close()
    assert isinstance(method_from_settings(build(login_method="own_login.Chat")), CodeMethod)


@pytest.mark.parametrize("name", ["otp", "password"])
def test_what_no_gateway_is_needed_for_has_none(name: str) -> None:
    assert method_from_settings(build(login_method=name)) is None


@pytest.mark.usefixtures("own_module")
@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("no_such_module.Own", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("broken_login.Own", "No module named 'no_such_library_for_login'"),
        ("own_login.Other", "AttributeError"),
        ("own_login.number", "neither a LoginMethod nor a CodeMethod"),
        ("pathlib.Path", "neither a LoginMethod nor a CodeMethod"),
        (".Own", "cannot be imported"),
    ],
)
def test_a_method_that_cannot_be_loaded_names_the_key_and_the_fault(path: str, told: str) -> None:
    with pytest.raises(ValueError) as caught:
        method_from_settings(build(login_method=path))
    assert str(caught.value).startswith(f"LOGIN_METHOD = {path!r}: ")
    assert told in str(caught.value)


@pytest.mark.server
def test_no_library_of_a_login_method_is_loaded_unless_it_is_configured() -> None:
    program = (
        "import sys\n"
        "import messenger_api.app, messenger_api.cli\n"
        "print(sorted({'ldap', 'pyrad', 'jwt', 'argon2', 'email_validator'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_a_missing_library_is_named_with_the_way_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "email_validator", None)
    monkeypatch.delitem(sys.modules, "messenger_api.gateways.login.mail", raising=False)
    settings = build(login_method="email", smtp_host="127.0.0.1", smtp_from="a@example.com")
    with pytest.raises(ValueError, match=r"pip install '\.\[email\]'"):
        method_from_settings(settings)


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("Ana\0 Lee", "Ana Lee"),
        ("\x1b[31mAna\x07\r\n", "[31mAna"),
        ("\u202eeeL anA", "eeL anA"),
        ("Ana \ud83d", "Ana"),
        ("\u200b\u200f", ""),
        ("Ana 👩‍💻", "Ana 👩‍💻"),
        (None, ""),
        (17, ""),
    ],
)
def test_a_name_that_nobody_could_store_or_read_is_cleaned(name: object, clean: str) -> None:
    method = Scripted(Person("ana", name))  # type: ignore[arg-type]
    assert method.authenticate("ana", SECRET) == Person("ana", clean)

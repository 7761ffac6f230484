"""The pytest plugin, as the test suite of a stranger who installed the package meets it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import requests

from messenger_api.mesibo import Client, MesiboError, MesiboUnreachable, Options, Retries, UserAdd, UsersGet
from messenger_api.sandbox import Fault
from messenger_api.sandbox.testing import MesiboSandbox
from tests.sandbox.conftest import ADA, BOB
from tests.stopwatch import Stopwatch

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "sandbox.md"
MOST_SECONDS = 0.05


@pytest.fixture
def sandbox() -> Iterator[MesiboSandbox]:
    with MesiboSandbox() as sandbox:
        yield sandbox


def client(sandbox: MesiboSandbox) -> Client:
    return Client(sandbox.app_token, Options(sandbox.url, retries=Retries(most=0), key=sandbox.account_key))


# In a run of its own


def run(folder: Path, source: str, *options: str) -> subprocess.CompletedProcess[str]:
    """pytest in a folder that holds this test file alone."""
    (folder / "test_theirs.py").write_text(source)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "--strict-markers", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.server
def test_the_example_of_the_page_passes_in_a_folder_of_its_own(tmp_path: Path) -> None:
    example = PAGE.read_text().partition("## In pytest")[2].partition("```python\n")[2].partition("```")[0]
    assert "def test_" in example
    result = run(tmp_path, example, "-W", "error")
    assert result.returncode == 0, result.stdout
    assert re.search(rf"^{example.count('def test_')} passed", result.stdout, re.MULTILINE)


THEIRS = """
import sys

import pytest

PRODUCT = {"messenger_api.app", "messenger_api.transport", "messenger_api.settings", "sqlalchemy"}


def test_nothing_is_loaded_for_who_does_not_ask():
    ours = {name for name in sys.modules if name.partition(".")[0] == "messenger_api"}
    assert ours == {"messenger_api", "messenger_api.version", "messenger_api.pytest_plugin"}
    assert "flask" not in sys.modules


@pytest.mark.parametrize("number", [1, 2])
def test_each_has_its_own(mesibo_sandbox, number):
    assert (mesibo_sandbox.users, mesibo_sandbox.calls) == ([], [])
    mesibo_sandbox.store.put_user("49")
    assert [user.uid for user in mesibo_sandbox.users] == [1001]


def test_the_product_is_not_loaded(mesibo_sandbox):
    assert not PRODUCT & set(sys.modules)


@pytest.mark.mesibo_sandbox(strict=True)
def test_the_marker_says_how_it_answers(mesibo_sandbox):
    assert mesibo_sandbox.now > 0
"""


@pytest.mark.server
def test_it_is_found_by_being_installed_and_loads_nothing_until_asked(tmp_path: Path) -> None:
    [entry] = [each for each in entry_points(group="pytest11") if each.name == "mesibo_sandbox"]
    assert entry.value == "messenger_api.pytest_plugin"
    result = run(tmp_path, THEIRS, "-W", "error")
    assert result.returncode == 0, result.stdout
    assert "5 passed" in result.stdout
    listed = run(tmp_path, "", "--markers").stdout
    assert "mesibo_sandbox(faults=(), strict=False)" in listed


# In this process


@pytest.mark.mesibo_sandbox(faults=[Fault("usersget", error="BADUSER")])
def test_the_fixture_is_here_too_with_the_faults_of_its_marker(mesibo_sandbox: MesiboSandbox) -> None:
    with client(mesibo_sandbox) as mesibo, pytest.raises(MesiboError):
        mesibo.call(UsersGet())
    assert [call.error for call in mesibo_sandbox.calls] == ["BADUSER"]


def test_it_is_up_in_50_ms() -> None:
    """The best of ten, by a watch that knows how busy the machine is."""

    def start() -> float:
        watch = Stopwatch()
        sandbox = MesiboSandbox()
        with sandbox:
            return watch.quiet_seconds

    assert min(start() for _ in range(10)) < MOST_SECONDS


def test_calls_are_recorded_as_they_came_and_were_answered(sandbox: MesiboSandbox) -> None:
    with client(sandbox) as mesibo:
        made = mesibo.call(UserAdd(address=ADA, name="Ada", appid="app"))
        sandbox.advance(60)
        with pytest.raises(MesiboError):
            mesibo.call(UserAdd(address=ADA, otp="123456", appid="app"))
    requests.get(f"{sandbox.form_url}?op=usersget&token={sandbox.app_token}&addr={ADA}", timeout=5)
    added, refused, listed = sandbox.calls
    assert (added.op, added.style, added.error) == ("useradd", "json", "")
    assert added.fields == {"user": {"address": ADA, "name": "Ada", "token": {"appid": "app"}}}
    assert added.answer["user"]["uid"] == made.uid
    assert (refused.op, refused.error, refused.answer["result"]) == ("useradd", "BADVALUE", False)
    assert refused.time - added.time in (60, 61)
    assert (listed.op, listed.style, listed.fields) == ("usersget", "form", {"addr": ADA})
    assert "token" not in listed.fields


def test_a_call_that_cannot_be_read_is_recorded_too(sandbox: MesiboSandbox) -> None:
    requests.post(sandbox.url, data=b"[", headers={"Content-Type": "application/json"}, timeout=5)
    requests.get(sandbox.url, timeout=5)
    assert [(call.op, call.error) for call in sandbox.calls] == [("", "BADVALUE"), ("", "MISSINGOP")]


def test_a_call_whose_answer_is_lost_is_recorded_before_it_is_missed(sandbox: MesiboSandbox) -> None:
    sandbox.faults.set(Fault("usersget", drop=True, times=1), Fault("usersget", html=True, times=1))
    with client(sandbox) as mesibo:
        for number in (1, 2):
            with pytest.raises(MesiboUnreachable):
                mesibo.call(UsersGet())
            assert len(sandbox.calls) == number
            assert (sandbox.calls[-1].op, sandbox.calls[-1].answer) == ("usersget", {})


def test_faults_are_played_in_the_order_of_their_programme() -> None:
    programme = [Fault("useradd", times=1), Fault("useradd", error="BADUSER", times=2)]
    with MesiboSandbox(programme) as sandbox, client(sandbox) as mesibo:
        for _ in range(4):
            with suppress(MesiboError):
                mesibo.call(UserAdd(address=ADA, appid="app"))
    assert [call.error for call in sandbox.calls] == ["", "BADUSER", "BADUSER", ""]


def test_people_groups_and_messages_are_records_oldest_first(sandbox: MesiboSandbox) -> None:
    for address in (ADA, BOB):
        sandbox.store.put_user(address)
        sandbox.store.add_group(f"of {address}", [address])
    for text in ("one", "two"):
        requests.get(
            sandbox.form_url,
            {"op": "message", "token": sandbox.app_token, "from": ADA, "to": BOB, "msg": text},
            timeout=5,
        )
    assert [user.address for user in sandbox.users] == [ADA, BOB]
    assert [group.members for group in sandbox.groups] == [(ADA,), (BOB,)]
    assert [(message.sender, message.to, message.text) for message in sandbox.messages] == [
        (ADA, (BOB,), "one"),
        (ADA, (BOB,), "two"),
    ]


def test_its_clock_is_moved(sandbox: MesiboSandbox) -> None:
    sandbox.store.put_user(ADA)
    sandbox.store.mint_token(ADA, "app", expiry=1)
    before = sandbox.now
    assert sandbox.advance(61) >= before + 61
    assert sandbox.store.tokens(ADA) == []


def test_a_strict_one_refuses_what_is_not_documented() -> None:
    with MesiboSandbox(strict=True) as sandbox:
        answer = requests.put(sandbox.url, json={"op": "usersget", "token": sandbox.app_token}, timeout=5)
        assert answer.json()["cause"] == "the method PUT is not documented"


def test_nothing_of_it_is_left(sandbox: MesiboSandbox) -> None:
    with MesiboSandbox() as other:
        path, url = other.store.path, other.url
    assert not path.parent.exists()
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)
    assert requests.get(sandbox.url, timeout=5).ok

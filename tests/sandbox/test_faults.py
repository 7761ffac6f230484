"""Faults strike the calls they were set for, as often as asked."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import requests

from messenger_api.sandbox import Fault, SandboxServer, SandboxStore
from tests.sandbox.conftest import ADA, BOB, Caller, refused
from tests.stopwatch import Stopwatch

SLOW = 0.2


def test_the_next_calls_fail_and_then_it_is_over(caller: Caller, people: SandboxStore) -> None:
    caller.server.faults.add("message", error="TOKENBREACH", times=2)
    assert refused(caller.message(), "TOKENBREACH")
    assert caller.json("usersget")["result"] is True
    assert refused(caller.message(), "TOKENBREACH")
    assert people.messages() == []
    assert caller.message()["result"] is True


def test_a_fault_for_every_op_lasts_until_it_is_cleared(caller: Caller) -> None:
    caller.server.faults.add(error="AUTHFAIL")
    for _ in range(3):
        assert refused(caller.json("usersget"), "AUTHFAIL", code=401)
    caller.server.faults.clear()
    assert caller.json("usersget")["result"] is True


def test_a_dropped_call_has_no_answer_and_no_effect(caller: Caller, people: SandboxStore) -> None:
    caller.server.faults.add("message", drop=True, times=1)
    with pytest.raises(requests.ConnectionError):
        caller.message()
    assert people.messages() == []


def test_a_lost_answer_leaves_the_work_done(caller: Caller, people: SandboxStore) -> None:
    caller.server.faults.add("message", drop=True, after=True, times=1)
    with pytest.raises(requests.ConnectionError):
        caller.message()
    assert len(people.messages()) == 1


def test_a_proxy_in_trouble_answers_html(caller: Caller) -> None:
    caller.server.faults.add("usersget", html=True, times=1)
    body = {"op": "usersget", "token": "sandbox"}
    answer = caller.http.post(caller.server.mesibo_json_url, json=body, timeout=5)
    assert answer.status_code == 500
    assert answer.text.startswith("<html>")


@pytest.mark.parametrize("after", [True, False])
def test_a_slow_call_ends_well_all_the_same(after: bool, caller: Caller, people: SandboxStore) -> None:
    caller.server.faults.add("message", delay=SLOW, after=after, times=1)
    began = time.monotonic()
    assert caller.message()["result"] is True
    assert time.monotonic() - began >= SLOW
    assert len(people.messages()) == 1


@pytest.mark.parametrize(("after", "sent"), [(True, 1), (False, 0)])
def test_work_comes_before_or_after_the_wait(
    after: bool, sent: int, caller: Caller, people: SandboxStore
) -> None:
    caller.server.faults.add("message", delay=30, after=after, times=1)
    body: dict[str, Any] = {
        "op": "message",
        "token": "sandbox",
        "message": {"from": ADA, "to": ADA, "message": "x"},
    }
    with pytest.raises(requests.ReadTimeout):
        caller.http.post(caller.server.mesibo_json_url, json=body, timeout=SLOW)
    assert len(people.messages()) == sent


def test_a_stop_does_not_wait_for_a_slow_call(store: SandboxStore, http: requests.Session) -> None:
    with SandboxServer(store) as server:
        server.faults.add(delay=30)
        with pytest.raises(requests.ReadTimeout):
            http.get(f"{server.mesibo_form_url}?op=usersget&token=sandbox", timeout=SLOW)
        watch = Stopwatch()
    assert watch.quiet_seconds < 2


def test_faults_can_be_set_seen_and_cleared_over_http(caller: Caller) -> None:
    url = f"{caller.server.url}/sandbox/faults"
    given: dict[str, Any] = {"op": "groupadd", "delay": 1, "error": "BADVALUE", "times": 2, "drop": True}
    answer = caller.http.post(url, json=given, timeout=5)
    expected = {**given, "html": False, "after": False}
    [[number, _fault]] = caller.server.faults.held()
    assert answer.json() == {"faults": [{"id": number, **expected}]}
    assert caller.server.faults.current() == [Fault(**expected)]
    assert caller.http.get(url, timeout=5).json() == answer.json()
    assert caller.http.delete(url, timeout=5).json() == {"faults": []}
    assert caller.server.faults.current() == []


def test_one_of_several_faults_is_ended_by_its_id(caller: Caller) -> None:
    faults, url = caller.server.faults, f"{caller.server.url}/sandbox/faults"
    kept = [faults.add("useradd", drop=True), faults.add("groupadd", delay=2)]
    added = caller.http.post(url, json={"op": "useradd", "drop": True}, timeout=5).json()["faults"]
    ended = f"{url}/{added[-1]['id']}"
    for _ in range(2):  # whoever was quicker has ended it
        assert caller.http.delete(ended, timeout=5).json()["faults"] == added[:2]
    assert faults.current() == kept


@pytest.mark.parametrize(
    "given",
    [
        [],
        {"opp": "x"},
        {"op": ""},
        {"op": 1},
        {"delay": "1"},
        {"delay": -1},
        {"delay": 1e9},
        {"times": -1},
        {"times": True},
        {"times": 10**30},
        {"delay": 10**400},
        {"op": "\ud800"},
        {"error": "\ud800"},
        {"drop": 1},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(given: Any, caller: Caller) -> None:
    answer = caller.http.post(f"{caller.server.url}/sandbox/faults", json=given, timeout=5)
    assert answer.status_code == 400
    assert "delay" in answer.json()["accepted"]
    assert caller.server.faults.current() == []


def test_another_origin_cannot_set_a_fault_with_a_plain_form(caller: Caller) -> None:
    headers = {"Content-Type": "text/plain"}
    url = f"{caller.server.url}/sandbox/faults"
    assert caller.http.post(url, data='{"op":"*"}', headers=headers, timeout=5).status_code == 415


def test_a_reset_over_http_is_json_and_nothing_else(caller: Caller) -> None:
    url, faults = f"{caller.server.url}/sandbox/reset", caller.server.faults
    faults.add("*", drop=True)
    assert (
        caller.http.post(url, data="{}", headers={"Content-Type": "text/plain"}, timeout=5).status_code == 415
    )
    wrong: tuple[object, ...] = ([], {"all": True}, 1)
    for given in wrong:
        assert caller.http.post(url, json=given, timeout=5).status_code == 400
    assert len(faults.current()) == 1
    assert caller.http.post(url, json={}, timeout=5).json() == {"result": True}
    assert faults.current() == []


def test_a_fault_strikes_every_process_on_the_file(tmp_path: Path, http: requests.Session) -> None:
    path = tmp_path / "sandbox.sqlite3"
    with (
        SandboxStore(path) as one,
        SandboxStore(path) as two,
        SandboxServer(one) as first,
        SandboxServer(two) as second,
    ):
        first.faults.add("usersget", error="BADVALUE", times=1)
        body = {"op": "usersget", "token": "sandbox"}
        answers = [
            http.post(server.mesibo_json_url, json=body, timeout=5).json() for server in (second, first)
        ]
    assert [answer["result"] for answer in answers] == [False, True]


def test_a_late_text_arrives_when_its_time_has_come(
    server: SandboxServer, http: requests.Session, store: SandboxStore
) -> None:
    server.faults.set(Fault("text", delay=7, times=1))
    server.receive_text(BOB, "late")
    server.receive_text(BOB, "in time")

    def inbox() -> list[str]:
        found = http.get(f"{server.url}/sandbox/sms.json", timeout=5).json()["sms"]
        return [text["text"] for text in found]

    assert inbox() == ["in time"]
    store.advance(8)
    assert inbox() == ["in time", "late"]


def test_a_lost_text_was_taken_by_its_provider_and_never_arrives(
    server: SandboxServer, http: requests.Session, store: SandboxStore
) -> None:
    server.faults.set(Fault("text", drop=True))
    account = {"api_key": server.vonage_key, "api_secret": server.vonage_secret}
    message = {"from": "Acme", "to": BOB, "text": "lost"}
    answer = http.post(f"{server.vonage_url}/sms/json", data={**account, **message}, timeout=5).json()
    assert answer["messages"][0]["status"] == "0"
    store.advance(10**9)
    assert store.texts() == []

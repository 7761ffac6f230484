"""The sandbox's clock: moved in Python and over HTTP, one for all processes on a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from messenger_api import configuration
from messenger_api.app import build_app, parts_of
from messenger_api.sandbox import SandboxServer, SandboxStore
from messenger_api.sandbox.clock import MOST_AHEAD
from tests.sandbox.conftest import ADA, BOB, Caller, in_processes

DAY = 86_400


def test_it_is_moved_and_seen_over_http(caller: Caller, people: SandboxStore) -> None:
    url = f"{caller.server.url}/sandbox/clock"
    before = people.now()
    assert caller.http.get(url, timeout=5).json()["ahead"] == 0
    moved = caller.http.post(url, json={"advance": DAY}, timeout=5).json()
    assert moved["ahead"] == DAY
    assert moved["time"] >= before + DAY
    assert caller.http.post(url, json={"advance": 0}, timeout=5).json()["ahead"] == DAY
    assert caller.http.get(url, timeout=5).json()["ahead"] == DAY
    assert people.now() >= before + DAY


def test_what_ends_meanwhile_has_ended(caller: Caller, people: SandboxStore) -> None:
    caller.json("useradd", user={"address": ADA, "token": {"appid": "app", "expiry": 60}})
    caller.json("groupadd", group={"name": "Walks", "expiry": DAY})
    assert people.tokens(ADA)
    caller.http.post(f"{caller.server.url}/sandbox/clock", json={"advance": DAY + 1}, timeout=5)
    assert not people.tokens(ADA)
    assert caller.json("groupsget")["groups"] == []


@pytest.mark.parametrize(
    "given",
    [[], {}, {"advance": -1}, {"advance": "1"}, {"advance": True}, {"advance": 1.5}, {"advance": 1, "x": 1}],
)
def test_what_moves_no_clock_is_refused(given: Any, caller: Caller) -> None:
    url = f"{caller.server.url}/sandbox/clock"
    answer = caller.http.post(url, json=given, timeout=5)
    assert answer.status_code == 400
    assert "advance" in answer.json()["accepted"]
    assert caller.http.get(url, timeout=5).json()["ahead"] == 0


def test_it_is_never_so_far_ahead_that_a_time_has_no_room(caller: Caller) -> None:
    url = f"{caller.server.url}/sandbox/clock"
    for _ in range(2):
        assert caller.http.post(url, json={"advance": 10**30}, timeout=5).json()["ahead"] == MOST_AHEAD
    assert caller.json("groupadd", group={"name": "late", "expiry": 10 * 365 * DAY})["result"] is True
    messages = f"{caller.server.twilio_url}/2010-04-01/Accounts/{caller.server.twilio_sid}/Messages.json"
    fields = {"To": f"+{ADA}", "From": f"+{BOB}", "Body": "late"}
    account = (caller.server.twilio_sid, caller.server.twilio_token)
    assert caller.http.post(messages, data=fields, auth=account, timeout=5).status_code == 201


def test_another_origin_and_another_machine_do_not_move_it(caller: Caller) -> None:
    url = f"{caller.server.url}/sandbox/clock"
    plain = caller.http.post(url, data='{"advance":1}', headers={"Content-Type": "text/plain"}, timeout=5)
    assert plain.status_code == 415
    for method in ("GET", "POST"):
        answer = caller.http.request(
            method, url, json={"advance": 1}, headers={"Via": "1.1 proxy"}, timeout=5
        )
        assert answer.status_code == 403
    assert caller.server.store.ahead == 0


def test_it_is_moved_on_the_products_own_port_too(tmp_path: Path) -> None:
    app = build_app(configuration.build(instance_path=str(tmp_path / "instance"), sandbox="local"))
    client = app.test_client()
    assert client.post("/sandbox/clock", json={"advance": DAY}).get_json()["ahead"] == DAY
    stranger = {"REMOTE_ADDR": "192.0.2.1"}
    assert client.get("/sandbox/clock", environ_overrides=stranger).status_code == 403
    # The sandbox's listener for the product's own calls has the same clock.
    sandbox = parts_of(app).sandbox
    assert sandbox
    assert requests.get(f"{sandbox.url}/sandbox/clock", timeout=5).json()["ahead"] == DAY
    parts_of(app).close()


def test_two_stores_on_a_file_have_one_clock_and_a_later_one_has_it_still(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.sqlite3"
    with SandboxStore(path) as one, SandboxStore(path) as two:
        two.advance(DAY)
        one.advance(DAY)
        assert one.ahead == two.ahead == 2 * DAY
    with SandboxStore(path) as again:
        assert again.ahead == 2 * DAY


def test_a_file_that_was_removed_takes_its_clock_along(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.sqlite3"
    with SandboxStore(path) as store:
        store.advance(DAY)
    path.unlink()
    with SandboxStore(path) as store:
        assert store.ahead == 0


def test_apps_of_an_account_have_the_clock_of_the_first(people: SandboxStore) -> None:
    other = people.store_of(people.add_app("Other").token)
    assert other
    people.advance(DAY)
    assert abs(other.now() - people.now()) <= 1


def _advance(path: Path) -> None:
    with SandboxStore(path) as store, SandboxServer(store) as server:
        for _ in range(20):
            requests.post(f"{server.url}/sandbox/clock", json={"advance": 1}, timeout=20).raise_for_status()


@pytest.mark.server
def test_no_move_of_several_processes_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.sqlite3"
    in_processes(_advance, [(path,)] * 3)
    with SandboxStore(path) as store:
        assert store.ahead == 60

"""The stand-in refuses what mesibo would, and what a careful reader of its documentation would not send."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from messenger_api.sandbox import SandboxServer, SandboxStore
from tests.sandbox.conftest import ADA, BOB, Caller, refused

USER = {"address": ADA}


@pytest.fixture
def server(store: SandboxStore) -> Iterator[SandboxServer]:
    with SandboxServer(store, strict=True) as server:
        yield server


@pytest.fixture(autouse=True)
def _people(people: SandboxStore) -> Iterator[None]:
    people.add_group("g", [ADA])
    yield
    # Whatever was refused left no trace.
    assert len(people.users()) == 3
    assert people.messages() == []
    assert [group.members for group in people.groups()] == [(ADA,)]


JSON_REFUSALS: list[tuple[str, dict[str, Any], str, list[str]]] = [
    ("nonsense", {}, "BADOP", ["op"]),
    ("Useradd", {"user": USER}, "BADOP", ["op"]),
    ("useradd", {}, "MISSINGPARA", ["address"]),
    ("useradd", {"user": {}}, "MISSINGPARA", ["address"]),
    ("useradd", {"user": {"address": "1", "token": {}}}, "MISSINGPARA", ["appid"]),
    ("useradd", {"user": {"address": ""}}, "BADVALUE", ["address"]),
    ("useradd", {"user": {"address": 1}}, "BADVALUE", ["address"]),
    ("useradd", {"user": {"address": "\ud800"}}, "BADVALUE", ["address"]),
    ("useradd", {"user": {"address": {"a": "1"}}}, "BADVALUE", ["a", "address"]),
    ("useradd", {"user": "1"}, "BADVALUE", ["user"]),
    ("useradd", {"user": {"address": "1", "token": None}}, "BADVALUE", ["token"]),
    ("useradd", {"user": {"address": "1", "nick": "x"}}, "BADVALUE", ["nick"]),
    ("useradd", {"user": {"address": "1", "extra": {}}}, "BADVALUE", ["extra"]),
    ("useradd", {"user": {"address": "1"}, "addr": "1"}, "BADVALUE", ["addr"]),
    ("useradd", {"user": {"address": "1"}, "user.name": "x"}, "BADVALUE", ["name"]),
    ("useradd", {"user": {"address": "1", "active": "1"}}, "BADVALUE", ["active"]),
    ("useradd", {"user": {"address": "1", "token": {"appid": "a", "expiry": "9"}}}, "BADVALUE", ["expiry"]),
    ("useradd", {"user": {"address": "1", "token": {"appid": "a", "expiry": -1}}}, "BADVALUE", ["expiry"]),
    ("useradd", {"user": {"address": "1", "token": {"appid": "a", "expiry": True}}}, "BADVALUE", ["expiry"]),
    ("useradd", {"user": {"address": "1", "otp": "123456"}}, "BADVALUE", ["otp"]),
    ("usertoken", {"user": {"address": ADA}}, "MISSINGPARA", ["appid"]),
    ("usertoken", {"user": {"token": {"appid": "a"}}}, "MISSINGPARA", ["uid", "address"]),
    ("usertoken", {"user": {"address": "4477", "token": {"appid": "a"}}}, "BADVALUE", ["address"]),
    ("userdel", {"user": {"uid": 9999}}, "BADVALUE", ["uid"]),
    ("userset", {"user": {"address": "4477", "active": True}}, "BADVALUE", ["address"]),
    ("groupadd", {"group": {"name": "x", "members": {"m": f"{ADA},4477"}}}, "BADVALUE", ["m"]),
    ("groupadd", {"group": {"name": "x", "members": {"m": [ADA]}}}, "BADVALUE", ["m"]),
    ("groupadd", {"group": {"name": "x", "members": {"m": f"{ADA},"}}}, "BADVALUE", ["m"]),
    ("groupset", {"group": {"name": "x"}}, "MISSINGPARA", ["gid"]),
    ("groupset", {"group": {"gid": "5001", "name": "x"}}, "BADVALUE", ["gid"]),
    ("groupset", {"group": {"gid": 4, "name": "x"}}, "BADVALUE", ["gid"]),
    ("groupset", {"group": {"gid": 2**60, "name": "x"}}, "BADVALUE", ["gid"]),
    ("groupdel", {"group": {"gid": 4}}, "BADVALUE", ["gid"]),
    ("groupeditmembers", {"group": {"gid": 5001}}, "MISSINGPARA", ["m"]),
    ("groupeditmembers", {"group": {"gid": 5001, "members": {"m": "4477"}}}, "BADVALUE", ["m"]),
    ("groupeditmembers", {"group": {"gid": 5001, "members": {"m": "4477", "remove": 1}}}, "BADVALUE", ["m"]),
    (
        "groupeditmembers",
        {"group": {"gid": 5001, "members": {"m": ADA, "remove": 2}}},
        "BADVALUE",
        ["remove"],
    ),
    ("groupgetmembers", {"group": {"gid": 4}}, "BADVALUE", ["gid"]),
    ("groupgetmembers", {"group": {"gid": 5001, "count": 21}}, "BADVALUE", ["count"]),
    ("groupsget", {"group": {"count": 0}}, "BADVALUE", ["count"]),
]


@pytest.mark.parametrize(("op", "subject", "error", "properties"), JSON_REFUSALS)
def test_json_is_refused_with_the_field_at_fault(
    op: str, subject: dict[str, Any], error: str, properties: list[str], caller: Caller
) -> None:
    answer = caller.json(op, id=5, **subject)
    assert refused(answer, error, *properties)
    assert (answer["op"], answer["id"]) == (op, 5)


@pytest.mark.parametrize(
    ("members", "error", "properties"),
    [
        ({"from": None}, "MISSINGPARA", ["from"]),
        ({"from": "4477"}, "BADVALUE", ["from"]),
        ({"from": "4477", "forced": True}, "BADVALUE", ["from"]),
        ({"to": None}, "MISSINGPARA", ["to", "gid"]),
        ({"to": ""}, "MISSINGPARA", ["to", "gid"]),
        ({"to": f",{BOB}"}, "BADVALUE", ["to"]),
        ({"to": f"{BOB},,{ADA}"}, "BADVALUE", ["to"]),
        ({"to": [BOB]}, "BADVALUE", ["to"]),
        ({"message": None}, "MISSINGPARA", ["message"]),
        ({"message": {"subject": "x"}}, "BADVALUE", ["subject", "message"]),
        ({"type": "1"}, "BADVALUE", ["type"]),
        ({"gid": 4}, "BADVALUE", ["gid"]),
        ({"msg": "x"}, "BADVALUE", ["msg"]),
        ({"flag": 4}, "BADVALUE", ["flag"]),
    ],
)
def test_a_bad_message_is_refused(
    members: dict[str, Any], error: str, properties: list[str], caller: Caller
) -> None:
    assert refused(caller.message(**members), error, *properties)


@pytest.mark.parametrize(
    ("op", "fields", "error", "properties"),
    [
        ("useradd", {"addr": "1"}, "MISSINGPARA", ["appid"]),
        ("useradd", {"appid": "a"}, "MISSINGPARA", ["addr"]),
        ("useradd", {"addr": "1", "appid": "a", "expiry": "soon"}, "BADVALUE", ["expiry"]),
        ("useradd", {"addr": "1", "appid": "a", "address": "1"}, "BADVALUE", ["address"]),
        ("useradd", {"addr": ["1", "2"], "appid": "a"}, "BADVALUE", ["addr"]),
        ("groupadd", {"gid": "7", "name": "x"}, "BADVALUE", ["gid"]),
        ("groupset", {"gid": "five"}, "BADVALUE", ["gid"]),
        ("groupeditmembers", {"gid": "5001", "m": "4477", "delete": "0"}, "BADVALUE", ["m"]),
        ("groupeditmembers", {"gid": "5001", "m": ADA, "delete": "yes"}, "BADVALUE", ["delete"]),
        ("message", {"from": ADA, "to": f",{BOB}", "msg": "x"}, "BADVALUE", ["to"]),
        ("message", {"from": ADA, "to": BOB, "message": "x"}, "BADVALUE", ["message"]),
    ],
)
def test_a_form_is_refused_with_the_field_at_fault(
    op: str, fields: dict[str, Any], error: str, properties: list[str], caller: Caller
) -> None:
    answer = caller.form(op, **fields)
    assert answer.pop("op", op) == op
    assert refused(answer, error, *properties)


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b'"x"', b"\xff", b"[" * 5000, b'{"op":5}', b'{"op":"\\ud800"}', b'{"op":"x","id":"1"}'],
)
def test_a_body_that_is_no_request_is_refused(body: bytes, caller: Caller) -> None:
    headers = {"Content-Type": "application/json"}
    answer = caller.http.post(caller.server.mesibo_json_url, data=body, headers=headers, timeout=5)
    assert (answer.status_code, answer.json()["error"]) == (200, "BADVALUE")


def test_json_must_say_that_it_is_json(caller: Caller) -> None:
    answer = caller.http.post(caller.server.mesibo_json_url, data=b'{"op":"usersget"}', timeout=5)
    assert refused(answer.json(), "BADVALUE")


def test_a_body_over_8192_bytes_meets_the_web_server_in_front(caller: Caller) -> None:
    fitting = {"op": "nonsense", "token": "x" * (8192 - len('{"op":"nonsense","token":""}'))}
    for extra, status in (("", 200), ("x", 413)):
        body = (f'{{"op":"nonsense","token":"{fitting["token"]}{extra}"}}').encode()
        headers = {"Content-Type": "application/json"}
        answer = caller.http.post(caller.server.mesibo_json_url, data=body, headers=headers, timeout=5)
        assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "413 Request Entity Too Large" in answer.text
    form = caller.http.post(caller.server.mesibo_form_url, data={"op": "x" * 9000}, timeout=5)
    assert form.status_code == 413


def test_the_limit_of_a_body_can_be_lifted(store: SandboxStore, http: requests.Session) -> None:
    with SandboxServer(store, max_body=None) as server:
        user = {"address": "x" * 20_000}
        body: dict[str, Any] = {"op": "usersget", "token": "sandbox", "user": user}
        assert http.post(server.mesibo_json_url, json=body, timeout=5).json()["users"] == []

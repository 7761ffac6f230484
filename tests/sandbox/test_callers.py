"""What real callers send is understood, and a strict sandbox refuses it with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from messenger_api.sandbox import SandboxServer, SandboxStore
from tests.sandbox.conftest import ADA, BOB, Caller, refused

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
AS_JSON = f'{{"op":"usersget","token":"sandbox","user":{{"address":"{ADA}"}}}}'
AS_FORM = f"op=usersget&token=sandbox&addr={ADA}"


@pytest.fixture
def strict(people: SandboxStore, http: requests.Session) -> Iterator[Caller]:
    with SandboxServer(people, strict=True) as server:
        yield Caller(server, http)


@pytest.mark.parametrize("path", ["/backend", "/mesiboapi", "/api.php"])
@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_any_style_is_understood_at_any_path_by_any_method(
    path: str, slash: str, method: str, caller: Caller, people: SandboxStore
) -> None:
    url = caller.server.url + path + slash
    for answer in (
        caller.http.request(method, url, data=AS_JSON, headers=JSON, timeout=5),
        caller.http.request(method, url, data=AS_FORM, headers=FORM, timeout=5),
        caller.http.request(method, f"{url}?{AS_FORM}", timeout=5),
        # curl -d sends JSON under the name of a form.
        caller.http.request(method, url, data=AS_JSON, headers=FORM, timeout=5),
        # Some put the token into the query, and the rest into the body.
        caller.http.request(method, f"{url}?token=sandbox", data=AS_JSON, headers=JSON, timeout=5),
    ):
        assert [each["address"] for each in answer.json()["users"]] == [ADA]


def test_a_form_of_parts_is_a_form(caller: Caller, people: SandboxStore) -> None:
    parts = {"op": (None, "usersget"), "token": (None, "sandbox"), "addr": (None, ADA)}
    answer = caller.http.post(caller.server.mesibo_form_url, files=parts, timeout=5)
    assert [each["address"] for each in answer.json()["users"]] == [ADA]


SENT: list[tuple[str, dict[str, Any]]] = [
    ("useradd", {"user": {"address": "4477", "token": {"v2": True}}}),
    ("useradd", {"user": {"address": 4477, "token": {"appid": "app", "expiry": "60"}}}),
    ("useradd", {"user": {"address": "4477", "active": "true", "token": {"appid": "app"}}}),
    ("useradd", {"user": {"address": "4477", "active": "", "flags": None, "token": {"appid": "app"}}}),
    ("useradd", {"apiurl": "https://x", "user": {"address": "4477"}}),
    ("useradd", {"addr": "4477", "appid": "app"}),
    ("useradd", {"id": "77", "user": {"address": "4477"}}),
    ("groupset", {"group": {"gid": "5001", "name": "x"}}),
    ("groupadd", {"group": {"name": "x", "members": {"m": [ADA, BOB]}}}),
    ("groupeditmembers", {"group": {"gid": 5001, "members": {"m": BOB, "remove": ""}}}),
    ("groupgetmembers", {"group": {"gid": 5001, "count": 21}}),
    ("usersget", {"user": {"count": "100"}}),
    ("message", {"message": {"from": ADA, "to": BOB, "message": 7, "type": "1"}}),
]


@pytest.mark.parametrize(("op", "subject"), SENT)
def test_json_of_real_callers(
    op: str, subject: dict[str, Any], caller: Caller, strict: Caller, people: SandboxStore
) -> None:
    people.add_group("g", [ADA])
    refusal = strict.json(op, **subject)
    assert refusal["error"] in ("BADVALUE", "MISSINGPARA")
    assert refusal["cause"]
    assert refusal["action"]
    assert caller.json(op, **subject)["result"] is True


FORMS: list[tuple[str, dict[str, str]]] = [
    ("useradd", {"addr": "4477", "appid": "app", "expiry": "", "active": "true"}),
    ("useradd", {"addr": "4477", "appid": "app", "apiurl": "https://x"}),
    ("groupeditmembers", {"gid": "5001", "m": BOB, "delete": ""}),
    ("usersget", {"addr": "*", "count": "1000"}),
    ("message", {"from": ADA, "to": BOB, "msg": "x", "gid": "", "when": ""}),
    ("message", {"from": ADA, "to": BOB, "message": "x"}),
]


@pytest.mark.parametrize(("op", "fields"), FORMS)
def test_forms_of_real_callers(
    op: str, fields: dict[str, str], caller: Caller, strict: Caller, people: SandboxStore
) -> None:
    people.add_group("g", [ADA])
    refusal = strict.form(op, **fields)
    assert refusal["error"] == "BADVALUE"
    assert refusal["action"]
    assert caller.form(op, **fields)["result"] is True


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("PUT", "/backend", JSON),
        ("DELETE", "/backend", JSON),
        ("POST", "/mesiboapi/", JSON),
        ("POST", "/api.php/", JSON),
        ("POST", "/backend", FORM),
    ],
)
def test_a_strict_sandbox_says_what_is_not_documented(
    method: str, path: str, headers: dict[str, str], strict: Caller
) -> None:
    answer = strict.http.request(
        method, strict.server.url + path, data=AS_JSON, headers=headers, timeout=5
    ).json()
    assert answer["error"] == "BADVALUE"
    assert answer["action"].startswith("send ")


def test_an_item_of_usersget_for_each_app_id(caller: Caller, people: SandboxStore) -> None:
    for appid in ("one", "two"):
        people.mint_token(ADA, appid)
    people.connect(ADA)
    items = caller.json("usersget", user={"address": ADA})["users"]
    assert [(item["address"], item["appid"], item["online"]) for item in items] == [
        (ADA, "one", 1),
        (ADA, "two", 1),
    ]


@pytest.mark.parametrize("op", ["usersget", "groupgetmembers", "groupsget"])
def test_a_count_over_twenty_gives_twenty(op: str, caller: Caller, store: SandboxStore) -> None:
    addresses = [f"49{number:02}" for number in range(25)]
    for address in addresses:
        store.put_user(address)
        store.add_group(address)
    store.edit_group(5001, add=addresses)
    fields = {"gid": 5001} if op == "groupgetmembers" else {}
    for count in (21, 1000):
        answer = caller.form(op, count=count, **fields)
        (found,) = (value for value in answer.values() if isinstance(value, list))
        assert len(found) == 20


# Browsers


@pytest.mark.parametrize("path", ["/backend", "/mesiboapi/", "/api.php"])
def test_a_page_of_this_machine_may_call(path: str, caller: Caller) -> None:
    origin = {"Origin": "http://localhost:3000"}
    asked = {
        **origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    preflight = caller.http.options(caller.server.url + path, headers=asked, timeout=5)
    assert (preflight.status_code, preflight.content) == (204, b"")
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    assert preflight.headers["Access-Control-Allow-Headers"] == "Content-Type"
    answer = caller.http.post(caller.server.url + path, data=AS_JSON, headers={**origin, **JSON}, timeout=5)
    for each in (preflight, answer):
        assert each.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
        assert each.headers["Vary"] == "Origin"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://[", "http://localhost.evil.example"]
)
def test_a_page_of_the_internet_may_call_only_a_sandbox_that_is_shown(
    origin: str, caller: Caller, store: SandboxStore
) -> None:
    with SandboxServer(store, shown=True) as shown:
        for server, allowed in ((caller.server, None), (shown, origin)):
            answer = caller.http.options(server.mesibo_json_url, headers={"Origin": origin}, timeout=5)
            assert answer.headers.get("Access-Control-Allow-Origin") == allowed


def test_a_fault_of_the_sandbox_is_one_json_object_too(
    caller: Caller, store: SandboxStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(store, "users", broken)
    assert refused(caller.json("usersget"), "SANDBOX", code=500)

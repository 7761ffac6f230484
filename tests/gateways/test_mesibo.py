"""The client of mesibo's backend API: the fields it sends, and what it makes of answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from structlog.testing import capture_logs

from messenger_api import configuration
from messenger_api.clients import mesibo_client
from messenger_api.gateways.mesibo import (
    MesiboClient,
    MesiboRefused,
    MesiboUnreachable,
    Message,
    UserToken,
)
from messenger_api.throttle import Throttle

from .mesibo_stub import Stub, ok, plain, refused

APP_TOKEN = "app0token0secret"
ANA, BOB, CEE = "919876543210", "919876543211", "919876543212"
APP_ID = "com.mesibo.messenger"
HELLO = Message(ANA, [BOB, CEE], '{"subject":"Grüße & 50% 😀"}')

Call = Callable[[MesiboClient], object]


@pytest.fixture
def client(stub: Stub) -> Iterator[MesiboClient]:
    with closing(MesiboClient(stub.url, APP_TOKEN)) as client:
        yield client


LIFE = {"expiry": 315_360_000, "expiryext": 31_536_000}
TEXT_LIFE = {name: str(seconds) for name, seconds in LIFE.items()}

# One row an op: the call, an answer that satisfies it, what form and what json send beside the token.
OPS: dict[str, tuple[Call, dict[str, object], dict[str, str], dict[str, object]]] = {
    "useradd": (
        lambda c: c.add_user(ANA, appid=APP_ID),
        {"user": {"uid": 1, "token": "t"}},
        {
            "op": "useradd",
            "addr": ANA,
            "appid": APP_ID,
            "session": "0",
            "expiry": "525600",
            "flag": "0",
            "restrictions": "0",
        },
        {"op": "useradd", "user": {"address": ANA, "token": {"appid": APP_ID, "expiry": 525600}}},
    ),
    "useradd with a name": (
        lambda c: c.add_user(ANA, appid=APP_ID, name="Ana Ruiz", expiry=60),
        {"user": {"uid": 1, "token": "t"}},
        {
            "op": "useradd",
            "addr": ANA,
            "appid": APP_ID,
            "session": "0",
            "expiry": "60",
            "flag": "0",
            "restrictions": "0",
            "name": "Ana Ruiz",
        },
        {
            "op": "useradd",
            "user": {"address": ANA, "name": "Ana Ruiz", "token": {"appid": APP_ID, "expiry": 60}},
        },
    ),
    "usertoken by uid": (
        lambda c: c.delete_token(ANA, uid=4711, appid=APP_ID),
        {},
        {"op": "usertoken", "uid": "4711", "appid": APP_ID, "delete": "1"},
        {"op": "usertoken", "user": {"uid": 4711, "token": {"appid": APP_ID, "delete": True}}},
    ),
    "usertoken by address": (
        lambda c: c.delete_token(ANA, uid=None, appid=APP_ID),
        {},
        {"op": "usertoken", "addr": ANA, "appid": APP_ID, "delete": "1"},
        {"op": "usertoken", "user": {"address": ANA, "token": {"appid": APP_ID, "delete": True}}},
    ),
    "userdel by uid": (
        lambda c: c.delete_user(ANA, uid=4711),
        {},
        {"op": "userdel", "uid": "4711"},
        {"op": "userdel", "user": {"uid": 4711}},
    ),
    "userdel by address": (
        lambda c: c.delete_user(ANA, uid=None),
        {},
        {"op": "userdel", "addr": ANA},
        {"op": "userdel", "user": {"address": ANA}},
    ),
    "groupadd": (
        lambda c: c.add_group("Test group", [ANA, BOB]),
        {"group": {"gid": 5001}},
        {"op": "groupadd", "gid": "0", "name": "Test group", "flag": "0", "m": f"{ANA},{BOB}", **TEXT_LIFE},
        {"op": "groupadd", "group": {"name": "Test group", "members": {"m": f"{ANA},{BOB}"}, **LIFE}},
    ),
    "groupset": (
        lambda c: c.set_group(5001, "New", [ANA]),
        {},
        {"op": "groupset", "gid": "5001", "name": "New", "flag": "0", "m": ANA, **TEXT_LIFE},
        {"op": "groupset", "group": {"gid": 5001, "name": "New", "members": {"m": ANA}, **LIFE}},
    ),
    "groupset of the name alone": (
        lambda c: c.set_group(5001, "New"),
        {},
        {"op": "groupset", "gid": "5001", "name": "New", "flag": "0", **TEXT_LIFE},
        {"op": "groupset", "group": {"gid": 5001, "name": "New", **LIFE}},
    ),
    "groupeditmembers adding": (
        lambda c: c.edit_members(5001, [ANA, BOB]),
        {},
        {"op": "groupeditmembers", "gid": "5001", "m": f"{ANA},{BOB}", "delete": "0"},
        {"op": "groupeditmembers", "group": {"gid": 5001, "members": {"m": f"{ANA},{BOB}"}}},
    ),
    "groupeditmembers removing": (
        lambda c: c.edit_members(5001, [ANA], remove=True),
        {},
        {"op": "groupeditmembers", "gid": "5001", "m": ANA, "delete": "1"},
        {"op": "groupeditmembers", "group": {"gid": 5001, "members": {"m": ANA, "remove": 1}}},
    ),
    "groupdel": (
        lambda c: c.delete_group(5001),
        {},
        {"op": "groupdel", "gid": "5001"},
        {"op": "groupdel", "group": {"gid": 5001}},
    ),
    "groupgetmembers": (
        lambda c: c.group_members(5001),
        {"members": []},
        {"op": "groupgetmembers", "gid": "5001", "count": "20"},
        {"op": "groupgetmembers", "group": {"gid": 5001, "count": 20}},
    ),
    "message": (
        lambda c: c.send_message(HELLO),
        {},
        {
            "op": "message",
            "from": ANA,
            "to": f"{BOB},{CEE}",
            "gid": "0",
            "channel": "0",
            "type": "1",
            "expiry": "3600",
            "flag": "4",
            "forced": "1",
            "msg": HELLO.text,
        },
        {
            "op": "message",
            "message": {
                "from": ANA,
                "to": f"{BOB},{CEE}",
                "gid": 0,
                "type": 1,
                "expiry": 3600,
                "flags": 4,
                "forced": True,
                "message": HELLO.text,
            },
        },
    ),
    "ping": (lambda c: c.ping(), {}, {"op": "useradd"}, {"op": "useradd"}),
}
ROWS = pytest.mark.parametrize(("call", "answer", "form", "subject"), OPS.values(), ids=OPS.keys())


@ROWS
def test_form_style_sends_exactly_the_flat_fields(
    stub: Stub, call: Call, answer: dict[str, object], form: dict[str, str], subject: object
) -> None:
    stub.answers.append(ok(**answer))
    with closing(MesiboClient(stub.url, APP_TOKEN, style="form")) as client:
        call(client)
    [seen] = stub.seen
    assert (seen.method, seen.path) == ("POST", "/backend")
    assert seen.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert seen.form == {**form, "token": APP_TOKEN}


@ROWS
def test_json_style_sends_exactly_one_object_per_subject(
    stub: Stub, call: Call, answer: dict[str, object], form: object, subject: dict[str, object]
) -> None:
    stub.answers.append(ok(**answer))
    with closing(MesiboClient(stub.url, APP_TOKEN, style="json")) as client:
        call(client)
    [seen] = stub.seen
    assert (seen.method, seen.path) == ("POST", "/backend")
    assert seen.headers["Content-Type"] == "application/json"
    assert seen.json == {**subject, "token": APP_TOKEN}


@pytest.mark.parametrize("style", ["form", "json"])
@pytest.mark.parametrize(
    "named", [{"properties": ["expiryext"]}, {"cause": "unknown property expiryext in group"}]
)
def test_what_mesibo_does_not_take_of_a_groups_life_is_left_out_from_then_on(
    stub: Stub, style: str, named: dict[str, object]
) -> None:
    stub.answers.append(refused(error="BADVALUE", code=400, **named))
    stub.answers.append(ok(group={"gid": 5001}))
    with closing(MesiboClient(stub.url, APP_TOKEN, style=style)) as client:
        assert client.add_group("Walks", [ANA]) == 5001
        client.set_group(5001, "Hikes")
    sent = [seen.form if style == "form" else seen.json["group"] for seen in stub.seen]
    assert ["expiryext" in group for group in sent] == [True, False, False]
    assert all("expiry" in group for group in sent)


def test_a_refusal_for_another_reason_leaves_a_groups_life_as_it_is(stub: Stub, client: MesiboClient) -> None:
    stub.answers.append(refused(error="BADVALUE", code=400, properties=["m"], cause="expiry is fine"))
    with pytest.raises(MesiboRefused):
        client.add_group("Walks", [ANA])
    client.set_group(1, "Walks")
    assert "expiry" in stub.seen[1].json["group"]


def test_a_life_of_0_is_not_told(stub: Stub) -> None:
    with closing(MesiboClient(stub.url, APP_TOKEN, group_expiry=0, group_extension=0)) as client:
        client.set_group(1, "Walks")
    assert stub.seen[0].json["group"] == {"gid": 1, "name": "Walks"}


def test_the_bytes_of_both_styles(stub: Stub) -> None:
    for style in ("form", "json"):
        with closing(MesiboClient(stub.url, APP_TOKEN, style=style)) as client:
            client.set_group(7, "Café & Co")
    form, root = (seen.body for seen in stub.seen)
    assert form == (
        b"op=groupset&gid=7&name=Caf%C3%A9+%26+Co&flag=0&expiry=315360000&expiryext=31536000"
        b"&token=app0token0secret"
    )
    assert root == (
        '{"op":"groupset","token":"app0token0secret","group":{"gid":7,"name":"Café & Co",'
        '"expiry":315360000,"expiryext":31536000}}'.encode()
    )


def test_nothing_travels_in_headers_that_is_not_needed(stub: Stub, client: MesiboClient) -> None:
    client.delete_group(1)
    headers = {name.lower() for name in stub.seen[0].headers}
    wanted = {
        "host",
        "user-agent",
        "accept",
        "accept-encoding",
        "connection",
        "content-type",
        "content-length",
    }
    assert headers == wanted


@pytest.mark.parametrize(
    ("path", "style", "content_type"),
    [
        ("/api.php", "auto", "application/x-www-form-urlencoded"),
        ("/backend", "auto", "application/json"),
        ("/backend/", "auto", "application/json"),
        ("/mesiboapi", "auto", "application/json"),
        ("/api.php", "json", "application/json"),
        ("/backend", "form", "application/x-www-form-urlencoded"),
    ],
)
def test_the_style_is_the_one_asked_for_or_follows_the_path(
    stub: Stub, path: str, style: str, content_type: str
) -> None:
    with closing(MesiboClient(stub.url.replace("/backend", path), APP_TOKEN, style=style)) as client:
        client.delete_group(1)
    assert stub.seen[0].path == path
    assert stub.seen[0].headers["Content-Type"] == content_type


def test_an_unknown_style_is_refused() -> None:
    with pytest.raises(ValueError, match="auto, json or form"):
        MesiboClient("http://127.0.0.1/", APP_TOKEN, style="xml")


def test_the_settings_describe_the_client(stub: Stub) -> None:
    chosen = configuration.build(
        mesibo_api_url=stub.url, mesibo_app_token=APP_TOKEN, mesibo_api_style="form", mesibo_timeout=0.1
    )
    with closing(mesibo_client(chosen)) as client:
        client.delete_group(5)
    assert stub.seen[0].form == {"op": "groupdel", "gid": "5", "token": APP_TOKEN}


# Answers


@pytest.mark.parametrize("uid", [4711, "4711"])
def test_add_user_returns_uid_and_token(stub: Stub, client: MesiboClient, uid: object) -> None:
    stub.answers.append(ok(op="useradd", user={"uid": uid, "address": ANA, "token": "user0token"}))
    assert client.add_user(ANA, appid=APP_ID) == UserToken(4711, "user0token")


def test_a_user_token_does_not_show_itself() -> None:
    assert "user0token" not in repr(UserToken(1, "user0token"))


@pytest.mark.parametrize("gid", [5001, "5001"])
def test_add_group_returns_the_gid(stub: Stub, client: MesiboClient, gid: object) -> None:
    stub.answers.append(ok(group={"gid": gid}))
    assert client.add_group("g", [ANA]) == 5001


@pytest.mark.parametrize(("members", "mid"), [({"mid": 138}, 138), ({"mid": "138"}, 138), ({}, 0)])
def test_send_message_returns_the_message_id_or_0(
    stub: Stub, client: MesiboClient, members: dict[str, object], mid: int
) -> None:
    stub.answers.append(ok(**members))
    assert client.send_message(HELLO) == mid


@pytest.mark.parametrize(
    "answer",
    [
        {"members": [{"address": ANA, "cansend": 1}, {"address": BOB}]},
        {"members": [ANA, BOB]},
        {"group": {"gid": 1, "members": [{"address": ANA}, {"address": BOB}]}},
    ],
)
def test_group_members_returns_addresses(stub: Stub, client: MesiboClient, answer: dict[str, object]) -> None:
    stub.answers.append(ok(**answer))
    assert client.group_members(1) == [ANA, BOB]


@pytest.mark.parametrize("result", [True, 1, "OK"])
@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_true_result_is_success_whatever_the_http_status(
    stub: Stub, client: MesiboClient, status: int, result: object
) -> None:
    stub.answers.append(ok(status, result=result))
    client.delete_group(1)


@pytest.mark.parametrize("result", [False, 0, "FAIL", "false", None, 2, [], {}])
@pytest.mark.parametrize("status", [200, 400, 401, 403])
def test_any_other_result_is_a_refusal_where_no_status_tells_of_an_outage(
    stub: Stub, client: MesiboClient, status: int, result: object
) -> None:
    stub.answers.append(refused(status, result=result, error="BADVALUE"))
    with pytest.raises(MesiboRefused):
        client.delete_group(1)


OUTAGES: list[tuple[int, dict[str, object]]] = [
    (200, {"error": "SERVERERROR", "code": 500}),
    (200, {"error": "BADVALUE", "code": 503}),
    (200, {"error": "AUTHFAIL", "code": "502"}),
    (200, {"error": "RATELIMIT", "code": 429}),
    (200, {"error": "BADUSER", "code": 408}),
    (503, {"error": "BADVALUE"}),
    (500, {"error": "AUTHFAIL"}),
    (429, {"error": "MISSINGPARA"}),
    (200, {"error": "SERVERERROR"}),
    (200, {"error": "database is locked"}),
    (200, {}),
    (200, {"error": "DBFAIL", "code": None}),
    (200, {"error": "INTERNAL", "code": 0}),
]
REFUSALS: list[tuple[int, dict[str, object]]] = [
    (200, {"error": "NEVERSEEN", "code": 403}),
    (200, {"error": "SERVERERROR", "code": "400"}),
    (500, {"error": "BADVALUE", "code": 400}),
    (404, {"error": "WHATEVER"}),
    (200, {"error": "BADVALUE"}),
    (200, {"error": "MISSINGOP"}),
]


@pytest.mark.parametrize(("status", "members"), OUTAGES)
def test_a_fault_of_mesibos_that_is_told_as_json_is_an_outage(
    stub: Stub, client: MesiboClient, status: int, members: dict[str, object]
) -> None:
    stub.answers.append(refused(status, **members))
    with pytest.raises(MesiboUnreachable) as caught:
        client.delete_group(1)
    assert caught.value.maybe_done
    assert caught.value.reason.startswith("fault ")


@pytest.mark.parametrize(("status", "members"), REFUSALS)
def test_a_4xx_code_is_a_refusal_whatever_the_label_and_so_is_a_known_label_alone(
    stub: Stub, client: MesiboClient, status: int, members: dict[str, object]
) -> None:
    stub.answers.append(refused(status, **members))
    with pytest.raises(MesiboRefused):
        client.delete_group(1)


@pytest.mark.parametrize(
    ("members", "gone"),
    [
        ({"error": "NOTFOUND", "code": 404}, True),
        ({"error": "ODD", "code": 410}, True),
        ({"error": "BADVALUE", "code": 400, "properties": ["gid"]}, True),
        ({"error": "BADVALUE", "code": 400, "properties": ["uid", "token"]}, True),
        ({"error": "BADGROUP"}, True),
        ({"error": "BADVALUE", "code": 400}, False),
        ({"error": "BADVALUE", "code": 400, "properties": ["appid"]}, False),
        ({"error": "FORBIDDEN", "code": 403, "properties": ["gid"]}, False),
        ({"error": "MISSINGPARA", "code": 400, "properties": ["gid"]}, False),
    ],
)
def test_that_something_is_not_there_is_told_from_other_refusals(
    stub: Stub, client: MesiboClient, members: dict[str, object], gone: bool
) -> None:
    stub.answers.append(refused(**members))
    with pytest.raises(MesiboRefused) as caught:
        client.delete_group(1)
    assert caught.value.is_not_there is gone


def test_a_refusal_keeps_what_mesibo_said(stub: Stub, client: MesiboClient) -> None:
    stub.answers.append(
        refused(
            op="groupdel", error="BADVALUE", code="400", cause="no gid", action="send it", properties=["gid"]
        )
    )
    with pytest.raises(MesiboRefused) as caught:
        client.delete_group(1)
    e = caught.value
    assert (e.op, e.error, e.code, e.cause, e.action) == ("groupdel", "BADVALUE", 400, "no gid", "send it")
    assert e.properties == ("gid",)
    assert str(e) == "mesibo refused groupdel: BADVALUE (code 400)"


def test_a_bare_refusal_has_empty_attributes(stub: Stub, client: MesiboClient) -> None:
    stub.answers.append(refused(code=400))
    with pytest.raises(MesiboRefused) as caught:
        client.delete_group(1)
    e = caught.value
    assert (e.error, e.code, e.cause, e.action, e.properties) == ("", 400, "", "", ())


@pytest.mark.parametrize("answer", [{}, {"user": {}}, {"user": {"uid": 1, "token": ""}}, {"user": "x"}])
def test_a_success_without_a_token_is_no_usable_answer(
    stub: Stub, client: MesiboClient, answer: dict[str, object]
) -> None:
    stub.answers.append(ok(**answer))
    with pytest.raises(MesiboUnreachable) as caught:
        client.add_user(ANA, appid=APP_ID)
    assert (caught.value.reason, caught.value.maybe_done) == ("bad answer", True)


@pytest.mark.parametrize("gid", [0, None, True, "x", "", "9" * 5000, 1.5, {}])
def test_a_success_without_a_gid_is_no_usable_answer(stub: Stub, client: MesiboClient, gid: object) -> None:
    stub.answers.append(ok(group={"gid": gid}))
    with pytest.raises(MesiboUnreachable) as caught:
        client.add_group("g", [ANA])
    assert (caught.value.reason, caught.value.maybe_done) == ("bad answer", True)


def test_a_success_without_a_list_of_members_is_no_usable_answer(stub: Stub, client: MesiboClient) -> None:
    stub.answers.append(ok())
    with pytest.raises(MesiboUnreachable, match="bad answer"):
        client.group_members(1)


# Lists and sizes


@pytest.mark.parametrize("address", ["", "a,b"])
def test_an_address_that_would_break_a_list_is_refused_unsent(
    stub: Stub, client: MesiboClient, address: str
) -> None:
    for call in (
        lambda: client.add_group("g", [ANA, address]),
        lambda: client.edit_members(1, [address], remove=True),
        lambda: client.send_message(Message(ANA, [address], "x")),
    ):
        with pytest.raises(ValueError, match="comma"):
            call()
    assert stub.seen == []


def test_a_message_to_nobody_is_refused_unsent(stub: Stub, client: MesiboClient) -> None:
    with pytest.raises(ValueError, match="recipient"):
        client.send_message(Message(ANA, [], "x"))
    assert stub.seen == []


@pytest.mark.parametrize("style", ["form", "json"])
def test_size_is_the_number_of_bytes_that_are_sent(stub: Stub, style: str) -> None:
    with closing(MesiboClient(stub.url, APP_TOKEN, style=style)) as client:
        client.send_message(HELLO)
        size = client.size(HELLO)
        assert (client.fits(HELLO, size), client.fits(HELLO, size - 1)) == (True, False)
    assert size == len(stub.seen[0].body)


@pytest.mark.parametrize("style", ["form", "json"])
def test_text_that_utf8_cannot_carry_is_still_sent(stub: Stub, style: str) -> None:
    with closing(MesiboClient(stub.url, APP_TOKEN, style=style)) as client:
        client.set_group(1, "a\ud83db")
    assert b"a?b" in stub.seen[0].body or b"a%3Fb" in stub.seen[0].body


# ping


@pytest.mark.parametrize(
    "answer",
    [
        refused(400, error="BADVALUE", code=400, properties=["user"]),
        refused(error="MISSINGPARA"),
        ok(),
    ],
)
def test_ping_returns_when_only_the_user_is_missed(stub: Stub, client: MesiboClient, answer: object) -> None:
    stub.answers.append(answer)  # type: ignore[arg-type]
    client.ping()
    assert stub.seen[0].json == {"op": "useradd", "token": APP_TOKEN}


@pytest.mark.parametrize(
    "answer",
    [
        {"error": "AUTHFAIL", "code": 401, "properties": ["token"]},
        {"error": "AUTHFAIL"},
        {"error": "", "code": "401"},
        {"error": "TOKENBREACH"},
        {"error": "MISSINGOP"},
        {"error": "BADOP"},
    ],
)
def test_ping_raises_when_the_token_or_the_url_is_wrong(
    stub: Stub, client: MesiboClient, answer: dict[str, object]
) -> None:
    stub.answers.append(refused(**answer))
    with pytest.raises(MesiboRefused):
        client.ping()


def test_ping_raises_when_something_else_answers(stub: Stub, client: MesiboClient) -> None:
    stub.answers.append(plain(404, json.dumps({"status": 404, "error": "Not Found"}).encode()))
    with pytest.raises(MesiboUnreachable, match="http 404"):
        client.ping()


# Threads


def test_sixteen_threads_share_one_client_and_get_their_own_answers(stub: Stub, client: MesiboClient) -> None:
    for gid in range(1, 161):
        stub.answers.append(ok(group={"gid": gid}))

    with ThreadPoolExecutor(16) as pool:
        gids = list(pool.map(lambda n: client.add_group(f"group {n}", [ANA]), range(160)))
    assert sorted(gids) == list(range(1, 161))
    assert sorted(seen.json["group"]["name"] for seen in stub.seen) == sorted(
        f"group {n}" for n in range(160)
    )
    assert stub.connections <= 16


@pytest.mark.parametrize(
    ("label", "word"), [("TOKENBREACH", "five addresses"), ("AUTHFAIL", "MESIBO_APP_TOKEN")]
)
def test_a_refused_app_token_is_an_error_once_a_minute_with_what_to_do(
    stub: Stub, monkeypatch: pytest.MonkeyPatch, label: str, word: str
) -> None:
    monkeypatch.setattr("messenger_api.clients._seldom", Throttle())
    stub.answers.extend(refused(error=label, code=401) for _ in range(5))
    client = mesibo_client(configuration.build(mesibo_api_url=stub.url, mesibo_app_token=APP_TOKEN))
    with closing(client), capture_logs() as log:
        for _ in range(5):
            with pytest.raises(MesiboRefused):
                client.delete_group(1)
    [line] = [line for line in log if line["log_level"] == "error"]
    assert line["event"] == "mesibo.app_token_refused"
    assert word in line["to_do"]

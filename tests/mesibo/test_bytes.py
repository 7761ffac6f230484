"""The exact bytes of every op in every style, and what is refused before anything is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from messenger_api import mesibo
from messenger_api.mesibo import File, Wire
from messenger_api.mesibo.building import build
from messenger_api.mesibo.specification import operations
from messenger_api.mesibo.values import path_of
from messenger_api.mesibo.wire import CONTENT_TYPES, style_of

from .cases import CASES, KEY, TOKEN, Case


def wire(style: str) -> Wire:
    return Wire(TOKEN, "form" if style == "form" else "json", key=KEY)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.op.OP}-{case.style}")
def test_the_bytes_of_every_op_in_every_style(case: Case) -> None:
    request = wire(case.style).encode(case.op, boundary="b")
    assert request.body.decode() == case.body
    assert request.content_type.startswith(CONTENT_TYPES[case.style])
    assert request.op == case.op.OP


def test_every_field_of_every_op_is_in_those_bytes_in_every_style_that_has_it() -> None:
    wanted = {
        (op.name, field.name, style)
        for op in operations().values()
        for field in op.fields.values()
        for style in field.spellings
    }
    seen = {
        (case.op.OP, name, case.style)
        for case in CASES
        for name in operations()[case.op.OP].fields
        if path_of(case.op, name) is not None
    }
    # An op names a user by one of two fields: these cases use the other one in this style.
    assert {name for _, name, _ in wanted - seen} <= {"uid", "address"}
    assert seen <= wanted


def test_an_id_is_sent_in_every_style() -> None:
    assert wire("json").encode(mesibo.GroupDel(gid=1), id=7).body == (
        b'{"op":"groupdel","token":"app0token","id":7,"group":{"gid":1}}'
    )
    assert wire("form").encode(mesibo.GroupDel(gid=1), id=7).body == b"op=groupdel&id=7&gid=1&token=app0token"
    script = mesibo.ScriptAdd(file=File("a.js", b""))
    assert b'name="id"\r\n\r\n7\r\n' in wire("json").encode(script, id=7).body


def test_the_token_object_is_there_when_a_token_is_asked_for() -> None:
    no_token = wire("json").encode(mesibo.UserAdd(address="491"))
    assert no_token.body == b'{"op":"useradd","token":"app0token","user":{"address":"491"}}'
    newer = wire("json").encode(mesibo.UserAdd(address="491", v2=True))
    assert newer.body == b'{"op":"useradd","token":"app0token","user":{"address":"491","token":{"v2":true}}}'


REFUSED: dict[str, tuple[Callable[[], Any], str, str]] = {
    "a form without app id": (lambda: mesibo.UserAdd(address="491"), "form", "appid is required"),
    "v2 in a form": (lambda: mesibo.UserAdd(address="1", appid="a", v2=True), "form", "v2 cannot be said"),
    "groups in json": (lambda: mesibo.UserAdd(address="1", groups=5), "json", "groups cannot be said"),
    "nobody named": (lambda: mesibo.UserDel(), "json", "one of uid, address"),
    "to nobody": (lambda: mesibo.Message(sender="491", text="x"), "json", "one of to, gid"),
    "an empty address": (lambda: mesibo.UserAdd(address=""), "json", "address must be a text that is not"),
    "an address with a comma": (lambda: mesibo.UserAdd(address="a,b"), "json", "address must be a text"),
    "a comma in a list": (lambda: mesibo.GroupEditMembers(gid=1, members=["a,b"]), "json", "comma"),
    "a text for a list": (lambda: mesibo.GroupEditMembers(gid=1, members="a"), "json", "a list of addresses"),
    "too many items": (lambda: mesibo.UsersGet(count=21), "json", "count must be at most 20"),
    "too few items": (lambda: mesibo.UsersGet(count=0), "form", "count must be at least 1"),
    "a negative life": (lambda: mesibo.GroupAdd(expiry=-1), "json", "expiry must be at least 0"),
    "a text for a number": (lambda: mesibo.GroupDel(gid="1"), "json", "gid must be a whole number"),  # type: ignore[arg-type]
    "True for a number": (lambda: mesibo.GroupDel(gid=True), "json", "gid must be a whole number"),
    "a number for a text": (lambda: mesibo.GroupAdd(name=1), "json", "name must be a text"),  # type: ignore[arg-type]
    "a number for a switch": (lambda: mesibo.UserAdd(address="1", active=1), "json", "active must be True"),  # type: ignore[arg-type]
    "bytes for a file": (lambda: mesibo.ScriptAdd(file=b""), "json", "file must be a File"),  # type: ignore[arg-type]
    "another kind": (
        lambda: mesibo.PushUpload(file=File("a", b""), type="gcm"),
        "json",
        "type must be one of fcm, apn",
    ),
    "two platforms in an update": (
        lambda: mesibo.UacSet(update=True, ios=True, android=True),
        "json",
        "at most one of android, ios",
    ),
    "rates that are none": (
        lambda: mesibo.UacSet(ratelimit=mesibo.UacSetRatelimit(call=[(60, -5)])),
        "json",
        "call must be a list of pairs",
    ),
    "a rate of three": (
        lambda: mesibo.UacSet(ratelimit=mesibo.UacSetRatelimit(call=[(60, 5, 6)])),  # type: ignore[list-item]
        "json",
        "call must be a list of pairs",
    ),
    "a missing required field": (lambda: mesibo.UserAdd(address=None), "json", "address is required"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize(("make", "style", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_what_mesibo_would_refuse_or_misread_is_never_sent(
    make: Callable[[], Any], style: str, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        wire(style).encode(make())


def test_two_platforms_are_sent_where_nothing_is_updated() -> None:
    assert b'"android":1,"ios":1' in wire("json").encode(mesibo.UacSet(ios=True, android=True)).body


# What mesibo adds tomorrow


def test_raw_sends_any_op_as_it_is_told() -> None:
    request = wire("json").encode_raw("groupban", {"group": {"gid": 1, "ban": True}})
    assert request.body == b'{"op":"groupban","token":"app0token","group":{"gid":1,"ban":true}}'
    request = wire("form").encode_raw("groupban", {"gid": 1, "ban": True}, id=3)
    assert request.body == b"op=groupban&id=3&gid=1&ban=1&token=app0token"
    request = wire("json").encode_raw("appadd", {"name": "x"}, style="form")
    assert request.body == b"op=appadd&name=x&key=account0key"
    request = wire("json").encode_raw("scriptadd", {"file": File("a.js", b"x"), "on": True}, style="form")
    assert request.content_type.startswith("multipart/form-data; boundary=")
    assert b'name="on"\r\n\r\n1\r\n' in request.body


# What is inferred


def test_what_is_inferred_stands_in_one_table_and_can_be_named_otherwise() -> None:
    assert mesibo.INFERRED["usertoken.delete.json"] == "user.token.delete"
    assert mesibo.INFERRED["groupsget.items"] == "groups"
    assert "useradd.address.json" not in mesibo.INFERRED
    better = Wire(TOKEN, inferred={"usertoken.delete.json": "user.token.remove", "groupsget.items": "list"})
    body = better.encode(mesibo.UserToken(uid=1, delete=True)).body
    assert body == b'{"op":"usertoken","token":"app0token","user":{"uid":1,"token":{"remove":true}}}'
    [group] = better.decode(mesibo.GroupsGet(), {"list": [{"gid": "5", "name": "Walks"}]})
    assert (group.gid, group.name, group.expiry) == (5, "Walks", None)


def test_what_is_known_cannot_be_named_otherwise() -> None:
    with pytest.raises(ValueError, match=r"not inferred, or unknown: useradd\.address\.json"):
        Wire(TOKEN, inferred={"useradd.address.json": "user.addr"})


def test_a_table_of_inferred_names_is_read_only() -> None:
    with pytest.raises(TypeError):
        mesibo.INFERRED["x"] = "y"  # type: ignore[index]


# Secrets, styles


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.op.OP}-{case.style}")
def test_neither_a_request_nor_its_writer_shows_a_secret(case: Case) -> None:
    shown = repr(wire(case.style)) + repr(wire(case.style).encode(case.op)) + repr(case.op)
    for secret in (TOKEN, KEY, "482913", "service_account", "secret='s'", "fcm_key='k'"):
        assert secret not in shown


@pytest.mark.parametrize(
    ("url", "asked", "style"),
    [
        ("https://x/api.php", "auto", "form"),
        ("https://x/api.php/", "auto", "form"),
        ("https://x/backend", "auto", "json"),
        ("https://x/api.php", "json", "json"),
        ("https://x/backend", "form", "form"),
    ],
)
def test_the_style_follows_the_path(url: str, asked: str, style: str) -> None:
    assert style_of(url, asked) == style


def test_an_unknown_style_is_refused() -> None:
    for make in (lambda: style_of("https://x/", "xml"), lambda: Wire(TOKEN, "auto")):
        with pytest.raises(ValueError, match="auto, json or form"):
            make()


def test_size_is_the_number_of_bytes() -> None:
    assert wire("json").size(mesibo.GroupDel(gid=1)) == len(
        '{"op":"groupdel","token":"app0token","group":{"gid":1}}'
    )


def test_the_package_has_no_name_that_is_undocumented() -> None:
    for name in mesibo.__all__:
        found = getattr(mesibo, name)
        if isinstance(found, type):
            assert (found.__doc__ or "").strip(), name


def test_a_record_is_built_of_names_and_values_too() -> None:
    built = build("uacset", {"id": 3, "location.user.reach": 5, "call.video": False})
    user = mesibo.UacSetLocationUser(reach=5)
    assert built == mesibo.UacSet(
        id=3, location=mesibo.UacSetLocation(user=user), call=mesibo.UacSetCall(video=False)
    )
    for op, values, error in (
        ("useradd", {}, TypeError),
        ("useradd", {"x": 1}, TypeError),
        ("x", {}, KeyError),
    ):
        with pytest.raises(error):
            build(op, values)

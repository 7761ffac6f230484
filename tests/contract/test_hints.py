"""With the sandbox in use, an answer's header tells what of the request was ignored or odd, and only then."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest

from messenger_api.ops import OPERATIONS
from messenger_api.ops.examples import EXAMPLES, FRIEND, GID, OTHER, OWN, PHOTO
from tests.contract.hints import HEADER, hints_of
from tests.product import APPID, Phone, Product, jpeg

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


@pytest.fixture
def ann(product: Product) -> Phone:
    return product.log_in(OWN)


def ask(product: Product, path: str = "/api.php", method: str = "POST", **request: Any) -> list[str]:
    return hints_of(product.http.open(path, method=method, **request))


def form(product: Product, **fields: object) -> list[str]:
    """The hints to a call with these fields as a form; a value of bytes and a name is a file."""
    files = {
        name: (BytesIO(value[0]), value[1]) for name, value in fields.items() if isinstance(value, tuple)
    }
    return ask(product, data={**fields, **files})


def test_good_calls_get_none(product: Product) -> None:
    product.log_in(FRIEND)
    product.log_in(OTHER)
    caller = product.log_in(OWN)
    gid = caller.ok("setgroup", gid=0, name="Cooks", m=FRIEND)["gid"]
    product.clock.advance(400)
    for op, example in EXAMPLES.items():
        fields = example.filled({GID: gid, PHOTO: (jpeg(), "photo.jpg")})
        token = {"token": caller.token} if OPERATIONS[op].needs_session else {}
        found = form(product, op=op, **token, **fields)
        assert [hint for hint in found if "/sandbox" not in hint] == [], op


@pytest.mark.parametrize(
    ("op", "fields", "hint"),
    [
        ("getcontacts", {"foo": "1"}, "getcontacts takes no 'foo'"),
        ("getcontacts", {"phone": FRIEND}, "did you mean 'phones'?"),
        ("getcontacts", {"Phones": FRIEND}, "getcontacts takes no 'Phones': did you mean 'phones'?"),
        ("getcontacts", {"phones[0]": FRIEND}, "did you mean 'phones'?"),
        (
            "sessions",
            {"phones": FRIEND},
            "sessions takes no 'phones', which is a field of getcontacts, delcontacts, block and unblock",
        ),
        ("getcontacts", {FRIEND: "1"}, "getcontacts takes no '...'"),
        ("getcontacts", {"phones": f"{FRIEND},x,,12"}, "'phones': entries 2 and 4 of 4 could not be read"),
        ("getcontacts", {"phones": f'["{FRIEND}","x"]'}, "'phones': entry 2 of 2 could not be read"),
        ("getcontacts", {"phones": f"{FRIEND},+{OWN}"}, "entry 2 is the caller's own number"),
        ("setgroup", {"name": "g", "m": f"{FRIEND}%2Cx"}, "'m': entry 2 of 2 could not be read; it was left"),
        ("getcontacts", {"ts": ""}, "'ts' is empty and counts as absent"),
        ("getcontacts", {"ts": "1790000000000"}, "'ts' counts seconds, not milliseconds"),
        ("getcontacts", {"hidden": "1"}, "'hidden' is taken and not looked at"),
        ("changenumber", {"channel": "pigeon"}, "'channel' has a value that is not known here"),
        ("profile", {"photo": "me.jpg"}, "'photo' is a text here; a picture comes as the file"),
        ("getcontacts", {"photo": (b"x", "x.jpg")}, "getcontacts takes no file"),
        ("getcontacts", {"auth": "x"}, "getcontacts takes no 'auth'"),
        ("upload", {"gid": "1"}, "count only with 'profile' 1"),
        ("profile", {"gid": "1", "status": "s"}, "'status' was not looked at"),
    ],
)
def test_fields_that_count_for_nothing(
    product: Product, ann: Phone, op: str, fields: dict[str, object], hint: str
) -> None:
    found = form(product, op=op, token=ann.token, **fields)
    assert [each for each in found if hint in each], found


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ({"op": "getcontacts"}, "getcontacts needs the field 'token', which login answers with"),
        ({"op": "getcontacts", "auth": "x"}, "'auth' was not looked at: only upload takes"),
        ({"op": "getcontacts", "token": "Bearer x"}, "'token' is the token alone"),
        ({"op": "getcontacts", "token": "x" * 40}, "the token is unknown, expired or revoked"),
        ({"op": "getcontacts", "token": " "}, "'token' is blank, or not a text"),
        ({"op": "login", "phone": OWN, "appid": APPID, "token": "x"}, "login needs no token"),
        (
            {"op": "login", "phone": OWN, "appid": APPID},
            "are shown at /sandbox; call login again",
        ),
        ({"op": "login", "phone": OWN, "appid": APPID, "otp": "000000"}, "the newest one of a number"),
        ({"op": "login", "phone": OWN, "appid": APPID, "otp": "1", "code": "1"}, "mean the same"),
        ({"op": "getcontact"}, "there is no such op: did you mean 'getcontacts'?"),
        ({"Op": "login"}, "name an op in the field 'op'"),
    ],
)
def test_op_and_token(product: Product, fields: dict[str, object], hint: str) -> None:
    found = form(product, **fields)
    assert [each for each in found if hint in each], found


def test_a_token_in_a_header_is_named(product: Product) -> None:
    found = ask(product, data={"op": "sessions"}, headers={"Authorization": "Bearer x"})
    assert found == ["the header Authorization was not looked at: sessions needs the field 'token'"]


def test_an_op_in_capitals_is_none_worth(product: Product, ann: Phone) -> None:
    assert form(product, op="GetContacts", token=ann.token) == []


@pytest.mark.parametrize(
    ("body", "label", "hint"),
    [
        ('{"op":"loginui"}', FORM, f"Content-Type says {FORM}; the body looks like JSON"),
        ("op=loginui", JSON, "Content-Type says application/json; the body looks like a form"),
        ('--x\r\nContent-Disposition: form-data; name="op"\r\n\r\nloginui\r\n--x--', FORM, "a form of parts"),
        (
            '--x\r\nContent-Disposition: form-data; name="op"\r\n\r\nloginui\r\n--x--',
            "multipart/form-data",
            "Content-Type names no boundary",
        ),
        ("{'op':'loginui'}", "text/plain", "JSON takes double quotes"),
        ("op=login&op=loginui", FORM, "the body has 'op' more than once: the last one counts"),
    ],
)
def test_the_body(product: Product, body: str, label: str, hint: str) -> None:
    found = ask(product, data=body, content_type=label)
    assert [each for each in found if hint in each], found


@pytest.mark.parametrize("label", ["", "application/json; charset=utf-8", "application/vnd.api+json"])
def test_json_without_a_label_or_with_its_own_is_not_odd(product: Product, label: str) -> None:
    assert ask(product, data='{"op":"loginui"}', content_type=label) == []


def test_the_address(product: Product) -> None:
    assert ask(product, "/api.php?op=login", data={"op": "loginui"}) == [
        "the address and the body both have 'op': the body counts"
    ]
    assert ask(product, "/api.php?op=login&op=loginui", "GET") == [
        "the address has 'op' more than once: the last one counts"
    ]
    assert ask(product, "/api/login", data={"op": "loginui"}) == [
        "the API's address is /api.php; this path is taken for it, and nothing is read from it"
    ]
    assert ask(product, method="PUT", data={"op": "loginui"}) == ["only GET and POST run ops"]


def test_values_of_json(product: Product, ann: Phone) -> None:
    def told(**fields: object) -> list[str]:
        return ask(product, json={"op": "getcontacts", "token": ann.token, **fields})

    assert told(phones=[int(FRIEND), None, {"a": 1}, "", True]) == [
        "'phones': entries 2, 3 and 5 of 5 could not be read; they were left out"
    ]
    assert told(ts=None) == ["'ts' is null and counts as absent"]
    assert ask(product, json={"op": "getcontacts", "token": 7}) == ["'token' is blank, or not a text"]


def test_they_fit_beside_other_headers_however_much_is_odd(product: Product, ann: Phone) -> None:
    fields = {f"{chr(97 + n // 26)}{chr(97 + n % 26)}q": "1" for n in range(300)}
    assert len(form(product, op="getcontacts", token=ann.token, **fields)) == 20
    names = {'"\\é': "1", "\x7f": "2", "a" * 5_000: "3"}
    assert form(product, op="getcontacts", token=ann.token, **names) == ["getcontacts takes no '...'"]


def test_scripts_of_another_origin_may_read_them(product: Product) -> None:
    response = product.http.post("/api.php", data={"op": "loginui"})
    assert response.headers["Access-Control-Expose-Headers"] == HEADER


def test_without_flask_in_the_way_and_through_it_they_are_the_same(
    make_product: Callable[..., Product],
) -> None:
    for shortcut in (True, False):
        product = make_product(api_shortcut=shortcut)
        assert form(product, op="loginui", foo="1") == ["loginui takes no 'foo'"]


def test_an_answer_without_the_sandbox_has_none(make_product: Callable[..., Product]) -> None:
    product = make_product(mesibo_app_token="t" * 40)
    bodies = [{"op": "getcontacts", "foo": "1"}, {"op": "loginui", "token": "x"}, {}]
    for body in bodies:
        response = product.http.post("/api.php?op=x", data=json.dumps(body), content_type=FORM)
        assert HEADER not in response.headers
        assert "Access-Control-Expose-Headers" not in response.headers

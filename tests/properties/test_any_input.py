"""Bad input gets a clear error: never a traceback, an HTML page, a log-out or a "try later"."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import fields as declared_fields

from messenger_api.ops import OPERATIONS
from messenger_api.ops.examples import APPID, EXAMPLES, FRIEND, GID, OTHER, OWN, PHOTO
from tests.product import jpeg
from tests.properties.anything import BOUNDARY, ENCODINGS, JSON, NEVER, TIMES, Target, encoded, part
from tests.properties.conftest import NewProduct

ANN, BOB, TESTER = OWN, FRIEND, OTHER
CODE = "123456"
# What logs Ann out for good.
ENDINGS = {"logout", "deleteaccount"}
FIELDS = [(op, info.encode_name) for op, it in OPERATIONS.items() for info in declared_fields(it.parameters)]
# Preferences, and what nobody looks at: they never stop an op.
IGNORED = {"lang", "channel", "d", "v", "hidden", "mid", "type", "setgroup status"}
NAMED = {name for _op, name in FIELDS} | {"op", "token", "auth", "photo", "file"}

NASTY: list[Any] = [
    *(
        "",
        " ",
        "\x00",
        "a\x00b",
        "\ud800",
        "\udfff\ud800",
        "😀" * 50,
        "\u202e",
        "\r\n",
        "'; DROP TABLE users; --",
    ),
    *("%", "%00", "%ff", "%ED%A0%80", "%2525", "[]", "{}", "null", "NaN", "-1", "1e400", "0x1", "１２", "½"),
    *(0, -1, 2, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**30, 10**4000),
    *(0.5, -0.0, 1e300, float("nan"), float("inf"), True, False, None),
    *(
        [],
        [[]],
        {},
        {"a": 1},
        ["a", 1],
        [None],
        [{"a": [1]}],
        [True, 1.5],
        ["\x00"],
        [",", ",,,"],
        [""] * 100,
    ),
    *("x" * 1_000, "x" * 1_000_000, "9," * 300_000),
]
SCALARS = (
    st.text()
    | st.text("0123456789+-,. []%null\x00", max_size=20)
    | st.integers()
    | st.floats()
    | st.booleans()
    | st.none()
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)

few = settings(max_examples=6 * TIMES, deadline=None)
some = settings(max_examples=60 * TIMES, deadline=None)


@pytest.fixture(scope="module")
def target(new_product: NewProduct) -> Iterator[Target]:
    """A product that can be logged in to by a fixed code, without text messages."""
    until = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=2)
    # Thousands of requests from one address would be too many for a person.
    product = new_product(
        otp_test_numbers={TESTER: CODE},
        otp_test_numbers_until=until,
        limits="track",
        max_phones_per_call=10_000,
    )
    ann, bob = product.log_in(ANN, name="Ann"), product.log_in(BOB)
    # No value that is tried shall be the number of Ann's own session, which `revoke` would end.
    with product.services.database.engine.connect() as connection:
        connection.exec_driver_sql("UPDATE sessions SET sid = sid + 5555555555")
    gid = ann.ok("setgroup", name="g", m=BOB)["gid"]
    it = Target(product, ann, bob, gid)
    logging.getLogger().addHandler(it.errors)
    yield it
    logging.getLogger().removeHandler(it.errors)
    assert it.is_well()


# Of a good call, what is different where it is made again and again.
AGAIN: dict[str, dict[str, object]] = {
    "login": {"otp": CODE},
    "upload": {"delete": 1},
    "setgroup": {"gid": GID},
    "delgroup": {"gid": 10**15},
    "revoke": {"id": 10**15, "others": 0},
    "changenumber": {"phone": ""},
}


def sound(target: Target, op: str) -> dict[str, object]:
    """Fields with which the op succeeds, as often as it is called."""
    example = EXAMPLES[op]
    again = replace(example, fields={**example.fields, **AGAIN.get(op, {})})
    fields = again.filled({GID: target.gid, PHOTO: None})
    return {"op": op, "token": target.ann.token, **{k: v for k, v in fields.items() if v is not None}}


def assert_clear(answer: dict[str, Any], op: str, field: str, encoding: str) -> None:
    """A success, or a refusal that names what is at fault."""
    if answer["result"] in ("OK", True):
        return
    assert answer["error"] not in NEVER, answer
    if answer["error"] == "BADVALUE":
        unreadable = encoding in JSON and answer["properties"] == ["body"]
        assert unreadable or answer["properties"] == [field]
        assert answer["errmsg"]
    if answer["error"] == "TOOLARGE":  # a body that was not read keeps its op to itself
        assert answer["op"] in (op, "")
    elif answer.get("properties") != ["body"]:
        assert answer["op"] == op


# Every field of every op


@pytest.mark.parametrize(("op", "field"), FIELDS)
def test_any_value_of_any_field_gets_a_clear_answer(target: Target, op: str, field: str) -> None:
    @few
    @given(value=VALUES, encoding=st.sampled_from(ENCODINGS))
    def check(value: object, encoding: str) -> None:
        answer = target.send(encoding, {**sound(target, op), field: value})
        assert_clear(answer, op, field, encoding)

    check()
    assert target.is_well()


@pytest.mark.parametrize(("op", "field"), FIELDS)
def test_the_worst_values_of_any_field_get_a_clear_answer(target: Target, op: str, field: str) -> None:
    encodings = itertools.cycle(ENCODINGS)
    for _ in range(FIELDS.index((op, field)) % len(ENCODINGS)):
        next(encodings)
    for value, encoding in zip(NASTY, encodings, strict=False):
        answer = target.send(encoding, {**sound(target, op), field: value})
        assert_clear(answer, op, field, encoding)
    assert target.is_well()


@pytest.mark.parametrize("op", sorted({op for op, _field in FIELDS}))
def test_everything_wrong_at_once_names_every_field(target: Target, op: str) -> None:
    names = [name for of, name in FIELDS if of == op]
    ignored = {name for name in names if name in IGNORED or f"{op} {name}" in IGNORED}
    answer = target.send("json", {**sound(target, op), **{name: {"a": 1} for name in names}})
    assert answer.get("error", "") == ("BADVALUE" if set(names) != ignored else "")
    assert sorted(answer.get("properties", [])) == sorted(set(names) - ignored)


@pytest.mark.parametrize("literal", ["1" * 5_000, "-" + "9" * 5_000, "1e400"])
def test_a_number_that_no_language_holds_is_a_fault_of_its_field_alone(target: Target, literal: str) -> None:
    for name, error in (("op", "BADOP"), ("token", "AUTHFAIL"), ("gid", "BADVALUE"), ("name", "BADVALUE")):
        fields = {**sound(target, "profile"), name: "HERE"}
        body = json.dumps(fields).replace('"HERE"', literal)
        answer = target.ask(data=body, content_type="application/json")
        assert answer is not None
        assert answer["error"] == error, (name, answer)


@pytest.mark.parametrize("literal", ["NaN", '"\\x"', "01"])
def test_json_that_python_cannot_hold_is_a_bad_body(target: Target, literal: str) -> None:
    for name in ("op", "token", "gid", "name"):
        fields = {**sound(target, "profile"), name: "HERE"}
        body = json.dumps(fields).replace('"HERE"', literal)
        answer = target.ask(data=body, content_type="application/json")
        assert answer is not None
        assert (answer["error"], answer["properties"]) == ("BADVALUE", ["body"])


@pytest.mark.parametrize(
    "half", [b"\\ud83d", b"\\uDe00", b"\\ud83d\\ud83d", b"\xed\xa0\xbd", b"\xed\xb8\x80"]
)
def test_half_of_a_character_is_lost_and_nothing_else_of_the_body(target: Target, half: bytes) -> None:
    fields = {**sound(target, "profile"), "name": "a HALF \\\\ud83d \\\\", "more": {"HALF": ["HALF", 1]}}
    answer = target.ask(data=json.dumps(fields).encode().replace(b"HALF", half))
    assert answer is not None
    assert set(answer["name"].removeprefix("a ").removesuffix(" \\\\ud83d \\\\")) == {"\ufffd"}
    assert target.send("form", {**sound(target, "profile"), "name": "\ud83d"})["name"] == "\ufffd"
    assert target.send("json", {**sound(target, "profile"), "name": "\ud83d\ude00"})["name"] == "😀"


def test_numbers_as_texts_and_texts_as_numbers_are_no_faults(target: Target) -> None:
    for gid in (target.gid, str(target.gid), f" {target.gid} ", float(target.gid)):
        assert target.send("json", {**sound(target, "getgroup"), "gid": gid})["result"] == "OK"
    assert target.send("json", {**sound(target, "profile"), "name": 12345})["name"] == "12345"


@pytest.mark.parametrize("number", ["80012345678", "881612345678", "15550001111"])
def test_a_number_of_no_country_or_of_a_test_range_logs_in_like_any_other(
    target: Target, number: str
) -> None:
    phone = target.product.log_in(number)
    assert phone.number == number
    assert number.startswith(phone.login["cc"])
    assert phone.contacts(phones=f"{BOB},+{TESTER}") != []


# Any op, any token


@some
@given(op=SCALARS | VALUES, encoding=st.sampled_from(ENCODINGS))
def test_any_op_gets_a_clear_answer(target: Target, op: object, encoding: str) -> None:
    assume(not any(ending in str(op).lower() for ending in ENDINGS))
    answer = target.ask(**encoded(encoding, {"op": op, "token": target.ann.token, "appid": APPID}))
    if answer and answer["result"] in ("FAIL", False):
        assert answer["error"] not in {"AUTHFAIL", "TRYLATER"}


@pytest.mark.parametrize("op", OPERATIONS)
def test_any_token_that_is_not_one_is_answered_alike(target: Target, op: str) -> None:
    @few
    @given(token=VALUES, encoding=st.sampled_from(ENCODINGS))
    def check(token: object, encoding: str) -> None:
        answer = target.send(encoding, {**sound(target, op), "token": token})
        if not OPERATIONS[op].needs_session or op == "logout" or answer.get("properties") == ["body"]:
            assert answer.get("error") not in {"AUTHFAIL", "TRYLATER"}
        else:
            assert answer["error"] == "AUTHFAIL"

    check()


# Any body, any header, any method

CONTENT_TYPES = st.sampled_from(
    [
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        f"multipart/form-data; boundary={BOUNDARY}",
        "multipart/form-data; boundary=é",
        "text/plain; charset=utf-16",
        "application/json; charset=nosuch",
        "",
    ]
)
HEADER = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\x00"), max_size=60)
# A body wins over the address: one that names these asks for another op, or as somebody else.
DECIDES = re.compile(rb'(^|[&{,])\s*"?(op|token)\b|name\s*=\s*"?(op|token)')
BODIES = (
    (
        st.binary(max_size=2_000)
        | st.text().map(lambda text: text.encode("utf-8", "surrogatepass"))
        | VALUES.map(lambda value: json.dumps(value).encode())
    ).filter(lambda body: not DECIDES.search(body))
    | st.binary(max_size=200).map(lambda noise: b"{" + noise)
    | st.binary(max_size=200).map(lambda noise: part("hidden", b"1") + noise)
    | st.binary(max_size=200).map(lambda noise: f"--{BOUNDARY}\r\n".encode() + noise)
    | st.sampled_from(
        [b"[" * 100_000, b'{"op":' * 50_000, b"&" * 100_000, b"a[]=1&" * 70_000, b"\xef\xbb\xbf{}"]
    )
)
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "LINK", "x"]
URLS = ["/api.php", "/api", "/"]


@settings(max_examples=150 * TIMES, deadline=None)
@given(
    body=BODIES,
    kind=CONTENT_TYPES | HEADER,
    method=st.sampled_from(METHODS),
    url=st.sampled_from(URLS),
    op=st.sampled_from(sorted(OPERATIONS.keys() - ENDINGS)),
)
def test_any_body_of_any_type_by_any_method_gets_a_clear_answer(
    target: Target, body: bytes, kind: str, method: str, url: str, op: str
) -> None:
    request = {"data": body, "environ_overrides": {"CONTENT_TYPE": kind}}
    target.ask(method, url, **request)
    query = {"op": op, "token": target.ann.token, "appid": APPID}
    answer = target.ask(method, url, query_string=query, **request)
    assert (answer is None) == (method not in ("GET", "POST"))
    if answer and answer["result"] in ("FAIL", False):
        assert answer["error"] not in NEVER
        # mesibo's smoke test reads the op, and so do apps: it is known from the address already.
        assert answer["op"] == op


@some
@given(method=st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ-", min_size=1, max_size=12), url=st.sampled_from(URLS))
def test_any_method_is_answered(target: Target, method: str, url: str) -> None:
    if method in ("OPTIONS", "HEAD"):
        return
    answer = target.ask(method, url, query_string={"op": "loginui"})
    assert (answer is None) == (method not in ("GET", "POST"))


ODD_HEADERS = ["[", "[::1", "a b", "a:99999999", ".", "a..b", "é.", "-1", "1" * 30, "text/html", "*/*;q=x"]


@some
@given(
    header=st.sampled_from(
        [
            *("HTTP_HOST", "HTTP_ACCEPT_LANGUAGE", "HTTP_ACCEPT", "HTTP_COOKIE", "CONTENT_LENGTH"),
            *("HTTP_CONTENT_ENCODING", "HTTP_TRANSFER_ENCODING"),
            *(
                "HTTP_X_FORWARDED_FOR",
                "HTTP_X_FORWARDED_HOST",
                "HTTP_AUTHORIZATION",
                "HTTP_RANGE",
                "HTTP_ORIGIN",
            ),
        ]
    ),
    value=HEADER
    | st.sampled_from(
        ["[", "[::1", "a b", "a:99999999", "-1", "1" * 30, "text/html", "*/*;q=x", ".", "..", "é.", "a..b"]
    ),
)
def test_any_header_is_answered(target: Target, header: str, value: str) -> None:
    query = {"op": "profile", "token": target.ann.token}
    answer = target.ask("GET", query_string=query, environ_overrides={header: value})
    assert answer is not None
    # A body shorter than announced cannot be read, nor one that is packed in a way that nobody knows.
    if header in ("CONTENT_LENGTH", "HTTP_CONTENT_ENCODING"):
        assert_clear(answer, "profile", "body", "json")
    else:
        assert answer["result"] == "OK"


# Any file

PICTURE = jpeg(size=(16, 16))
STARTS = [
    PICTURE,
    b"\x89PNG\r\n\x1a\n",
    b"GIF89a",
    b"RIFF\x24\x00\x00\x00WEBPVP8 ",
    b"%PDF-1.4",
    b"<svg>",
    b"MZ",
]
FILES = (
    st.binary(max_size=2_000)
    | st.tuples(st.sampled_from(STARTS), st.binary(max_size=300)).map(b"".join)
    | st.tuples(st.integers(0, len(PICTURE) - 1), st.binary(min_size=1, max_size=4)).map(
        lambda at: PICTURE[: at[0]] + at[1] + PICTURE[at[0] + len(at[1]) :]
    )
    | st.integers(0, len(PICTURE)).map(lambda end: PICTURE[:end])
)
UPLOADS = ["upload", "upload a photo", "upload a group's photo", "profile", "a group's profile", "setgroup"]


@settings(max_examples=100 * TIMES, deadline=None)
@given(
    data=FILES,
    name=HEADER | st.text(),
    what=st.sampled_from(UPLOADS),
    field=st.sampled_from(["photo", "file"]),
)
def test_any_file_of_any_name_gets_a_clear_answer(
    target: Target, data: bytes, name: str, what: str, field: str
) -> None:
    fields: dict[str, object] = {"op": "upload" if what.startswith("upload") else what.split()[-1]}
    fields["profile"] = int(what.startswith("upload a"))
    if "group" in what:
        fields["gid"] = target.gid
    answer = _upload(target, fields, data, name, field)
    good = answer["result"] in ("OK", True)
    assert good or answer["error"] in {"BADIMAGE", "TOOLARGE", "MISSINGFILE"}, answer
    if good and answer.get("photo"):
        assert answer["tn"]


def _upload(target: Target, fields: dict[str, object], data: bytes, name: str, field: str) -> dict[str, Any]:
    texts = {**fields, "token": target.ann.token, "m": BOB}
    body = b"".join(part(key, str(value).encode()) for key, value in texts.items())
    clean = name.replace('"', "'").replace("\r", "").replace("\n", "").replace("\\", "/")
    body += part(field, data, clean) + f"--{BOUNDARY}--\r\n".encode()
    answer = target.ask(data=body, content_type=f"multipart/form-data; boundary={BOUNDARY}")
    assert answer is not None
    return answer


def test_a_broken_session_would_be_seen(target: Target) -> None:
    phone = target.product.log_in(BOB)
    other = Target(target.product, phone, phone, target.gid)
    assert other.is_well()
    phone.ok("logout")
    assert not other.is_well()

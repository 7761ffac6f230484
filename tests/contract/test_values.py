"""Section 1 of the contract: lists written out as texts, entries of any type, and what never stops an op."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from tests.product import APPID, Answer, Phone, Product

ANN, BOB, CEE = "919876543210", "919876543211", "919876543212"


@pytest.fixture
def ann(product: Product) -> Phone:
    product.log_in(BOB, name="Bob")
    product.log_in(CEE, name="Cee")
    return product.log_in(ANN, name="Ann")


def send(product: Product, encoding: str, fields: dict[str, Any]) -> Answer:
    if encoding == "query":
        response = product.http.get("/api.php", query_string=fields)
    elif encoding == "json":
        response = product.http.post("/api.php", json=fields)
    else:
        response = product.http.post("/api.php", data=fields, content_type=encoding)
    answer: Answer = msgspec.json.decode(response.data)
    return answer


ENCODINGS = ("query", "json", "multipart/form-data", "application/x-www-form-urlencoded")
ARRAYS = [
    json.dumps([BOB, CEE]),
    json.dumps([int(BOB), int(CEE)]),
    f' [ "+{BOB}" , null, {{}}, true, "{CEE}" ] ',
    json.dumps([f"{BOB},{CEE}"]),
    json.dumps(["no number", f" 00{BOB} ", CEE, "\ud800", ["x"]]),
]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_array_written_out_is_a_list(product: Product, ann: Phone, encoding: str) -> None:
    for written in ARRAYS:
        answer = send(product, encoding, {"op": "getcontacts", "token": ann.token, "phones": written})
        assert sorted(entry["phone"] for entry in answer["contacts"]) == [BOB, CEE], written
        fields = {"op": "setgroup", "token": ann.token, "name": written, "m": written}
        assert send(product, encoding, fields)["members"] == f"1:{ANN},{BOB},{CEE}"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_empty_array_written_out_counts_as_absent(product: Product, ann: Phone, encoding: str) -> None:
    gid = ann.ok("setgroup", name="g", m=f"{BOB},{CEE}")["gid"]
    ann.ok("getcontacts", phones=BOB)
    for written in ("[]", " [ ] "):
        fields: dict[str, object] = {"token": ann.token, "phones": written, "m": written}
        answer = send(product, encoding, {**fields, "op": "getcontacts", "ts": 0})
        assert {entry["phone"] for entry in answer["contacts"]} == {
            BOB,
            "",
        }  # as without phones: the group too
        answer = send(product, encoding, {**fields, "op": "setgroup", "gid": gid, "name": "h"})
        assert answer["members"] == f"1:{ANN},{BOB},{CEE}"
        answer = send(product, encoding, {**fields, "op": "editmembers", "gid": gid})
        assert (answer["error"], answer["properties"]) == ("MISSINGPARA", ["m"])


def test_every_one_of_a_repeated_field_may_be_an_array(product: Product, ann: Phone) -> None:
    fields = {"op": "getcontacts", "token": ann.token, "phones[]": [f'["{BOB}"]', CEE, "[]"]}
    answer = send(product, "application/x-www-form-urlencoded", fields)
    assert sorted(entry["phone"] for entry in answer["contacts"]) == [BOB, CEE]


def test_what_only_begins_like_an_array_is_read_as_numbers(product: Product, ann: Phone) -> None:
    for phones in (f"[,{BOB}", f'["{BOB}",{BOB}', "[" * 5000 + f",{BOB}"):
        answer = ann.ok("getcontacts", phones=phones)
        assert [entry["phone"] for entry in answer["contacts"]] == [BOB], phones[:20]


def test_entries_of_no_use_are_passed_over_whatever_their_type(product: Product, ann: Phone) -> None:
    junk = [None, True, 1.5, 10**30, {}, {"a": 1}, [], ["x"], "", "\x00", "a\x00b", " "]
    fields: dict[str, Any] = {"token": ann.token, "phones": [*junk, BOB, *junk], "m": [*junk, CEE]}
    answer = send(product, "json", {**fields, "op": "getcontacts"})
    assert [entry["phone"] for entry in answer["contacts"]] == [BOB]
    answer = send(product, "json", {**fields, "op": "setgroup", "name": "g"})
    assert answer["members"] == f"1:{ANN},{CEE}"


PREFERENCES: list[object] = [
    "x" * 36,
    "de-" + "x" * 5000,
    "und-u-mu-celsius-" * 9,
    ["de"],
    {"a": 1},
    None,
    7,
    "\x00",
]


@pytest.mark.parametrize("encoding", ["json", "application/x-www-form-urlencoded"])
def test_a_preference_never_stops_an_op(product: Product, ann: Phone, encoding: str) -> None:
    for value in PREFERENCES:
        if value is None and encoding != "json":
            continue
        preferences = {"lang": value, "channel": value, "d": value, "v": value, "mid": value}
        product.clock.advance(3600)
        for fields in ({"op": "login", "phone": "14155550123", "appid": APPID}, {"op": "loginui"}):
            assert send(product, encoding, {**preferences, **fields})["result"] == "OK", value
        sync = {"op": "getcontacts", "token": ann.token, "hidden": value, **preferences}
        assert send(product, encoding, sync)["result"] == "OK", value


def test_a_long_language_is_known_by_its_beginning(product: Product) -> None:
    answer = product.call("login", phone="1", appid=APPID, lang="de-DE-u-fw-mon-hc-h23-mu-celsius-ms-metric")
    assert answer["errtitle"] == "Telefonnummer"

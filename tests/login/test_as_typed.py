"""A code is read from what people type and apps send."""

from __future__ import annotations

import io
import json
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from messenger_api.domain.codes import Number, read_code
from tests.product import APPID, Answer, Product

ANA, NEW = "14155550101", "4915112345678"

ZEROS = [chr(point) for point in range(0x110000) if unicodedata.decimal(chr(point), None) == 0]
BETWEEN = [
    *" \t\n\r\u00a0\u2002\u2007\u2009\u200a\u202f\u205f\u3000\u1680\u2028\u2029",
    *"-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d\u2796\u30fc\u058a",
    *".\u00b7\u2024\u3002\uff0e\u06d4\u2026,",
    *"\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
    *"\u200b\u200c\u200d\u2060\ufeff\u00ad\ufe0f\u20e3",
]
BETWEEN.remove("\u30fc")  # a letter: it lengthens a vowel


def written(code: str, zero: str) -> str:
    return "".join(chr(ord(zero) + int(digit)) for digit in code)


@given(
    code=st.from_regex(r"[0-9]{6}", fullmatch=True),
    zero=st.sampled_from(ZEROS),
    between=st.lists(st.text(BETWEEN, max_size=3), min_size=7, max_size=7),
)
def test_digits_of_every_script_are_read_whatever_stands_between_them(
    code: str, zero: str, between: list[str]
) -> None:
    digits = written(code, zero)
    typed = "".join(gap + digit for gap, digit in zip(between, [*digits, ""], strict=True))
    assert read_code(typed, 6) == code


@given(st.text())
def test_what_is_read_as_a_code_has_digits_alone_or_is_what_was_typed(typed: str) -> None:
    found = read_code(typed, 6)
    assert (found.isascii() and found.isdigit()) or found == typed.strip()


@pytest.mark.parametrize("typed", ["abc", "12345a", "o12345", "①②③④⑤⑥", "²³¹²³¹", "Ⅻ", "+123456", "1,2=3"])
def test_what_has_other_signs_is_no_code(typed: str) -> None:
    assert read_code(typed, 6) == typed


@pytest.mark.parametrize(
    ("number", "code"), [("85572", "085572"), ("0", "000000"), ("123456", "123456"), ("1234567", "1234567")]
)
def test_a_number_is_padded_and_a_text_is_not(number: str, code: str) -> None:
    assert read_code(Number(number), 6) == code
    assert read_code(number, 6) == number


# --- At the edge

Send = Callable[[Product, dict[str, Any]], TestResponse]


def by_form(product: Product, fields: dict[str, Any]) -> TestResponse:
    return product.http.post(
        "/api.php", data=urlencode(fields), content_type="application/x-www-form-urlencoded"
    )


def by_multipart(product: Product, fields: dict[str, Any]) -> TestResponse:
    return product.http.post("/api.php", data={**fields, "file": (io.BytesIO(b"x"), "x.txt")})


def by_query(product: Product, fields: dict[str, Any]) -> TestResponse:
    return product.http.get("/api.php", query_string=urlencode(fields))


def by_json(product: Product, fields: dict[str, Any]) -> TestResponse:
    return product.http.post("/api", data=json.dumps(fields))


WAYS = [by_form, by_multipart, by_query, by_json]


def log_in(product: Product, send: Send, phone: str, secret: object, name: str = "otp") -> Answer:
    fields = {"op": "login", "phone": phone, "appid": APPID, name: secret}
    answer: Answer = send(product, fields).get_json()
    return answer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tmp_path_factory.mktemp("typed")


@pytest.fixture(scope="module")
def product(folder: Any) -> Iterator[Product]:
    made = Product(f"sqlite:///{folder / 'm.sqlite3'}", folder, limits="off")
    yield made
    made.close()


def asked(product: Product, phone: str = ANA) -> str:
    product.ok("login", phone=phone, appid=APPID)
    return product.code(phone)


@pytest.mark.parametrize(("send", "name"), [*zip(WAYS, ["otp", "code", "code", "otp"], strict=True)])
@pytest.mark.parametrize(
    "typing",
    [
        lambda code: written(code, "\u0660"),
        lambda code: written(code, "\u06f0"),
        lambda code: written(code, "\u0966"),
        lambda code: written(code, "\uff10"),
        lambda code: f"{code[:3]} {code[3:]}",
        lambda code: f"\u200f{code}\u200e",
        lambda code: f"\u2068{written(code, chr(0x660))}\u2069",
        lambda code: f"{code[:3]}\u2013{code[3:]}.",
        lambda code: "\u00a0".join(code),
    ],
)
def test_a_code_logs_in_however_it_is_typed(
    product: Product, send: Send, name: str, typing: Callable[[str], str]
) -> None:
    assert log_in(product, send, ANA, typing(asked(product)), name)["result"] == "OK"


def test_a_code_moves_an_account_however_it_is_typed(product: Product) -> None:
    phone = product.log_in(ANA)
    phone.ok("changenumber", phone=NEW)
    typed = f"\u200f{written(product.code(NEW), chr(0x660))}"
    assert phone.ok("changenumber", phone=NEW, otp=typed)["phone"] == NEW


@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
@pytest.mark.parametrize("send", WAYS)
def test_a_blank_code_is_none_and_asks_for_one(product: Product, send: Send, blank: str) -> None:
    answer = log_in(product, send, ANA, blank)
    assert (answer["result"], "token" in answer) == ("OK", False)


@pytest.mark.parametrize("shown", ["abc", "-", "\u200f", "12345", "1234567"])
def test_what_is_no_code_is_a_wrong_one_and_sends_nothing(product: Product, shown: str) -> None:
    asked(product)
    texts = len(product.sandbox.store.texts())
    assert log_in(product, by_json, ANA, shown)["error"] == "BADCODE"
    assert len(product.sandbox.store.texts()) == texts

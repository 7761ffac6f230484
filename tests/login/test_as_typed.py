"""A code is read from what people type and apps send; a password stays exactly as it was typed."""

from __future__ import annotations

import io
import json
import unicodedata
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from argon2 import PasswordHasher
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from messenger_api.cli import main
from messenger_api.domain.codes import Number, read_code
from messenger_api.services.login.passwords import PasswordMethod
from tests.product import APPID, Answer, Product

ANA, NEW = "14155550101", "4915112345678"

# The digits of a script stand in a row.
ZEROS = st.characters(categories=["Nd"]).map(lambda digit: chr(ord(digit) - unicodedata.decimal(digit)))
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
    zero=ZEROS,
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


@pytest.mark.parametrize("name", ["otp", "code"])
@pytest.mark.parametrize("code", ["085572", "000007", "000000", "123456"])
@pytest.mark.parametrize("as_number", [int, float])
def test_a_json_number_has_lost_its_zeros_in_front(
    product: Product, monkeypatch: pytest.MonkeyPatch, name: str, code: str, as_number: type
) -> None:
    monkeypatch.setattr("messenger_api.domain.secrets.new_code", lambda _length: code)
    asked(product)
    assert log_in(product, by_json, ANA, as_number(code), name)["result"] == "OK"


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


# --- Passwords

PASSWORDS = [
    "ends with a blank ",
    " begins with one",
    "  two at both ends  ",
    "tab\tand newline\n",
    "\u3000ideographic\u3000",
    "١٢٣٤٥٦٧٨",
    "123 456 78",
    '["looks","like a list"]',
    "[]brackets",
    "null and \u200f marks",
    "plus + and %20 and &=",
    "        ",
]


@pytest.fixture(scope="module")
def guarded(folder: Any) -> Iterator[Product]:
    quick = partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("argon2.PasswordHasher", quick)
        yield from _guarded(folder)


def _guarded(folder: Any) -> Iterator[Product]:
    made = Product(
        f"sqlite:///{folder / 'p.sqlite3'}", folder, login_method="password", limits="off", login_timeout=20
    )
    yield made
    made.close()


def set_password(product: Product, password: str) -> None:
    PasswordMethod(product.services.settings, product.services.database).set("ana", password)


@pytest.mark.parametrize("send", WAYS)
@pytest.mark.parametrize("password", PASSWORDS)
def test_a_password_logs_in_as_it_was_typed_and_no_other_way(
    guarded: Product, send: Send, password: str
) -> None:
    set_password(guarded, password)
    assert log_in(guarded, send, "ana", password)["result"] == "OK"
    other = password.strip() if password != password.strip() else f"{password} "
    assert "token" not in log_in(guarded, send, "ana", other)


@pytest.mark.parametrize(
    ("sent", "password"),
    [(12345678, "12345678"), (-12345678, "-12345678"), (10**25, "1" + "0" * 25), (1234567.5, "1234567.5")],
)
def test_a_json_number_is_the_password_of_those_digits(guarded: Product, sent: object, password: str) -> None:
    set_password(guarded, password)
    assert log_in(guarded, by_json, "ana", sent)["result"] == "OK"


@pytest.mark.parametrize(
    ("password", "options"), [("ends with a blank ", ["--stdin"]), ("  both ends\t", [])]
)
def test_a_password_is_set_as_it_was_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, password: str, options: list[str]
) -> None:
    uri, key = f"sqlite:///{tmp_path / 'm.sqlite3'}", "a test's own secret key"
    keys = {"LOGIN_METHOD": "password", "SECRET_KEY": key, "INSTANCE_PATH": str(tmp_path), "SANDBOX": "true"}
    for name, value in {**keys, "SQLALCHEMY_DATABASE_URI": uri}.items():
        monkeypatch.setenv(f"MESSENGER_{name}", value)
    typed = f"{password}\n" * (1 if options else 2)
    done = CliRunner().invoke(main, ["users", "password", "ana", *options], input=typed)
    assert done.exit_code == 0, done.output
    product = Product(uri, tmp_path, login_method="password")
    assert log_in(product, by_form, "ana", password)["result"] == "OK"
    product.close()


def test_letters_composed_otherwise_do_not_make_a_password_too_long(guarded: Product) -> None:
    set_password(guarded, "ä" * 128)
    assert log_in(guarded, by_json, "ana", "a\u0308" * 128)["result"] == "OK"
    set_password(guarded, "a\u0308" * 128)
    assert log_in(guarded, by_json, "ana", "ä" * 128)["result"] == "OK"

"""Section 1 of the contract: a body is read whatever its label, its characters and its packing.

What cannot be read is told so, in JSON.
"""

from __future__ import annotations

import gzip
import io
import json
import time
import zlib
from typing import Any

import msgspec
import pytest

from tests.product import Answer, Phone, Product, jpeg

ANN, BOB, CEE = "919876543210", "919876543211", "919876543212"
FORM = "application/x-www-form-urlencoded"
B = "xyz"
PARTS = f"multipart/form-data; boundary={B}"


@pytest.fixture
def ann(product: Product) -> Phone:
    return product.log_in(ANN, name="Ann")


def post(product: Product, data: bytes, label: str | None = FORM, **more: Any) -> Answer:
    response = product.http.post("/api.php", data=data, content_type=label, **more)
    assert response.status_code == 200
    answer: Answer = msgspec.json.decode(response.data)
    return answer


def refused(answer: Answer) -> bool:
    return (answer["result"], answer.get("error"), answer.get("properties")) == ("FAIL", "BADVALUE", ["body"])


def named(ann: Phone, name: bytes) -> bytes:
    return b"op=profile&token=%s&name=%s" % (ann.token.encode(), name)


def part(name: str, value: bytes, more: str = "") -> bytes:
    head = f'--{B}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode("latin-1") + value + b"\r\n"


# Characters

LABELLED = [
    ("José", "iso-8859-1"), ("José – €", "windows-1252"), ("Łódź", "iso-8859-2"), ("Łódź", "windows-1250"),
    ("Привет", "windows-1251"), ("Привет", "KOI8-R"), ("日本", "Shift_JIS"), ("日本", "euc-jp"),
    ("中文", "gbk"), ("한국", "euc-kr"), ("José 😀", "utf-8"), ("Ærø", "ISO-8859-15"),
    ("José", '"ISO-8859-1"'),
]  # fmt: skip


@pytest.mark.parametrize(("name", "charset"), LABELLED)
def test_a_form_is_read_in_the_charset_of_its_label(
    product: Product, ann: Phone, name: str, charset: str
) -> None:
    raw = name.encode(charset.strip('"'))
    percent = b"".join(b"%%%02X" % byte for byte in raw)
    label = f"{FORM}; charset={charset}"
    assert post(product, named(ann, percent), label)["name"] == name
    assert post(product, named(ann, raw), label)["name"] == name
    body = part("op", b"profile") + part("token", ann.token.encode()) + part("name", raw) + b"--xyz--\r\n"
    assert post(product, body, f"{PARTS}; charset={charset}")["name"] == name
    text = json.dumps({"op": "profile", "token": ann.token, "name": name}, ensure_ascii=False)
    label = f"application/json; charset={charset}"
    assert post(product, text.encode(charset.strip('"')), label)["name"] == name


@pytest.mark.parametrize("name", ["José", "François", "Ærø", "x é", "naïve à ça"])
def test_bytes_that_are_no_utf8_are_western(product: Product, ann: Phone, name: str) -> None:
    raw = name.encode("cp1252")
    percent = b"".join(b"%%%02X" % byte for byte in raw)
    for label in (FORM, None, "text/plain", f"{FORM}; charset=utf-8", f"{FORM}; charset=nosuch"):
        assert post(product, named(ann, percent), label)["name"] == name
        assert post(product, named(ann, raw), label)["name"] == name
    address = f"/api.php?{named(ann, percent).decode()}"
    assert msgspec.json.decode(product.http.get(address).data)["name"] == name
    body = part("op", b"profile") + part("token", ann.token.encode()) + part("name", raw) + b"--xyz--\r\n"
    assert post(product, body, PARTS)["name"] == name


def test_utf8_under_a_western_label_stays_utf8(product: Product, ann: Phone) -> None:
    for name in ("José", "日本 😀"):
        assert post(product, named(ann, name.encode()), f"{FORM}; charset=ISO-8859-1")["name"] == name


def test_a_character_that_was_cut_costs_no_other(product: Product, ann: Phone) -> None:
    assert post(product, named(ann, "Zoë 😀".encode()[:-2]))["name"] == "Zoë \ufffd"
    assert post(product, named(ann, b"a%ED%A0%BDb"))["name"] == "a\ufffdb"
    assert post(product, named(ann, b"%ED%A0%BD%ED%B8%80"))["name"] == "😀"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be", "utf-8-sig"])
def test_json_and_forms_in_wide_characters_are_read(product: Product, ann: Phone, encoding: str) -> None:
    text = json.dumps({"op": "profile", "token": ann.token, "name": "José 😀"}, ensure_ascii=False)
    for label in ("application/json", None, "application/json; charset=utf-16"):
        assert post(product, text.encode(encoding), label)["name"] == "José 😀"
    for label in (FORM, f"{FORM}; charset={encoding}", f"{FORM}; charset=utf-16"):
        assert post(product, named(ann, b"Ann Lee").decode().encode(encoding), label)["name"] == "Ann Lee"


def test_half_a_character_in_wide_json_is_lost_alone(product: Product, ann: Phone) -> None:
    text = json.dumps({"op": "profile", "token": ann.token, "name": "a HALF"}).replace("HALF", "\ud83d")
    body = b"\xff\xfe" + text.encode("utf-16-le", "surrogatepass")
    assert post(product, body, "application/json")["name"] == "a \ufffd"


def test_a_files_name_may_be_in_any_characters(product: Product, ann: Phone) -> None:
    for name in ("José.jpg", "\xff\xfe.jpg"):
        body = part("op", b"upload") + part("token", ann.token.encode()) + part("profile", b"1")
        body += part("photo", jpeg(), f'; filename="{name}"') + b"--xyz--\r\n"
        assert post(product, body, PARTS)["result"] == "OK"


# Labels and boundaries


def test_json_and_parts_are_known_by_the_body_whatever_the_label(product: Product, ann: Phone) -> None:
    fields = {"op": "profile", "token": ann.token, "name": "--xyz\r\n"}
    for label in (PARTS, "multipart/form-data", FORM, None):
        assert post(product, json.dumps(fields).encode(), label)["name"] == "--xyz"
    body = part("op", b"profile") + part("token", ann.token.encode()) + part("name", b"Zed") + b"--xyz--\r\n"
    for label in (
        "multipart/form-data",
        "multipart/form-data; boundary=other",
        FORM,
        "application/json",
        None,
    ):
        assert post(product, body, label)["name"] == "Zed"
        assert post(product, b"\r\n" + body, label)["name"] == "Zed"
    assert post(product, b"op=profile&name=Eve&token=" + ann.token.encode(), PARTS)["name"] == "Eve"


ENDS = [b"", b"--xyz", b"--xyz-", b"--xyz--", b"--xyz--\r\nepilogue" * 3, b"--xyz\r\n"]


@pytest.mark.parametrize("end", ENDS)
def test_a_missing_last_boundary_is_no_fault(product: Product, ann: Phone, end: bytes) -> None:
    body = part("op", b"upload") + part("token", ann.token.encode()) + part("profile", b"1")
    photo = post(product, body + part("photo", jpeg(), '; filename="a.jpg"') + end, PARTS)
    assert photo["result"] == "OK"
    body = part("op", b"profile") + part("token", ann.token.encode()) + part("name", b"Zed")
    assert post(product, body + end, PARTS)["name"] == "Zed"
    assert post(product, (body + end).removesuffix(b"\r\n"), PARTS)["name"] == "Zed"


def test_a_body_that_ends_within_a_head_is_refused(product: Product) -> None:
    body = part("op", b"loginui") + b"--xyz\r\nContent-Disposition: form-data; na"
    assert refused(post(product, body, PARTS))


# Brackets


def test_only_lists_may_have_brackets(product: Product, ann: Phone) -> None:
    token = ann.token
    for body in (f"token={token}&token[]=x", f"token[]=x&token={token}", f"token={token}&op[]=logout"):
        assert post(product, f"op=profile&{body}".encode())["result"] == "OK"
    fields = {"op": "profile", "token": token, "token[]": ["x"], "name": "A", "name[]": "B", "op[]": "logout"}
    assert post(product, json.dumps(fields).encode())["name"] == "A"
    response = product.http.get(f"/api.php?op=profile&token={token}&token[]=x&name=C&name[]=D")
    assert msgspec.json.decode(response.data)["name"] == "C"


# Packing


def packed(data: bytes, how: str) -> bytes:
    if how == "raw":
        packing = zlib.compressobj(wbits=-15)
        return packing.compress(data) + packing.flush()
    return gzip.compress(data) if how == "gzip" else zlib.compress(data)


@pytest.mark.parametrize(
    ("encoding", "how"),
    [
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("GZIP", "gzip"),
        ("deflate", "zlib"),
        ("deflate", "raw"),
        ("", "gzip"),
    ],
)
def test_a_packed_body_is_unpacked(product: Product, ann: Phone, encoding: str, how: str) -> None:
    headers = {"Content-Encoding": encoding} if encoding else {}
    name = "Zoë" * 20
    fields = {"op": "profile", "token": ann.token, "name": name}
    for body, label in ((json.dumps(fields).encode(), "application/json"), (named(ann, name.encode()), FORM)):
        assert post(product, packed(body, how), label, headers=headers)["name"] == name
    body = part("op", b"upload") + part("token", ann.token.encode()) + part("profile", b"1")
    body += part("photo", jpeg(), '; filename="a.jpg"') + b"--xyz--\r\n"
    assert post(product, packed(body, how), PARTS, headers=headers)["result"] == "OK"


def test_gzip_in_several_pieces_is_read_to_its_end(product: Product, ann: Phone) -> None:
    body = named(ann, b"Ann Lee")
    for step in (len(body) // 15 + 1, 40, len(body) - 1):
        pieces = [gzip.compress(body[at : at + step]) for at in range(0, len(body), step)]
        assert post(product, b"".join(pieces), headers={"Content-Encoding": "gzip"})["name"] == "Ann Lee"


def test_gzip_in_pieces_without_end_is_refused_and_costs_little(product: Product) -> None:
    assert refused(post(product, gzip.compress(b"") * 40_000, headers={"Content-Encoding": "gzip"}))
    bomb = gzip.compress(b"x" * 12_000_000)
    answer = post(product, bomb * 4, headers={"Content-Encoding": "gzip"})
    assert answer["error"] == "TOOLARGE"


def test_a_number_that_is_beyond_any_range_is_one_fields_fault(product: Product, ann: Phone) -> None:
    head = f'{{"op":"getcontacts","token":"{ann.token}",'
    for number in ("1e999", "-1e400", "9" * 5000, "9" * 41, "1" + "0" * 308):
        assert post(product, f'{head}"lang":{number}}}'.encode(), "application/json")["result"] == "OK"
        entries = f'"phones":[{number},"919876543211"]}}'
        assert post(product, (head + entries).encode(), "application/json")["result"] == "OK"
        answer = post(product, f'{head}"ts":{number}}}'.encode(), "application/json")
        assert (answer["error"], answer["properties"]) == ("BADVALUE", ["ts"])
    for beside in ("NaN", "Infinity", "1e999,}", "01", "[1e999"):
        answer = post(product, f'{head}"ts":1e999,"lang":{beside}}}'.encode(), "application/json")
        assert answer["properties"] == ["body"], beside


def test_a_body_that_somebody_unpacked_on_the_way_is_read(product: Product) -> None:
    for encoding in ("gzip", "identity", "", " , identity"):
        assert post(product, b"op=loginui", headers={"Content-Encoding": encoding})["ui"] == "0"


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "x" * 9999])
def test_where_no_body_came_its_encoding_says_nothing_and_the_query_is_answered(
    product: Product, encoding: str
) -> None:
    headers, query = {"Content-Encoding": encoding}, "/api.php?op=loginui"
    assert product.http.get(query, headers=headers).get_json()["ui"] == "0"
    assert product.http.post(query, data=b"", headers=headers).get_json()["ui"] == "0"


def test_what_cannot_be_unpacked_is_refused(product: Product) -> None:
    whole = gzip.compress(b"op=loginui")
    for encoding, body in (
        ("gzip", whole[:-9]), ("gzip", whole[:12]), ("gzip", whole[:10] + b"\xff" * 9), ("br", b"\x0b\x05"),
        ("zstd", b"op=loginui"), ("gzip, gzip", gzip.compress(whole)), ("deflate", b"\xff\xff\xff"),
        ("x" * 9999, whole),
    ):  # fmt: skip
        assert refused(post(product, body, headers={"Content-Encoding": encoding})), encoding


@pytest.mark.parametrize(
    ("how", "label"), [("gzip", "application/json"), ("gzip", PARTS), ("zlib", FORM), ("raw", FORM)]
)
def test_a_bomb_is_refused_and_costs_little(product: Product, how: str, label: str) -> None:
    headers = {"Content-Encoding": "gzip" if how == "gzip" else "deflate"}
    start = b"--xyz\r\n" if label == PARTS else b'{"op": "' if "json" in label else b"op=loginui&d="
    bomb = packed(start + b"0" * 60_000_000, how)
    assert len(bomb) < 300_000
    started = time.process_time()
    answer = post(product, bomb, label, headers=headers)
    spent = time.process_time() - started
    assert (answer["result"], answer["error"]) == ("FAIL", "TOOLARGE")
    assert spent < 1


# Parts


def cost(product: Product, body: bytes, label: str = PARTS) -> float:
    started = time.process_time()
    answer = post(product, body, label)
    spent = time.process_time() - started
    assert answer["result"] == "FAIL"
    assert answer["error"] in ("TOOLARGE", "BADVALUE")
    return spent


MANY = 59_000
HOSTILE = {
    "many fields": part("a", b"") * MANY,
    "many files": part("a", b"x", '; filename="a"') * MANY,
    "many parts without a name": b"--xyz\r\nContent-Disposition: form-data\r\n\r\n\r\n" * MANY,
    "many heads": (b"--xyz\r\n" + b"A: b\r\n" * 300 + part("a", b"").removeprefix(b"--xyz\r\n")) * 500,
    "many parameters": (b"--xyz\r\nContent-Disposition: form-data" + b"; a=b" * 380 + b'\r\n\r\n\r\n') * 500,
    "many continued parameters": part("a", b"", "".join(f"; n*{i}=a" for i in range(200))) * 500,
    "a head without end": b"--xyz\r\n" + b"A" * 3_000_000,
    "a head of many lines": b"--xyz\r\n" + b"A: b\r\n" * 400_000,
    "one long head": part("a", b"", "; a=b" * 500_000),
    "a field without end": part("a", b"x" * 3_000_000),
    "line ends without a boundary": part("a", b"\r\n" * 1_000_000),
    "almost boundaries": part("a", b"\r\n--xy" * 300_000),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_parts_are_refused_at_once(product: Product, what: str) -> None:
    # What a stranger's bytes cost beside the same number of bytes in one file.
    plain = part("op", b"upload") + part("f", b"x" * len(HOSTILE[what]), '; filename="a"') + b"--xyz--\r\n"
    started = time.process_time()
    post(product, plain, PARTS)
    usual = time.process_time() - started
    assert cost(product, HOSTILE[what]) < 10 * usual + 0.3


def test_as_many_numbers_as_ios_sends_fit_into_parts(product: Product, ann: Phone) -> None:
    product.log_in(BOB)
    numbers = [BOB, *(f"9177{index:08}" for index in range(199))]
    body = part("op", b"getcontacts") + part("token", ann.token.encode())
    body += b"".join(part("phones[]", number.encode()) for number in numbers) + b"--xyz--\r\n"
    assert [entry["phone"] for entry in post(product, body, PARTS)["contacts"]] == [BOB]


def test_the_first_file_counts_and_an_empty_choice_is_none(product: Product, ann: Phone) -> None:
    fields = {"op": "upload", "token": ann.token, "profile": "1"}
    files = [
        ("a", (io.BytesIO(b""), "")),
        ("b", (io.BytesIO(jpeg()), "b.jpg")),
        ("c", (io.BytesIO(b"x"), "c")),
    ]
    response = product.http.post("/api.php", data={**fields, **dict(files)})
    assert msgspec.json.decode(response.data)["result"] == "OK"

"""Section 1 of the contract: every encoding that an app uses means the same, and every answer is JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import product as pairs
from typing import Any
from urllib.parse import quote, quote_plus

import msgspec
import pytest

from tests.product import Answer, Phone, Product, jpeg

URLS = ("/api.php", "/api", "/")
NOOP = b'{"code": "NOOP", "result": "FAIL"}'
ANN, BOB, CEE = "919876543210", "919876543211", "919876543212"


@pytest.fixture
def ann(product: Product) -> Phone:
    """Somebody who is logged in, with two accounts to find."""
    product.log_in(BOB, name="Bob")
    product.log_in(CEE, name="Cee")
    return product.log_in(ANN, name="Ann")


def send(product: Product, url: str = "/api.php", method: str = "POST", **request: Any) -> Answer:
    """Make a request as given; whatever comes back is one JSON object with the promised headers."""
    response = product.http.open(url, method=method, **request)
    assert response.status_code == 200
    assert response.content_type == "application/json; charset=utf-8"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "no-store" in response.headers["Cache-Control"]
    assert "no-cache" in response.headers["Cache-Control"]
    assert response.headers["Pragma"] == "no-cache"
    answer = msgspec.json.decode(response.data)
    assert isinstance(answer, dict)
    return answer


def found(answer: Answer) -> list[str]:
    assert answer["result"] == "OK", answer
    return sorted(entry["phone"] for entry in answer["contacts"])


def sync(phone: Phone, phones: object = f"{BOB},{CEE}") -> dict[str, object]:
    return {"op": "getcontacts", "token": phone.token, "ts": "0", "phones": phones}


# The encodings, each at each of the three addresses


def test_a_get_query(product: Product, ann: Phone) -> None:
    for url in URLS:
        assert found(send(product, url, "GET", query_string=sync(ann))) == [BOB, CEE]


def test_a_form(product: Product, ann: Phone) -> None:
    for url in URLS:
        assert found(send(product, url, data=sync(ann))) == [BOB, CEE]


def test_a_multipart_form(product: Product, ann: Phone) -> None:
    for url in URLS:
        answer = send(product, url, data=sync(ann), content_type="multipart/form-data")
        assert found(answer) == [BOB, CEE]


def test_json(product: Product, ann: Phone) -> None:
    for url in URLS:
        assert found(send(product, url, json=sync(ann))) == [BOB, CEE]


def test_json_without_content_type_as_the_swift_app_posts_it(product: Product, ann: Phone) -> None:
    for url in URLS:
        answer = send(product, url, data=json.dumps(sync(ann)).encode(), content_type=None)
        assert found(answer) == [BOB, CEE]


LABELS = (
    *(None, "", "text/plain", "text/plain;charset=UTF-8", "application/json; charset=utf-8"),
    *("application/x-www-form-urlencoded", "application/octet-stream", "no/such; thing=="),
)


def test_json_is_known_by_its_body_whatever_its_label(product: Product) -> None:
    for label, before in pairs(LABELS, (b"", b" \r\n\t", b"\xef\xbb\xbf", b"\xef\xbb\xbf \n")):
        body = before + b'{"op": "LoginUI", "d": 1, "v": "2"}\n'
        answer = send(product, data=body, content_type=label)
        assert (answer["op"], answer["ui"], answer["result"]) == ("loginui", "0", "OK"), (label, before)


def test_a_form_is_read_without_content_type_too(product: Product) -> None:
    assert send(product, data=b"op=loginui&d=1", content_type=None)["ui"] == "0"


def test_a_form_is_known_by_its_body_whatever_its_label(product: Product) -> None:
    for label in ("application/json", "multipart/form-data", "multipart/form-data; boundary=x", "text/plain"):
        assert send(product, data=b"op=loginui&d=a%20b", content_type=label)["ui"] == "0"
    for neither in (b"[1]", b'"op=loginui"', b"true", b"\x00\x01=", b"<op>"):
        answer = send(product, data=neither, content_type="application/json")
        assert (answer["result"], answer["error"], answer["properties"]) == ("FAIL", "BADVALUE", ["body"])


def test_broken_json_is_answered_with_json(product: Product) -> None:
    for body in (b"{", b'{"op": "loginui",}', b'{"op": "\xff"}', b"{" * 5000):
        answer = send(product, data=body, content_type="application/json")
        assert (answer["result"], answer["error"]) == ("FAIL", "BADVALUE")


def test_a_broken_multipart_body_is_answered_with_json(product: Product) -> None:
    for body in (b"--x\r\nbroken", b"", b"\x00\xff", b"--x--"):
        answer = send(product, data=body, content_type="multipart/form-data; boundary=x")
        assert answer["result"] == "FAIL"
        assert answer.get("error") or answer.get("code") == "NOOP"


def test_a_body_that_is_too_large_is_answered_with_json(make_product: Callable[..., Product]) -> None:
    product = make_product(max_upload_bytes=1024)
    large = "x" * (2 * 1024 * 1024)
    for request in ({"data": {"op": large}}, {"json": {"op": large}}, {"data": large.encode()}):
        answer = send(product, **request)
        assert (answer["result"], answer["error"]) == ("FAIL", "TOOLARGE")
    part = f'--x\r\nContent-Disposition: form-data; name="op"\r\n\r\n{large}\r\n--x--\r\n'
    answer = send(product, data=part.encode(), content_type="multipart/form-data; boundary=x")
    assert (answer["result"], answer["error"]) == ("FAIL", "TOOLARGE")


def test_a_fault_of_ours_is_answered_with_json(product: Product, ann: Phone) -> None:
    with product.services.database.engine.connect() as connection:
        connection.exec_driver_sql("DROP TABLE contacts")
    answer = send(product, data=sync(ann))
    assert (answer["result"], answer["error"]) == ("FAIL", "TRYLATER")


# Body and query


@pytest.mark.parametrize("encoding", ["data", "json"])
def test_the_body_wins_over_the_query(product: Product, encoding: str) -> None:
    request: dict[str, Any] = {encoding: {"op": "loginui"}}
    answer = send(product, "/api.php?op=nosuch", **request)
    assert (answer["op"], answer["result"]) == ("loginui", "OK")


@pytest.mark.parametrize("encoding", ["data", "json"])
def test_what_the_body_leaves_out_comes_from_the_query(product: Product, ann: Phone, encoding: str) -> None:
    request: dict[str, Any] = {encoding: {"token": ann.token, "phones": BOB}}
    assert found(send(product, "/api.php?op=getcontacts&ts=0", **request)) == [BOB]


def test_the_lists_of_body_and_query_are_not_mixed(product: Product, ann: Phone) -> None:
    answer = send(product, f"/api.php?phones={BOB}", data=sync(ann, CEE))
    assert found(answer) == [CEE]


# Values


def test_a_number_comes_as_text_or_number(product: Product, ann: Phone) -> None:
    for value in ("0", 0, "", 0.0, " 0 "):
        answer = send(product, json={"op": "profile", "token": ann.token, "gid": value, "name": "A"})
        assert (answer["result"], answer["name"]) == ("OK", "A")


def test_a_phone_comes_as_a_number_too(product: Product) -> None:
    fields = {"op": "login", "phone": 919876543210, "appid": "a"}
    assert send(product, json=fields)["result"] == "OK"
    assert send(product, json={**fields, "otp": product.code(ANN)})["phone"] == ANN


def test_a_code_comes_as_a_number_too(product: Product) -> None:
    fields = {"op": "login", "phone": ANN, "appid": "a"}
    send(product, json=fields)
    while product.code(ANN).startswith("0"):  # a number cannot carry the zero
        product.clock.advance(60)
        send(product, json=fields)
    assert send(product, json={**fields, "otp": int(product.code(ANN))})["result"] == "OK"


PHONES: tuple[object, ...] = (
    *([BOB, CEE], [int(BOB), int(CEE)], [f"{BOB},{CEE}"], [f"+{BOB}", f" 00{CEE}"]),
    *(f"{BOB},{CEE}", f" {BOB} , {CEE} ,"),
)


def test_phones_in_json_are_an_array_or_a_comma_separated_text(product: Product, ann: Phone) -> None:
    for phones in PHONES:
        assert found(send(product, json=sync(ann, phones))) == [BOB, CEE]


@pytest.mark.parametrize("name", ["phones", "phones[]"])
def test_phones_may_be_a_repeated_field(product: Product, ann: Phone, name: str) -> None:
    fields = {"op": "getcontacts", "token": ann.token, name: [BOB, CEE]}
    assert found(send(product, method="GET", query_string=fields)) == [BOB, CEE]
    for encoding in ("multipart/form-data", "application/x-www-form-urlencoded"):
        assert found(send(product, data=fields, content_type=encoding)) == [BOB, CEE]


def test_phones_with_brackets_are_an_array_in_json_too(product: Product, ann: Phone) -> None:
    fields = {"op": "getcontacts", "token": ann.token, "phones[]": [BOB, CEE]}
    assert found(send(product, json=fields)) == [BOB, CEE]


def test_members_in_json_are_an_array_or_a_comma_separated_text(product: Product, ann: Phone) -> None:
    for m in ([BOB, CEE], [int(BOB), int(CEE)], f"{BOB},{CEE}", f"{BOB}, {CEE},"):
        answer = send(product, json={"op": "setgroup", "token": ann.token, "gid": 0, "name": "g", "m": m})
        assert answer["members"] == f"1:{ANN},{BOB},{CEE}"


def test_members_may_be_a_repeated_field(product: Product, ann: Phone) -> None:
    for name in ("m", "m[]"):
        answer = send(product, data={"op": "setgroup", "token": ann.token, "name": "g", name: [BOB, CEE]})
        assert answer["members"] == f"1:{ANN},{BOB},{CEE}"


def test_surrounding_spaces_are_trimmed_from_every_value(product: Product, ann: Phone) -> None:
    fields = {"op": " profile ", "token": f" {ann.token}\n", "name": "  Ann Lee\t", "gid": " 0 "}
    answer = send(product, data=fields)
    assert (answer["result"], answer["op"], answer["name"]) == ("OK", "profile", "Ann Lee")


def test_the_op_is_read_in_any_case_and_answered_in_lower_case(product: Product, ann: Phone) -> None:
    for op in ("GETCONTACTS", "GetContacts", "getcontacts"):
        answer = send(product, data={**sync(ann), "op": op})
        assert (answer["result"], answer["op"]) == ("OK", "getcontacts")


# The answer


def test_no_op_is_answered_with_exactly_these_bytes(product: Product) -> None:
    for url, method in pairs(URLS, ("GET", "POST")):
        response = product.http.open(url, method=method)
        assert (response.status_code, response.data) == (200, NOOP)
        assert response.content_type == "application/json; charset=utf-8"
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "no-cache" in response.headers["Cache-Control"]


def test_an_empty_op_is_no_op(product: Product) -> None:
    for body in (b"", b"{}", b"op=", b'{"op": ""}', b'{"op": " "}', b"token=x"):
        assert product.http.post("/api.php", data=body).data == NOOP


def test_only_get_and_post_run_ops(product: Product, ann: Phone) -> None:
    logout = {"op": "logout", "token": ann.token}
    for url in URLS:
        for method in ("GET", "POST"):
            assert send(product, f"{url}?op=loginui", method)["ui"] == "0"
            assert send(product, url, method)["code"] == "NOOP"
        for method in ("PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "get", "X"):
            asked: list[dict[str, Any]] = [{"query_string": logout}, {"data": logout}, {"json": logout}]
            for request in asked:
                response = product.http.open(url, method=method, **request)
                assert (response.status_code, response.data) == (200, NOOP)
    assert found(send(product, data=sync(ann))) == [BOB, CEE]


def test_head_runs_nothing_and_has_no_body(product: Product, ann: Phone) -> None:
    for url in URLS:
        response = product.http.head(url, query_string={"op": "logout", "token": ann.token})
        assert (response.status_code, response.data) == (200, b"")
        assert response.content_type == "application/json; charset=utf-8"
    assert found(send(product, data=sync(ann))) == [BOB, CEE]


def test_a_post_that_belongs_to_no_page_is_the_apis(product: Product) -> None:
    paths = ("/api/", "/api.php/", "//api.php", "/index.php", "/API.PHP", "/x/y/api.php", "/healthz", "/%00")
    for path in paths:
        at: dict[str, Any] = {"environ_overrides": {"PATH_INFO": path}}
        assert send(product, data={"op": "loginui"}, **at)["ui"] == "0"
        assert send(product, json={"op": "loginui"}, **at)["ui"] == "0"
        assert send(product, **at)["code"] == "NOOP"
        assert product.http.options("/", **at).status_code == 204
    for path in ("/api/", "/index.php", "/api.php/", "/x"):
        assert product.http.get(path).status_code == 404
        assert product.http.put(path).status_code == 404


def test_a_post_to_a_page_stays_the_pages(product: Product) -> None:
    assert product.http.post("/sms/receipts/nosuch", data={"op": "loginui"}).status_code == 404


def test_a_failure_is_json_with_status_200_and_open_to_every_origin(product: Product) -> None:
    for op in ("nosuch", "login", "getcontacts", "upload"):
        assert send(product, data={"op": op})["result"] == "FAIL"


def test_a_preflight_is_answered_204_with_the_three_headers(product: Product) -> None:
    for url in URLS:
        asked = {"Origin": "http://localhost:8080", "Access-Control-Request-Method": "POST"}
        headers = {**asked, "Access-Control-Request-Headers": "content-type"}
        response = product.http.options(url, headers=headers)
        assert (response.status_code, response.data) == (204, b"")
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        allowed = response.headers["Access-Control-Allow-Methods"].replace(" ", "").split(",")
        assert {"GET", "POST"} <= set(allowed)
        assert response.headers["Access-Control-Allow-Headers"] == "Content-Type"


@pytest.mark.parametrize("encoding", ["data", "json"])
def test_every_character_of_a_text_comes_back_unharmed(product: Product, ann: Phone, encoding: str) -> None:
    text = 'O\'Neil "x" \\ y 😀 <b>&amp; %NAME% +1 50% a\nb'
    request: dict[str, Any] = {encoding: {"op": "profile", "token": ann.token, "status": text}}
    assert send(product, **request)["status"] == text


# The front page, which shares its address with the API


def test_a_browser_at_the_bare_host_sees_the_front_page(product: Product) -> None:
    response = product.http.get("/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert response.status_code == 200
    assert response.mimetype == "text/html"
    assert b"<html" in response.data


def test_a_browser_that_names_an_op_at_the_bare_host_gets_the_api(product: Product) -> None:
    answer = send(product, "/?op=loginui", "GET", headers={"Accept": "text/html"})
    assert answer["ui"] == "0"


def test_a_browser_at_api_php_sees_noop(product: Product) -> None:
    assert product.http.get("/api.php", headers={"Accept": "text/html"}).data == NOOP


def test_an_app_at_the_bare_host_never_sees_the_front_page(product: Product) -> None:
    for accept in (None, "*/*", "application/json"):
        headers = {"Accept": accept} if accept else {}
        assert product.http.get("/", headers=headers).data == NOOP


# Names and members of groups, which some apps encode twice

NAMES = ["Café x", "50% off", "C++", "Q&A = 1", "a,b", "日本", "50%", "%", "100% + 20%", "x%zz", "100%25"]


@pytest.mark.parametrize("encode", [quote, quote_plus], ids=["quote", "quote_plus"])
def test_a_groups_name_may_be_percent_encoded_twice(
    product: Product, ann: Phone, encode: Callable[..., str]
) -> None:
    for name in NAMES:
        assert ann.ok("setgroup", gid="0", name=encode(name, safe=""))["name"] == name


def test_a_groups_name_that_was_encoded_once_is_left_alone(product: Product, ann: Phone) -> None:
    # "100%25" is what remains of "100%" after one of two encodings, and is read as that.
    for name in NAMES[:-1]:
        assert ann.ok("setgroup", gid="0", name=name)["name"] == name


def test_a_groups_members_may_be_percent_encoded_twice(product: Product, ann: Phone) -> None:
    answer = ann.ok("setgroup", gid="0", name="g", m=quote_plus(f"{BOB},{CEE}"))
    assert answer["members"] == f"1:{ANN},{BOB},{CEE}"


def test_a_photo_comes_with_the_fields_in_one_multipart_body(product: Product, ann: Phone) -> None:
    answer = ann.ok("setgroup", name=quote_plus("Café x"), m=BOB, photo=jpeg())
    assert (answer["name"], answer["photo"][-4:]) == ("Café x", ".jpg")

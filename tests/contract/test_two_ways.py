"""A call of the API is answered with the same bytes through Flask's routes and past them (API_SHORTCUT)."""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from flask import Flask, Response, g, got_request_exception, request
from flask.cli import routes_command
from flask_cors import CORS
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs
from werkzeug.exceptions import Forbidden, TooManyRequests
from werkzeug.test import EnvironBuilder

from messenger_api.domain.errors import TooMany
from tests.examples import examples
from tests.product import Phone, Product, jpeg
from tests.properties.anything import ENCODINGS, encoded
from tests.properties.conftest import NewProduct, new_product

__all__ = ["new_product"]

ANN, BOB = "919876543210", "919876543211"
NOW = 1_800_000_000
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
ADDRESSES = (
    *("/api.php", "/api", "/", "", "//api.php", "/api/", "/index.php", "/API.PHP", "/x/y/api.php"),
    *("/healthz", "/files/x.jpg", "/sms/receipts/nosuch", "/static/icon.svg", "/sandbox/faults", "/%00"),
    *("/ä\n", "/" + "x" * 5000),
)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "x")
# Headers of which each answer has another one.
PASSING = {"Date": "now", "X-Request-ID": "made"}
# Names that the server makes, each time another one.
MADE = re.compile(rb"\d{10}-[0-9a-f]{32}|/files/[\w.-]+")

Sent = tuple[str, list[tuple[str, str]], bytes]


class Ways:
    """One installation twice: its calls pass Flask by, or go through its routes."""

    def __init__(self, product: Product, routed: Product, ann: Phone) -> None:
        self.product, self.routed, self.ann = product, routed, ann

    def __repr__(self) -> str:
        return "Ways()"

    def same(self, path: str = "/api.php", method: str = "POST", **given: Any) -> Sent:
        """The answer to a request, which is the same both ways."""
        overrides = {"PATH_INFO": path.encode().decode("latin-1"), **given.pop("environ_overrides", {})}
        builder = EnvironBuilder("/", method=method, environ_overrides=overrides, **given)
        environ = builder.get_environ()
        body = environ["wsgi.input"].read()
        builder.close()
        short, through = (
            sent(each.app, {**environ, "wsgi.input": io.BytesIO(body)})
            for each in (self.product, self.routed)
        )
        assert short == through
        return short


def sent(app: Flask, environ: dict[str, Any]) -> Sent:
    """What leaves through WSGI: status, headers in their order, body."""
    begun: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> Any:
        begun.append((status, headers))

    pieces: Iterable[bytes] = app(environ, start_response)
    body = b"".join(pieces)
    if close := getattr(pieces, "close", None):
        close()
    [(status, headers)] = begun
    headers = [(name, PASSING.get(name, value)) for name, value in headers]
    return status, headers, MADE.sub(b"made", body)


@pytest.fixture(scope="module")
def ways(new_product: NewProduct) -> Iterator[Ways]:
    product = new_product(limits="off")
    uri = product.services.settings.sqlalchemy_database_uri
    routed = Product(uri, product.services.settings.instance.parent, limits="off", api_shortcut=False)
    ann = product.log_in(ANN, name="Ann")
    for each in (product, routed):
        each.services.database.clock = lambda: NOW
    yield Ways(product, routed, ann)
    routed.close()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", ADDRESSES, ids=lambda path: path[:20])
def test_every_method_at_every_address(ways: Ways, path: str, method: str) -> None:
    for asked in (
        {},
        {"query_string": {"op": "loginui"}},
        {"data": {"op": "loginui"}},
        {"headers": {"Accept": "text/html"}},
        {"headers": {"Accept": "text/html"}, "query_string": {"op": "loginui"}},
    ):
        ways.same(path, method, **asked)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_op_in_every_encoding(ways: Ways, encoding: str) -> None:
    token = ways.ann.token
    for fields in (
        {"op": "loginui"},
        {"op": "login", "phone": "1"},
        {"op": "nosuch"},
        {"op": "getcontacts", "token": token, "ts": 0, "phones": [BOB, ANN]},
        {"op": "getcontacts", "token": token, "ts": "x", "reset": 7},
        {"op": "getcontacts", "token": "no"},
        {"op": "profile", "token": token, "name": "Ann Ü", "lang": "de"},
        {"op": "getgroup", "token": token, "gid": 1},
        {"op": "upload", "token": token},
        {"op": "upload", "auth": token, "profile": 1},
        {"op": "setnotify", "token": token, "notifytoken": "push"},
    ):
        ways.same(**encoded(encoding, fields))


def test_uploads(ways: Ways) -> None:
    token = ways.ann.token
    for fields in ({"token": token}, {"auth": token}, {"auth": token, "profile": "1"}, {"token": "no"}):
        for content in (jpeg(), b"", b"x" * 300_000):
            data = {"op": "upload", **fields, "file": (io.BytesIO(content), "a.jpg")}
            status, _headers, body = ways.same(data=data)
            assert status == "200 OK"
            assert b'"result":' in body


def test_bodies_that_are_broken_packed_chunked_or_too_large(ways: Ways) -> None:
    fields = b'{"op": "loginui"}'
    for body in (fields, b'{"op": ', b"", b"\xff\xfe", b"--x\r\n", b"op=loginui&" + b"x" * 2_000_000):
        for kind in (
            JSON,
            FORM,
            "",
            "multipart/form-data; boundary=x",
            "text/plain; charset=utf-16",
            "x" * 600,
        ):
            ways.same(input_stream=io.BytesIO(body), environ_overrides={"CONTENT_TYPE": kind})
            length = {"CONTENT_TYPE": kind, "CONTENT_LENGTH": str(len(body) + 7)}
            ways.same(input_stream=io.BytesIO(body), environ_overrides=length)
            chunked = {
                "CONTENT_TYPE": kind,
                "HTTP_TRANSFER_ENCODING": "chunked",
                "wsgi.input_terminated": True,
            }
            ways.same(input_stream=io.BytesIO(body), environ_overrides=chunked)
    for packed in (gzip.compress(fields), gzip.compress(fields)[:-4], fields):
        ways.same(data=packed, headers={"Content-Encoding": "gzip"})
    ways.same(environ_overrides={"CONTENT_LENGTH": str(10**12)})


@settings(max_examples=examples(60), deadline=None)
@given(
    body=st.binary(max_size=300),
    kind=st.sampled_from([JSON, FORM, "multipart/form-data; boundary=x", "text/plain; charset=utf-16"]),
    path=st.sampled_from(ADDRESSES) | st.text(max_size=30).map(lambda text: f"/{text}"),
    method=st.sampled_from(METHODS),
)
def test_any_body_at_any_address(ways: Ways, body: bytes, kind: str, path: str, method: str) -> None:
    path = path.encode("utf-8", "replace").decode()
    ways.same(path, method, data=body, environ_overrides={"CONTENT_TYPE": kind})


# What a Flask person expects of the routes


@pytest.fixture
def routed(new_product: NewProduct) -> Product:
    return new_product(api_shortcut=False)


def answer(product: Product, **fields: Any) -> dict[str, Any]:
    response = product.http.post("/api.php", data={"op": "loginui", **fields})
    assert (response.status_code, response.content_type) == (200, "application/json; charset=utf-8")
    found = response.get_json()
    assert isinstance(found, dict)
    return found


def test_flask_routes_lists_the_addresses(routed: Product) -> None:
    listed = routed.app.test_cli_runner().invoke(routes_command).output
    found = {(words[0], words[-1]) for words in map(str.split, filter(str.strip, listed.splitlines()))}
    assert found >= {("api.front", "/"), ("api.call", "/api"), ("api.call", "/api.php")}
    assert ("api.elsewhere", "/<any_path:path>") in found


def test_hooks_see_each_call_and_may_read_its_body(routed: Product) -> None:
    seen: list[tuple[str, str | None]] = []

    @routed.app.before_request
    def before() -> None:
        g.began = True
        seen.append((request.form["op"], request.endpoint))

    @routed.app.after_request
    def after(response: Response) -> Response:
        response.headers["Server-Timing"] = f"app;desc={g.began}"
        return response

    response = routed.http.post("/api.php", data={"op": "loginui"})
    assert response.get_json()["ui"] == "0"
    assert response.headers["Server-Timing"] == "app;desc=True"
    assert seen == [("loginui", "api.call")]


def test_where_calls_pass_hooks_by_the_log_says_so_once(new_product: NewProduct) -> None:
    product = new_product()
    product.app.before_request(lambda: None)
    with capture_logs() as events:
        for _ in range(2):
            answer(product)
    assert [event["event"] for event in events if event["log_level"] == "warning"] == ["api.hooks_passed_by"]


def test_flask_cors_leaves_the_api_open_and_sees_to_other_pages(routed: Product) -> None:
    origin = {"Origin": "https://chat.example.com"}
    CORS(routed.app, origins=origin["Origin"])
    allowed = "Access-Control-Allow-Origin"
    assert routed.http.post("/api.php", data={"op": "loginui"}, headers=origin).headers[allowed] == "*"
    assert routed.http.get("/healthz", headers=origin).headers[allowed] == origin["Origin"]


@pytest.mark.parametrize("testing", [False, True])
@pytest.mark.parametrize("hook", ["before_request", "after_request", "teardown_request"])
def test_a_hook_that_raises_is_answered_with_json(routed: Product, hook: str, testing: bool) -> None:
    routed.app.testing = testing

    def raises(_given: object = None) -> None:
        raise RuntimeError("a hook's own fault")

    getattr(routed.app, hook)(raises)
    assert (answer(routed)["op"], answer(routed)["error"]) == ("loginui", "TRYLATER")
    assert answer(routed, op="upload", auth="no")["result"] is False
    routed.app.testing = False
    if hook != "teardown_request":
        assert routed.http.get("/healthz").status_code == 500


def test_a_hook_may_refuse(routed: Product) -> None:
    refusals = iter([Forbidden(), TooManyRequests(), TooMany(retry_after=7)])

    @routed.app.before_request
    def refuse() -> None:
        raise next(refusals)

    assert [answer(routed)["error"] for _ in range(3)] == ["TRYLATER", "TRYLATER", "TOOMANY"]


def test_who_listens_for_exceptions_hears_of_an_ops_fault_once(
    routed: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[BaseException] = []

    def hear(_app: Flask, exception: BaseException) -> None:
        heard.append(exception)

    fault = RuntimeError("the op's own fault")

    def raises(_token: str) -> None:
        raise fault

    monkeypatch.setattr(routed.services.callers, "find", raises)
    with got_request_exception.connected_to(hear, routed.app):
        assert answer(routed, op="profile", token="x")["error"] == "TRYLATER"
    assert heard == [fault]


def test_other_pages_have_the_handlers_that_they_are_given(routed: Product) -> None:
    routed.app.register_error_handler(404, lambda _error: ("nothing here", 404))
    response = routed.http.get("/nowhere")
    assert (response.status_code, response.text) == (404, "nothing here")
    assert routed.http.put("/healthz").status_code == 405

"""Traces and faults reach receivers over real HTTP, and hold nothing of anybody."""

from __future__ import annotations

import gzip
import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import sentry_sdk
import structlog
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from messenger_api import configuration
from messenger_api.app import build_app
from messenger_api.domain.redaction import NUMBER as HIDDEN
from messenger_api.domain.redaction import redacted
from messenger_api.settings import SettingsError
from tests.processes import LOOPBACK
from tests.product import APPID, Product

Make = Callable[..., Product]
NUMBER = "919876543210"


class Receiver(ThreadingHTTPServer):
    """Takes whatever is posted."""

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.posted: list[tuple[str, bytes]] = []

    @property
    def place(self) -> str:
        return f"{LOOPBACK}:{self.server_address[1]}"

    @property
    def bytes(self) -> bytes:
        return b"".join(body for _path, body in self.posted)


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        coding = self.headers.get("Content-Encoding", "")
        self.server.posted.append((self.path, gzip.decompress(body) if coding == "gzip" else body))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None: ...


@contextmanager
def receiving() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


# --- Traces


def spans(receiver: Receiver) -> list[Any]:
    found = []
    for path, body in receiver.posted:
        assert path == "/v1/traces"
        told = ExportTraceServiceRequest.FromString(body)
        found += [s for r in told.resource_spans for scope in r.scope_spans for s in scope.spans]
    return found


def test_a_request_is_a_trace_with_its_calls_of_mesibo(make_product: Make, receiver: Receiver) -> None:
    product = make_product(otel_endpoint=f"http://{receiver.place}")
    phone = product.log_in(NUMBER, "Ana")
    sent = product.http.post("/api.php", data={"op": "getcontacts", "token": "x"})
    product.services.figures.close()
    found = spans(receiver)
    assert [span.name for span in found] == ["login", "mesibo useradd", "login", "getcontacts"]
    _first, called, login, contacts = found
    assert called.trace_id == login.trace_id
    assert called.parent_span_id == login.span_id
    assert login.parent_span_id == b""
    assert login.start_time_unix_nano <= called.start_time_unix_nano < login.end_time_unix_nano
    assert contacts.trace_id.hex() == sent.headers["X-Request-ID"].rjust(32, "0")
    facts = {each.key: each.value.string_value for each in contacts.attributes}
    assert facts == {"op": "getcontacts", "error": "AUTHFAIL"}
    for secret in (NUMBER, phone.token, "Ana", APPID):
        assert secret.encode() not in receiver.bytes


def test_a_collector_that_is_away_holds_nobody_up(make_product: Make) -> None:
    product = make_product(otel_endpoint=f"http://{LOOPBACK}:9")
    for _ in range(50):
        product.ok("loginui")


# --- Faults


@pytest.fixture
def reported(make_product: Make, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[Product]:
    yield make_product(sentry_dsn=f"http://key@{receiver.place}/1")
    sentry_sdk.init(release="none", default_integrations=False)
    structlog.reset_defaults()


def events(receiver: Receiver) -> list[dict[str, Any]]:
    sentry_sdk.flush(5)
    lines = [line for path, body in receiver.posted for line in body.splitlines() if "/envelope/" in path]
    return [event for line in lines if (event := json.loads(line)).get("level")]


def test_a_fault_is_reported_with_its_place_and_nothing_of_anybody(
    reported: Product, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = reported.log_in(NUMBER, "Ana")
    secrets = ("+91 98765 43210", "0151/23456789", "123456", "ana@example.com", "f00d" * 8)

    def fail(*_: object, **__: object) -> None:
        hidden = f"cannot read {' '.join(secrets)}"
        raise ValueError(hidden)

    monkeypatch.setattr(reported.services.devices, "of", fail)
    answer = reported.http.post("/api.php", data={"op": "sessions", "token": phone.token})
    assert answer.json["error"] == "TRYLATER"  # type: ignore[index]
    [event] = events(receiver)
    [error] = event["exception"]["values"]
    assert error["type"] == "ValueError"
    assert error["value"].startswith(f"cannot read {HIDDEN}")
    assert not re.search(r"[0-9@]", error["value"])
    assert error["stacktrace"]["frames"][-1]["function"] == "fail"
    assert event["tags"] == {
        "event": "api.fault",
        "op": "sessions",
        "request": answer.headers["X-Request-ID"],
    }
    for secret in (*secrets, NUMBER, phone.token, "Ana"):
        assert secret.encode() not in receiver.bytes
    assert b'"vars"' not in receiver.bytes


def test_an_error_of_the_log_is_reported_and_a_warning_is_not(reported: Product, receiver: Receiver) -> None:
    reported.sandbox.faults.add("useradd", error="NOTNOW")
    reported.call("login", phone=NUMBER, appid=APPID)
    reported.call("login", phone=NUMBER, otp="000000", appid=APPID)
    reported.call("login", phone=NUMBER, otp=reported.code(NUMBER), appid=APPID)
    found = {event["tags"]["event"] for event in events(receiver)}
    assert found == {"login.mesibo_refused"}
    assert NUMBER.encode() not in receiver.bytes


def test_a_receiver_that_is_away_holds_nobody_up(make_product: Make) -> None:
    product = make_product(sentry_dsn=f"http://key@{LOOPBACK}:9/1")
    try:
        structlog.get_logger().error("something")
        product.ok("loginui")
    finally:
        sentry_sdk.init(release="none", default_integrations=False)


# --- Off, and without the libraries


@pytest.mark.parametrize(
    ("key", "value", "library"),
    [
        ("otel_endpoint", "http://127.0.0.1:4318", "traces"),
        ("sentry_dsn", "http://key@127.0.0.1:9/1", "faults"),
    ],
)
def test_without_its_library_the_start_says_what_is_missing(
    key: str, value: str, library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, f"messenger_api.telemetry.{library}", None)
    settings = configuration.build(instance_path=str(tmp_path), sandbox=True, **{key: value})
    with pytest.raises(SettingsError, match=f"{key.upper()}: needs: pip install"):
        build_app(settings)


@pytest.mark.parametrize("dsn", ["http://127.0.0.1:9/1", "http://key@127.0.0.1:9/"])
def test_an_address_that_is_none_of_sentrys_is_refused(dsn: str, tmp_path: Path) -> None:
    settings = configuration.build(instance_path=str(tmp_path), sandbox=True, sentry_dsn=dsn)
    with pytest.raises(SettingsError, match="SENTRY_DSN: accepted is"):
        build_app(settings)


# --- What is taken out


@given(
    st.text(alphabet="abc .,:-"),
    st.from_regex(
        r"\+?[0-9]{4,15}|[0-9A-Za-z]{10,20}[0-9]{6}[0-9A-Za-z]{10,20}|[a-z]+@[a-z]+\.de", fullmatch=True
    ),
)
def test_no_number_token_or_address_is_left(around: str, secret: str) -> None:
    assert secret not in redacted(f"{around} {secret} {around}", strict=True)


@pytest.mark.parametrize("text", ["+91 98765 43210", "(0151) 234-56789", "4915.1234.56789", "1 2 3 4 5 6"])
def test_numbers_as_people_write_them_are_none_left(text: str) -> None:
    assert not any(digit in redacted(f"dial {text}!", strict=True) for digit in "123456789")


def test_words_stay() -> None:
    sentence = "OperationalError: (2013, 'Lost connection to MySQL server during query')"
    assert redacted(sentence, strict=True).endswith("'Lost connection to MySQL server during query')")

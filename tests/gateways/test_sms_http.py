"""The provider for any gateway, asserted by the bytes that the gateway gets."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from structlog.testing import capture_logs

from messenger_api.configuration import build
from messenger_api.gateways.sms import (
    BadReceipt,
    BadSignature,
    Receipt,
    ReceiptRequest,
    SmsError,
    SmsRefused,
    SmsUnavailable,
    State,
    TextMessage,
    sender_from_settings,
)
from messenger_api.gateways.sms.http import HttpProvider
from tests.gateways.gateway_standin import Gateway, gateway
from tests.gateways.twilio_standin import MESSAGE, NUMBER, TEXT, assert_no_secret, everything_in

ODD = 'Code "481516" & 1=2 + 50% \\ {to} \n “ok” <b> 👍 कोड'
SECRET = "shared-secret-for-receipts"


@pytest.fixture
def standin() -> Iterator[Gateway]:
    with gateway() as standin:
        yield standin


def send(standin: Gateway, message: TextMessage = MESSAGE, *, path: str = "/send", **values: object) -> str:
    keys: dict[str, object] = {"sms_http_url": standin.url + path, **values}
    provider = HttpProvider(build(sms_providers=["http"], **keys))
    try:
        return provider.send(message)
    finally:
        provider.close()


# --- The request


def test_a_form_is_what_a_body_is_unless_it_says_otherwise(standin: Gateway) -> None:
    message = TextMessage(NUMBER, ODD, code="481516")
    body = "n={to_plus}&m={text}&c={code}&f={from}"
    send(standin, message, sms_http_body=body, sms_http_from="Ex & Co")
    (call,) = standin.calls
    assert (call.method, call.target) == ("POST", "/send")
    assert call.headers["content-type"] == "application/x-www-form-urlencoded"
    assert call.form == {"n": f"+{NUMBER}", "m": ODD, "c": "481516", "f": "Ex & Co"}


def test_a_body_that_begins_with_a_brace_is_json(standin: Gateway) -> None:
    send(standin, TextMessage(NUMBER, ODD), sms_http_body='{"to": ["{to}"], "text": "{text}"}')
    (call,) = standin.calls
    assert call.headers["content-type"] == "application/json"
    assert json.loads(call.body) == {"to": [NUMBER], "text": ODD}


def test_the_content_type_that_is_given_decides_how_values_are_escaped(standin: Gateway) -> None:
    message = TextMessage(NUMBER, ODD.replace("\n", " "))
    headers = {"content-type": "text/xml; charset=utf-8"}
    send(standin, message, sms_http_body='<sms to="{to}">{text}</sms>', sms_http_headers=headers)
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    send(standin, message, sms_http_body="{to} {text}", sms_http_headers=headers)
    headers = {"Content-Type": "application/vnd.gateway+json"}
    send(standin, message, sms_http_body='["{to}", "{text}"]', sms_http_headers=headers)
    xml, plain, vendor = standin.calls
    root = ElementTree.fromstring(xml.body)
    assert (root.get("to"), root.text) == (NUMBER, message.text)
    assert plain.body.decode() == f"{NUMBER} {message.text}"
    assert json.loads(vendor.body) == [NUMBER, message.text]
    assert [call.headers["content-type"] for call in standin.calls] == [
        "text/xml; charset=utf-8",
        "text/plain; charset=utf-8",
        "application/vnd.gateway+json",
    ]


def test_a_get_carries_all_in_its_address(standin: Gateway) -> None:
    path = "/v1/{to}/send?text={text}&from={from}&key=k"
    send(
        standin,
        TextMessage(NUMBER, "481516 & é/+?#"),
        path=path,
        sms_http_method="GET",
        sms_http_from="A B",
    )
    (call,) = standin.calls
    assert (call.method, call.body) == ("GET", b"")
    assert call.target == f"/v1/{NUMBER}/send?text=481516%20%26%20%C3%A9%2F%2B%3F%23&from=A%20B&key=k"
    assert "content-type" not in call.headers


def test_the_headers_are_sent_and_no_other_credentials(
    standin: Gateway, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    netrc = tmp_path_factory.mktemp("home") / ".netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    send(standin, sms_http_body="{to}{text}", sms_http_headers={"X-Api-Key": "k-1"})
    send(standin, sms_http_body="{to}{text}", sms_http_headers={"Authorization": "Bearer t"})
    first, second = standin.calls
    assert (first.headers["x-api-key"], "authorization" in first.headers) == ("k-1", False)
    assert second.headers["authorization"] == "Bearer t"


@pytest.mark.parametrize(
    ("user_info", "sent"),
    [
        ("user:pass", b"user:pass"),
        ("user:p%40ss%3Aw%C3%B6rd", "user:p@ss:wörd".encode()),
        ("user:a:b", b"user:a:b"),
        ("key", b"key:"),
        (":token", b":token"),
    ],
)
def test_user_and_password_of_the_address_are_sent_as_basic_authorization(
    standin: Gateway, user_info: str, sent: bytes
) -> None:
    url = standin.url.replace("://", f"://{user_info}@") + "/send?to={to}&text={text}"
    send(standin, sms_http_url=url, sms_http_headers={"X-Api-Key": "k-1"})
    (call,) = standin.calls
    kind, _, credentials = call.headers["authorization"].partition(" ")
    assert (kind, base64.b64decode(credentials)) == ("Basic", sent)
    assert call.target == f"/send?to={NUMBER}&text={quote(TEXT, safe='')}"
    assert user_info not in f"{call.target}{call.body!r}{call.headers['host']}"
    assert call.headers["x-api-key"] == "k-1"


def test_user_and_password_of_the_address_stand_in_no_exception_and_no_log(standin: Gateway) -> None:
    url = standin.url.replace("://", "://somebody:s3cret@") + "/send"
    standin.status = 401
    with pytest.raises(SmsUnavailable) as refused, capture_logs() as events:
        send(standin, sms_http_url=url, sms_http_body="{to}{text}")
    standin.status = 200
    away = url.rpartition(":")[0] + ":1/send"
    with pytest.raises(SmsUnavailable) as unreachable, capture_logs() as others:
        send(standin, sms_http_url=away, sms_http_body="{to}{text}")
    shown = everything_in(refused.value) + everything_in(unreachable.value) + repr(events + others)
    for secret in ("somebody", "s3cret", base64.b64encode(b"somebody:s3cret").decode()):
        assert secret not in shown


# --- The answer


def test_the_id_is_a_member_of_the_answer(standin: Gateway) -> None:
    standin.answer = {"data": {"messages": [{"id": 4711}, {"id": "x"}]}}
    keys: dict[str, Any] = {"sms_http_body": "{to}{text}"}
    assert send(standin, sms_http_id="data.messages.0.id", **keys) == "4711"
    assert send(standin, sms_http_id="data.messages.1.id", **keys) == "x"


def test_without_a_member_each_message_has_an_id_of_ours(standin: Gateway) -> None:
    standin.answer = b"OK"
    ids = {send(standin, sms_http_body="{to}{text}") for _ in range(2)}
    assert len(ids) == 2
    assert all(each.startswith("http-") for each in ids)


@pytest.mark.parametrize(
    "answer", [{}, [], {"id": None}, {"id": ""}, {"id": {"a": 1}}, {"id": True}, b"Error: no credit", b""]
)
def test_an_answer_without_the_id_is_a_fault(standin: Gateway, answer: object) -> None:
    standin.answer = answer
    with pytest.raises(SmsUnavailable):
        send(standin, sms_http_body="{to}{text}", sms_http_id="id")


@pytest.mark.parametrize(
    ("status", "kind"),
    [(202, None), (200, SmsUnavailable), (422, SmsRefused), (404, SmsRefused), (500, SmsUnavailable)]
    + [(status, SmsUnavailable) for status in (301, 400, 401, 429, 503)],
)
def test_the_statuses_of_the_settings_decide(
    standin: Gateway, status: int, kind: type[SmsError] | None
) -> None:
    standin.status, standin.answer = status, {"error": f"{NUMBER} {TEXT}"}
    keys: dict[str, Any] = {
        "sms_http_body": "{to}{text}",
        "sms_http_accepted": [202],
        "sms_http_refused": "404, 422",
    }
    if kind is None:
        assert send(standin, **keys)
        return
    with pytest.raises(kind, match=f"^http: HTTP {status}: ") as caught, capture_logs() as events:
        send(standin, **keys)
    assert type(caught.value) is kind
    assert_no_secret(everything_in(caught.value) + repr(events))
    assert len(standin.calls) == 1


def test_the_address_with_its_key_and_number_stands_in_no_exception(standin: Gateway) -> None:
    url = standin.url.rpartition(":")[0] + ":1/send?key=s3cret&to={to}&text={text}"
    provider = HttpProvider(build(sms_providers=["http"], sms_http_url=url, sms_http_method="GET"))
    with pytest.raises(SmsUnavailable, match=r"^http: connection failed") as caught:
        provider.send(MESSAGE)
    provider.close()
    shown = everything_in(caught.value)
    assert_no_secret(shown)
    assert "s3cret" not in shown


def test_an_answer_without_end_is_not_read_to_it(standin: Gateway) -> None:
    standin.answer = b" " * 2_000_000
    with pytest.raises(SmsUnavailable):
        send(standin, sms_http_body="{to}{text}", sms_http_id="id")


def test_the_setting_loads_it(standin: Gateway) -> None:
    keys = {"sms_http_url": standin.url, "sms_http_body": "{to}{text}"}
    sender = sender_from_settings(build(sms_providers=["http"], sms_countries="*", **keys))
    assert sender.send(MESSAGE).provider == "http"
    sender.close()


# --- Receipts


def receiver(**changes: object) -> HttpProvider:
    values: dict[str, object] = {
        "sms_http_url": "https://sms.example.com/{to}/{text}",
        "sms_http_id": "id",
        "sms_http_receipt_secret": SECRET,
    }
    return HttpProvider(build(sms_providers=["http"], **{**values, **changes}))


def signed(fields: object, secret: str = SECRET) -> ReceiptRequest:
    body = json.dumps(fields).encode()
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return ReceiptRequest(headers={"x-signature": signature}, body=body)


@pytest.mark.parametrize("state", list(State))
def test_a_signed_receipt_is_read(state: State) -> None:
    receipt = receiver().read_receipt(signed({"id": "id-1", "status": state.value}))
    assert receipt == Receipt("id-1", state)


def test_an_id_that_is_a_number_is_read(standin: Gateway) -> None:
    assert receiver().read_receipt(signed({"id": 4711, "status": "sent"})).id == "4711"


def test_a_receipt_that_is_not_signed_with_the_secret_is_refused() -> None:
    right = signed({"id": "id-1", "status": "sent"})
    for request in (
        ReceiptRequest(body=right.body),
        ReceiptRequest(headers={"X-Signature": "ü"}, body=right.body),
        ReceiptRequest(headers=right.headers, body=right.body + b" "),
        signed({"id": "id-1", "status": "sent"}, "another"),
    ):
        with pytest.raises(BadSignature):
            receiver().read_receipt(request)


def test_without_a_secret_no_signature_is_right() -> None:
    provider = receiver(sms_http_receipt_secret="")
    with pytest.raises(BadSignature):
        provider.read_receipt(signed({"id": "id-1", "status": "sent"}, ""))
    assert not provider.receipts
    assert receiver().receipts
    assert not receiver(sms_receipts=False).receipts


@pytest.mark.parametrize("fields", [{}, [], {"id": "x"}, {"id": "x", "status": "lost"}, {"status": "sent"}])
def test_a_signed_receipt_that_says_nothing_is_told_apart(fields: object) -> None:
    with pytest.raises(BadReceipt) as caught:
        receiver().read_receipt(signed(fields))
    assert not isinstance(caught.value, BadSignature)

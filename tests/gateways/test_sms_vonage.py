"""The Vonage provider, asserted by the bytes that Vonage would get, and its signed receipts."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from typing import Any

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
from messenger_api.gateways.sms.vonage import BAD_NUMBER, FAULTS, THIS_NUMBER, VonageProvider
from messenger_api.settings import Settings
from tests.gateways.gateway_standin import Gateway, gateway
from tests.gateways.twilio_standin import MESSAGE, NUMBER, TEXT, assert_no_secret, everything_in

KEY, SECRET = "abcd1234", "s3cr3t-of-vonage"
SIGNATURE_SECRET = "signature-secret-of-the-account"
NOW = 1_795_225_307


def part(status: str = "0", **members: str) -> dict[str, str]:
    return {"status": status, **({"message-id": "0C0000"} if status == "0" else {}), **members}


def answer(*parts: dict[str, str]) -> dict[str, Any]:
    return {"message-count": str(len(parts)), "messages": list(parts)}


def settings_for(url: str = "http://127.0.0.1:1", **changes: object) -> Settings:
    values: dict[str, object] = {
        "sms_providers": ["vonage"],
        "sms_countries": "*",
        "vonage_api_key": KEY,
        "vonage_api_secret": SECRET,
        "vonage_from": "+14155550100",
        "vonage_api_url": url,
    }
    return build(**{**values, **changes})


@pytest.fixture
def standin() -> Iterator[Gateway]:
    with gateway(answer=answer(part())) as standin:
        yield standin


@pytest.fixture
def vonage(standin: Gateway) -> Iterator[VonageProvider]:
    provider = VonageProvider(settings_for(standin.url))
    yield provider
    provider.close()


# --- The wire


def test_vonage_gets_exactly_credentials_sender_number_and_text(
    standin: Gateway, vonage: VonageProvider
) -> None:
    assert vonage.send(MESSAGE) == "0C0000"
    (call,) = standin.calls
    assert (call.method, call.target) == ("POST", "/sms/json")
    assert call.headers["content-type"] == "application/x-www-form-urlencoded"
    assert call.form == {
        "api_key": KEY,
        "api_secret": SECRET,
        "from": "14155550100",
        "to": NUMBER,
        "text": TEXT,
    }


@pytest.mark.parametrize(
    ("text", "kind"),
    [("481516 ist Ihr Code für Ä€[]", None), ("कोड 481516", "unicode"), ("481516 🔑", "unicode")],
)
def test_unicode_is_asked_for_only_where_the_seven_bits_do_not_hold_the_text(
    standin: Gateway, vonage: VonageProvider, text: str, kind: str | None
) -> None:
    vonage.send(TextMessage(NUMBER, text))
    form = standin.calls[0].form
    assert (form["text"], form.get("type")) == (text, kind)


def test_a_receipt_is_asked_for_where_it_can_come_and_be_proven(standin: Gateway) -> None:
    right: dict[str, object] = {
        "public_url": "https://chat.example.com/",
        "vonage_signature_secret": SIGNATURE_SECRET,
    }
    callback = "https://chat.example.com/sms/receipts/vonage"
    for changes, expected in (
        ({}, callback),
        ({"public_url": "http://chat.example.com"}, None),
        ({"public_url": ""}, None),
        ({"sms_receipts": False}, None),
        ({"vonage_signature_secret": ""}, None),
    ):
        provider = VonageProvider(settings_for(standin.url, **{**right, **changes}))
        provider.send(MESSAGE)
        provider.close()
        assert standin.calls[-1].form.get("callback") == expected
        assert provider.receipts is (expected is not None)


def test_the_check_asks_for_the_balance_and_sends_nothing(standin: Gateway, vonage: VonageProvider) -> None:
    standin.answer = {"value": 10.28, "autoReload": False}
    vonage.check()
    (call,) = standin.calls
    assert (call.method, call.target, call.body) == ("GET", "/account/get-balance", b"")
    assert call.headers["authorization"] == "Basic " + base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()


def test_the_check_tells_wrong_credentials(standin: Gateway, vonage: VonageProvider) -> None:
    standin.status = 401
    with pytest.raises(SmsUnavailable, match="the credentials were not accepted"):
        vonage.check()


# --- Errors


@pytest.mark.parametrize("status", ["6", "7", "33"])
def test_a_number_that_cannot_get_it_is_refused(
    standin: Gateway, vonage: VonageProvider, status: str
) -> None:
    standin.answer = answer(part(status, **{"error-text": f"Bad number {NUMBER}"}))
    with pytest.raises(SmsRefused) as caught:
        vonage.send(MESSAGE)
    assert caught.value.reason == f"status {status}: {BAD_NUMBER[status]}"
    assert_no_secret(everything_in(caught.value))


@pytest.mark.parametrize("status", ["1", "2", "4", "5", "8", "9", "10", "11", "12", "14", "23", "32", "77"])
def test_a_fault_of_vonages_leaves_it_to_the_next_provider(
    standin: Gateway, vonage: VonageProvider, status: str
) -> None:
    standin.answer = answer(part(status))
    with pytest.raises(SmsUnavailable, match=f"^vonage: status {status}: ") as caught:
        vonage.send(MESSAGE)
    assert not caught.value.about_number


@pytest.mark.parametrize("status", ["3", "15", "22", "29"])
def test_a_fault_about_this_number_says_so(standin: Gateway, vonage: VonageProvider, status: str) -> None:
    standin.answer = answer(part(status))
    with pytest.raises(SmsUnavailable) as caught:
        vonage.send(MESSAGE)
    assert caught.value.about_number


def test_no_status_is_listed_twice() -> None:
    tables = [BAD_NUMBER, THIS_NUMBER, FAULTS]
    assert len(set().union(*tables)) == sum(map(len, tables))


def test_a_message_of_which_one_part_was_not_taken_is_not_sent(
    standin: Gateway, vonage: VonageProvider
) -> None:
    standin.answer = answer(part(), part("5"))
    with pytest.raises(SmsUnavailable, match="status 5"):
        vonage.send(MESSAGE)


@pytest.mark.parametrize(
    ("status", "found"),
    [
        (200, b"<html>captive portal</html>"),
        (200, b""),
        (200, []),
        (200, {}),
        (200, {"messages": []}),
        (200, {"messages": [{"status": "0"}]}),
        (200, {"messages": ["0"]}),
        (302, b""),
        (401, {}),
        (429, {}),
        (500, answer(part("6"))),
        (503, b"<html>no</html>"),
    ],
)
def test_an_answer_that_makes_no_sense_is_a_fault_of_the_provider(
    standin: Gateway, vonage: VonageProvider, status: int, found: object
) -> None:
    standin.status, standin.answer = status, found
    with pytest.raises(SmsUnavailable) as caught:
        vonage.send(MESSAGE)
    assert_no_secret(everything_in(caught.value))


@pytest.mark.parametrize("status", ["0", "6", "5"])
def test_no_log_or_exception_holds_number_text_or_secret(
    standin: Gateway, vonage: VonageProvider, status: str
) -> None:
    standin.answer = answer(part(status, **{"error-text": f"{NUMBER} {TEXT} {SECRET}"}))
    shown = ""
    with capture_logs() as events:
        try:
            vonage.send(MESSAGE)
        except SmsError as error:
            shown = everything_in(error)
    assert_no_secret(shown + repr(events))
    assert SECRET not in shown + repr(events)


def test_the_setting_loads_it(standin: Gateway) -> None:
    sender = sender_from_settings(settings_for(standin.url))
    assert sender.send(MESSAGE).provider == "vonage"
    sender.close()


# --- Receipts


def signed(fields: Mapping[str, str], secret: str = SIGNATURE_SECRET) -> dict[str, str]:
    """A receipt's fields as Vonage signs them, made here by the letter of its documentation."""
    all_fields = {"timestamp": str(NOW), "nonce": "9ff3f6ca", **fields}
    text = ""
    for name in sorted(all_fields):
        text += "&" + name + "=" + all_fields[name].replace("&", "_").replace("=", "_")
    return {**all_fields, "sig": hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()}


RECEIPT = {
    "msisdn": NUMBER,
    "to": "14155550100",
    "network-code": "40410",
    "messageId": "0C0000",
    "price": "0.03330000",
    "status": "delivered",
    "scts": "2001011400",
    "err-code": "0",
    "message-timestamp": "2026-11-20 12:00:00",
}


@pytest.fixture
def receiver() -> VonageProvider:
    settings = settings_for(public_url="https://chat.example.com", vonage_signature_secret=SIGNATURE_SECRET)
    return VonageProvider(settings, clock=lambda: NOW + 10.0)


@pytest.mark.parametrize("way", ["query", "form", "json"])
def test_a_signed_receipt_is_read_however_it_comes(receiver: VonageProvider, way: str) -> None:
    fields = signed({**RECEIPT, "client-ref": "a=b&c"})
    request = {
        "query": ReceiptRequest(method="GET", query=fields),
        "form": ReceiptRequest(form=fields),
        "json": ReceiptRequest(body=json.dumps(fields).encode()),
    }[way]
    assert receiver.read_receipt(request) == Receipt("0C0000", State.DELIVERED)


def test_a_signature_in_capital_letters_is_the_same(receiver: VonageProvider) -> None:
    fields = signed(RECEIPT)
    request = ReceiptRequest(form={**fields, "sig": fields["sig"].upper()})
    assert receiver.read_receipt(request).state is State.DELIVERED


@pytest.mark.parametrize(
    ("status", "code", "state", "reason"),
    [
        ("accepted", "0", State.SENT, ""),
        ("buffered", "0", State.SENT, ""),
        ("unknown", "0", State.SENT, ""),
        ("unknown", "1", State.FAILED, "code 1: unknown"),
        ("failed", "6", State.FAILED, "code 6: taken for spam by the carrier"),
        ("rejected", "4", State.FAILED, "code 4: barred by the user"),
        ("expired", "2", State.FAILED, "code 2: absent for the moment"),
        ("failed", "4711", State.FAILED, "code 4711: not delivered"),
    ],
)
def test_statuses_and_network_codes_are_sorted(
    receiver: VonageProvider, status: str, code: str, state: State, reason: str
) -> None:
    fields = signed({**RECEIPT, "status": status, "err-code": code})
    assert receiver.read_receipt(ReceiptRequest(form=fields)) == Receipt("0C0000", state, reason)


@pytest.mark.parametrize(
    "change",
    [
        {"sig": ""},
        {"sig": "0" * 64},
        {"sig": "ü"},
        {"status": "failed"},
        {"messageId": "another"},
        {"extra": "1"},
        {"timestamp": str(NOW + 1)},
    ],
)
def test_a_receipt_that_was_changed_is_refused(receiver: VonageProvider, change: dict[str, str]) -> None:
    with pytest.raises(BadSignature):
        receiver.read_receipt(ReceiptRequest(form={**signed(RECEIPT), **change}))


def test_a_receipt_without_any_field_is_refused(receiver: VonageProvider) -> None:
    for request in (ReceiptRequest(), ReceiptRequest(body=b"[]"), ReceiptRequest(body=b"{")):
        with pytest.raises(BadSignature):
            receiver.read_receipt(request)


@pytest.mark.parametrize("stamp", [str(NOW - 400), str(NOW + 400), "", "soon", "9" * 5000, "-5"])
def test_an_old_signature_is_refused(receiver: VonageProvider, stamp: str) -> None:
    with pytest.raises(BadSignature, match="old"):
        receiver.read_receipt(ReceiptRequest(form=signed({**RECEIPT, "timestamp": stamp})))


def test_the_signature_of_another_account_is_refused(receiver: VonageProvider) -> None:
    with pytest.raises(BadSignature):
        receiver.read_receipt(ReceiptRequest(form=signed(RECEIPT, "another secret")))


def test_without_a_secret_no_signature_is_right() -> None:
    with pytest.raises(BadSignature):
        VonageProvider(settings_for(), clock=lambda: NOW).read_receipt(
            ReceiptRequest(form=signed(RECEIPT, ""))
        )


@pytest.mark.parametrize("change", [{"messageId": ""}, {"status": "teleported"}, {"status": ""}])
def test_a_signed_receipt_that_says_nothing_is_told_apart(
    receiver: VonageProvider, change: dict[str, str]
) -> None:
    with pytest.raises(BadReceipt) as caught:
        receiver.read_receipt(ReceiptRequest(form=signed({**RECEIPT, **change})))
    assert not isinstance(caught.value, BadSignature)
    assert_no_secret(everything_in(caught.value))

"""Calls and signed receipts of the Twilio provider."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from urllib.parse import parse_qs
from xml.etree import ElementTree

import pytest

from messenger_api.gateways.sms import (
    BadReceipt,
    BadSignature,
    Channel,
    Receipt,
    ReceiptRequest,
    SmsRefused,
    SmsUnavailable,
    SmsWrongChannel,
    State,
    TextMessage,
)
from messenger_api.gateways.sms.base import SmsFraud
from messenger_api.gateways.sms.twilio import TwilioProvider
from messenger_api.gateways.sms.twilio_codes import FRAUD, THIS_NUMBER, WRONG_CHANNEL
from tests.gateways.gateway_standin import Gateway, gateway
from tests.gateways.twilio_standin import (
    FROM,
    MESSAGE,
    NUMBER,
    SERVICE,
    SID,
    TEXT,
    TOKEN,
    assert_no_secret,
    everything_in,
    settings_for,
)

PUBLIC = "https://chat.example.com"
CALLBACK = f"{PUBLIC}/sms/receipts/twilio"
CALL_SID = "CA00000000000000000000000000000001"


def call(text: str = TEXT, language: str = "en") -> TextMessage:
    return TextMessage(NUMBER, text, code="481516", language=language, channel=Channel.VOICE)


@pytest.fixture
def standin() -> Iterator[Gateway]:
    with gateway(status=201, answer={"sid": CALL_SID, "status": "queued", "error_code": None}) as standin:
        yield standin


def sent_by(standin: Gateway, message: TextMessage, **changes: object) -> dict[str, list[str]]:
    provider = TwilioProvider(settings_for(standin.url, **changes))
    provider.send(message)
    provider.close()
    return parse_qs(standin.calls[-1].body.decode(), strict_parsing=True)


# --- Calls


def test_a_call_says_the_code_digit_by_digit_twice(standin: Gateway) -> None:
    fields = sent_by(standin, call())
    assert standin.calls[0].target == f"/2010-04-01/Accounts/{SID}/Calls.json"
    (twiml,) = fields.pop("Twiml")
    assert fields == {"To": [f"+{NUMBER}"], "From": [FROM]}
    says = ElementTree.fromstring(twiml).findall("Say")
    expected = "4, 8, 1, 5, 1, 6 is your code for Messenger. Never share it."
    assert [(say.text, say.get("language")) for say in says] == [(expected, "en-US")] * 2


@pytest.mark.parametrize(
    ("language", "text", "spoken", "voice"),
    [
        ("de", "481516 ist Ihr Code & <mehr>", "4, 8, 1, 5, 1, 6 ist Ihr Code & <mehr>", "de-DE"),
        ("pt-BR", "Código: 481516", "Código: 4, 8, 1, 5, 1, 6", "pt-BR"),
        ("bn", "আপনার কোড 481516", "4, 8, 1, 5, 1, 6", "en-US"),
    ],
)
def test_a_voice_speaks_its_language_and_digits_where_it_has_none(
    standin: Gateway, language: str, text: str, spoken: str, voice: str
) -> None:
    (twiml,) = sent_by(standin, call(text, language))["Twiml"]
    say = ElementTree.fromstring(twiml).find("Say")
    assert say is not None
    assert (say.text, say.get("language")) == (spoken, voice)


@pytest.mark.parametrize(
    ("keys", "caller"),
    [
        ({"twilio_from": FROM}, FROM),
        ({"twilio_from": SERVICE, "twilio_voice_from": "+14155550111"}, "+14155550111"),
        ({"twilio_from": FROM, "twilio_voice_from": "+14155550111"}, "+14155550111"),
        ({"twilio_from": SERVICE}, ""),
        ({"twilio_from": "Messenger"}, ""),
    ],
)
def test_it_calls_where_there_is_a_number_to_call_from(
    standin: Gateway, keys: dict[str, object], caller: str
) -> None:
    provider = TwilioProvider(settings_for(standin.url, **keys))
    provider.close()
    assert (Channel.VOICE in provider.channels) is bool(caller)
    assert Channel.SMS in provider.channels
    if caller:
        assert sent_by(standin, call(), **keys)["From"] == [caller]


# --- Codes


@pytest.mark.parametrize("code", [30450, 30453, 60410, 60605])
def test_fraud_is_told_apart(standin: Gateway, code: int) -> None:
    standin.status, standin.answer = 403, {"code": code, "message": NUMBER, "status": 403}
    with pytest.raises(SmsFraud) as caught:
        sent_by(standin, MESSAGE)
    assert caught.value.reason == f"error {code}: {FRAUD[code]}"


@pytest.mark.parametrize("code", [21614, 21635, 30006, 60205])
def test_what_only_a_call_can_reach_is_told_apart(standin: Gateway, code: int) -> None:
    standin.status, standin.answer = 400, {"code": code, "message": NUMBER, "status": 400}
    with pytest.raises(SmsWrongChannel) as caught:
        sent_by(standin, MESSAGE)
    assert caught.value.reason == f"error {code}: {WRONG_CHANNEL[code]}"


@pytest.mark.parametrize("code", [21211, 21610])
def test_a_bad_number_is_neither_fraud_nor_a_wrong_channel(standin: Gateway, code: int) -> None:
    standin.status, standin.answer = 400, {"code": code, "message": NUMBER, "status": 400}
    with pytest.raises(SmsRefused) as caught:
        sent_by(standin, MESSAGE)
    assert type(caught.value) is SmsRefused


@pytest.mark.parametrize(("code", "about"), [(c, True) for c in THIS_NUMBER] + [(20429, False), (1, False)])
def test_a_fault_about_one_number_says_so(standin: Gateway, code: int, about: bool) -> None:
    standin.status, standin.answer = 400, {"code": code, "message": NUMBER, "status": 400}
    with pytest.raises(SmsUnavailable) as caught:
        sent_by(standin, call())
    assert caught.value.about_number is about
    assert_no_secret(everything_in(caught.value))


# --- Receipts


@pytest.mark.parametrize("message", [MESSAGE, call()])
def test_receipts_are_asked_for_where_they_can_come(standin: Gateway, message: TextMessage) -> None:
    assert sent_by(standin, message, public_url=PUBLIC)["StatusCallback"] == [CALLBACK]
    for keys in ({"public_url": ""}, {"public_url": "http://x"}, {"public_url": PUBLIC, "sms_receipts": 0}):
        assert "StatusCallback" not in sent_by(standin, message, **keys)


def signed(url: str, fields: dict[str, str], token: str = TOKEN) -> str:
    """X-Twilio-Signature by the letter of https://www.twilio.com/docs/usage/security."""
    text = url + "".join(name + fields[name] for name in sorted(fields))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


MESSAGE_FIELDS = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": f"+{NUMBER}", "AccountSid": SID}


@pytest.fixture
def receiver() -> TwilioProvider:
    provider = TwilioProvider(settings_for("http://127.0.0.1:1", public_url=PUBLIC))
    assert provider.receipts
    return provider


def request(fields: dict[str, str], signature: str, url: str = CALLBACK) -> ReceiptRequest:
    return ReceiptRequest(url=url, headers={"x-twilio-signature": signature}, form=fields)


@pytest.mark.parametrize(
    ("fields", "receipt"),
    [
        ({"MessageSid": "SM1", "MessageStatus": "queued"}, Receipt("SM1", State.SENT)),
        ({"MessageSid": "SM1", "MessageStatus": "sent"}, Receipt("SM1", State.SENT)),
        ({"MessageSid": "SM1", "MessageStatus": "delivered"}, Receipt("SM1", State.DELIVERED)),
        (
            {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30006"},
            Receipt("SM1", State.FAILED, "error 30006: landline or unreachable carrier"),
        ),
        (
            {"MessageSid": "SM1", "MessageStatus": "failed", "ErrorCode": "39999"},
            Receipt("SM1", State.FAILED, "error 39999: not delivered"),
        ),
        ({"CallSid": "CA1", "CallStatus": "in-progress"}, Receipt("CA1", State.SENT)),
        ({"CallSid": "CA1", "CallStatus": "completed"}, Receipt("CA1", State.DELIVERED)),
        ({"CallSid": "CA1", "CallStatus": "no-answer"}, Receipt("CA1", State.FAILED)),
    ],
)
def test_a_signed_receipt_is_read(receiver: TwilioProvider, fields: dict[str, str], receipt: Receipt) -> None:
    assert receiver.read_receipt(request(fields, signed(CALLBACK, fields))) == receipt


def test_the_signature_is_over_the_public_address_with_or_without_its_port(receiver: TwilioProvider) -> None:
    seen_by_us = "http://127.0.0.1:8080/sms/receipts/twilio"
    for url in (CALLBACK, CALLBACK.replace(".com/", ".com:443/")):
        found = receiver.read_receipt(request(MESSAGE_FIELDS, signed(url, MESSAGE_FIELDS), seen_by_us))
        assert found.state is State.DELIVERED
    with_query = signed(CALLBACK + "?a=1", MESSAGE_FIELDS)
    assert receiver.read_receipt(request(MESSAGE_FIELDS, with_query, seen_by_us + "?a=1")).id == "SM1"


def test_a_receipt_that_twilio_did_not_sign_is_refused(receiver: TwilioProvider) -> None:
    right = signed(CALLBACK, MESSAGE_FIELDS)
    changed = {**MESSAGE_FIELDS, "MessageStatus": "failed"}
    for fields, signature in (
        (MESSAGE_FIELDS, ""),
        (MESSAGE_FIELDS, "ü"),
        (MESSAGE_FIELDS, signed(CALLBACK, MESSAGE_FIELDS, "another token")),
        (MESSAGE_FIELDS, signed(CALLBACK.replace("chat", "evil"), MESSAGE_FIELDS)),
        (changed, right),
    ):
        with pytest.raises(BadSignature):
            receiver.read_receipt(request(fields, signature))


def test_where_none_are_asked_for_none_are_taken() -> None:
    provider = TwilioProvider(settings_for("http://127.0.0.1:1"))
    assert not provider.receipts
    for url in ("", "/sms/receipts/twilio"):
        with pytest.raises(BadSignature):
            provider.read_receipt(request(MESSAGE_FIELDS, signed(url, MESSAGE_FIELDS), url))


@pytest.mark.parametrize("fields", [{"MessageStatus": "sent"}, {"MessageSid": "SM1"}, {"a": "b"}])
def test_a_signed_receipt_that_says_nothing_is_told_apart(
    receiver: TwilioProvider, fields: dict[str, str]
) -> None:
    with pytest.raises(BadReceipt) as caught:
        receiver.read_receipt(request(fields, signed(CALLBACK, fields)))
    assert not isinstance(caught.value, BadSignature)

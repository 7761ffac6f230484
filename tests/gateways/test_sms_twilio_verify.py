"""The provider that lets Twilio Verify make and check the codes, asserted by the bytes on the wire."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest
from structlog.testing import capture_logs

from messenger_api.configuration import build
from messenger_api.gateways.sms import (
    BadSignature,
    Channel,
    ReceiptRequest,
    SmsError,
    SmsFraud,
    SmsRefused,
    SmsUnavailable,
    SmsWrongChannel,
    TextMessage,
    sender_from_settings,
)
from messenger_api.gateways.sms.twilio_api import verify_url
from messenger_api.gateways.sms.twilio_verify import TwilioVerifyProvider
from messenger_api.settings import Settings
from tests.gateways.gateway_standin import Gateway, gateway
from tests.gateways.twilio_standin import MESSAGE, NUMBER, SID, TEXT, TOKEN, assert_no_secret, everything_in

SERVICE = "VA0123456789abcdef0123456789abcdef"
VERIFICATION = "VE0123456789abcdef0123456789abcdef"
CODE = "739164"


def settings_for(url: str) -> Settings:
    return build(
        sms_providers=["twilio_verify"],
        sms_countries="*",
        twilio_account_sid=SID,
        twilio_auth_token=TOKEN,
        twilio_verify_sid=SERVICE,
        twilio_api_url=url,
    )


@pytest.fixture
def standin() -> Iterator[Gateway]:
    with gateway(status=201, answer={"sid": VERIFICATION, "status": "pending"}) as standin:
        yield standin


@pytest.fixture
def verify(standin: Gateway) -> Iterator[TwilioVerifyProvider]:
    provider = TwilioVerifyProvider(settings_for(standin.url))
    yield provider
    provider.close()


def test_a_verification_is_started_with_number_channel_and_language(
    standin: Gateway, verify: TwilioVerifyProvider
) -> None:
    assert verify.send(MESSAGE) == VERIFICATION
    (call,) = standin.calls
    assert (call.method, call.target) == ("POST", f"/v2/Services/{SERVICE}/Verifications")
    assert call.headers["authorization"] == "Basic " + base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()
    assert parse_qs(call.body.decode()) == {"To": [f"+{NUMBER}"], "Channel": ["sms"], "Locale": ["en"]}
    assert verify.makes_codes
    assert verify.channels == set(Channel)


@pytest.mark.parametrize(
    ("language", "channel", "locale"),
    [
        ("hi", Channel.SMS, ["hi"]),
        ("pt-BR", Channel.SMS, ["pt"]),
        ("bn", Channel.SMS, None),
        ("fr", Channel.VOICE, ["fr"]),
        ("hi", Channel.VOICE, None),
    ],
)
def test_a_language_that_verify_does_not_have_is_left_to_it(
    standin: Gateway, verify: TwilioVerifyProvider, language: str, channel: Channel, locale: list[str] | None
) -> None:
    verify.send(TextMessage(NUMBER, TEXT, language=language, channel=channel))
    fields = parse_qs(standin.calls[0].body.decode())
    assert fields.get("Locale") == locale
    assert fields["Channel"] == ["call" if channel is Channel.VOICE else "sms"]


@pytest.mark.parametrize(("status", "right"), [("approved", True), ("pending", False), ("canceled", False)])
def test_twilio_says_whether_a_code_is_right(
    standin: Gateway, verify: TwilioVerifyProvider, status: str, right: bool
) -> None:
    standin.status, standin.answer = 200, {"sid": VERIFICATION, "status": status, "valid": right}
    assert verify.check_code(NUMBER, VERIFICATION, CODE) is right
    (call,) = standin.calls
    assert (call.method, call.target) == ("POST", f"/v2/Services/{SERVICE}/VerificationCheck")
    assert call.form == {"VerificationSid": VERIFICATION, "Code": CODE}


@pytest.mark.parametrize(("status", "code"), [(404, 20404), (429, 60202)])
def test_a_code_that_is_used_expired_or_guessed_too_often_is_wrong(
    standin: Gateway, verify: TwilioVerifyProvider, status: int, code: int
) -> None:
    standin.status, standin.answer = status, {"code": code, "message": "no", "status": status}
    assert verify.check_code(NUMBER, VERIFICATION, CODE) is False


@pytest.mark.parametrize(
    ("status", "code"), [(401, 20003), (429, 20429), (500, 20500), (503, 0), (400, 60200)]
)
def test_a_check_that_twilio_cannot_make_is_no_answer(
    standin: Gateway, verify: TwilioVerifyProvider, status: int, code: int
) -> None:
    standin.status, standin.answer = status, {"code": code, "message": f"{NUMBER} {CODE}", "status": status}
    with pytest.raises(SmsUnavailable) as caught, capture_logs() as events:
        verify.check_code(NUMBER, VERIFICATION, CODE)
    shown = everything_in(caught.value) + repr(events)
    assert_no_secret(shown)
    assert CODE not in shown


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        (60410, 403, SmsFraud),
        (60605, 403, SmsFraud),
        (60205, 403, SmsWrongChannel),
        (60200, 400, SmsRefused),
        (60203, 429, SmsUnavailable),
        (20429, 429, SmsUnavailable),
        (20404, 404, SmsUnavailable),
    ],
)
def test_the_codes_of_verify_are_sorted(
    standin: Gateway, verify: TwilioVerifyProvider, code: int, status: int, kind: type[SmsError]
) -> None:
    standin.status, standin.answer = status, {"code": code, "message": NUMBER, "status": status}
    with pytest.raises(kind, match=f"^twilio_verify: error {code}: ") as caught:
        verify.send(MESSAGE)
    assert type(caught.value) is kind
    assert_no_secret(everything_in(caught.value))


def test_the_check_fetches_the_service(standin: Gateway, verify: TwilioVerifyProvider) -> None:
    standin.status, standin.answer = 200, {"sid": SERVICE}
    verify.check()
    assert [(call.method, call.target) for call in standin.calls] == [("GET", f"/v2/Services/{SERVICE}")]


def test_the_check_tells_a_service_that_does_not_exist(
    standin: Gateway, verify: TwilioVerifyProvider
) -> None:
    standin.status, standin.answer = 404, {"code": 20404, "message": "no", "status": 404}
    with pytest.raises(SmsUnavailable, match="check TWILIO_VERIFY_SID"):
        verify.check()


@pytest.mark.parametrize(
    ("api", "verify"),
    [
        ("https://api.twilio.com", "https://verify.twilio.com"),
        ("https://api.dublin.ie1.twilio.com", "https://verify.dublin.ie1.twilio.com"),
        ("http://127.0.0.1:8081", "http://127.0.0.1:8081"),
        ("https://api.example.com/twilio", "https://api.example.com/twilio"),
    ],
)
def test_verify_is_beside_twilios_main_address(api: str, verify: str) -> None:
    assert verify_url(api) == verify


def test_it_sends_no_receipts(verify: TwilioVerifyProvider) -> None:
    assert not verify.receipts
    with pytest.raises(BadSignature):
        verify.read_receipt(ReceiptRequest())


def test_the_setting_loads_it(standin: Gateway) -> None:
    sender = sender_from_settings(settings_for(standin.url))
    sent = sender.send(MESSAGE)
    assert (sent.provider, sent.id, sent.makes_codes) == ("twilio_verify", VERIFICATION, True)
    standin.status, standin.answer = 200, {"sid": VERIFICATION, "status": "approved"}
    assert sender.check_code(sent.provider, NUMBER, sent.id, CODE)
    sender.close()

"""The keys of the SMS providers, what each cannot do without, and what is wrong with them together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from messenger_api.settings.conversions import (
    Unacceptable,
    Verbatim,
    as_literal,
    as_text,
    as_url,
    one_of,
    whole_number,
)
from messenger_api.settings.keys import Keys, key

# What Twilio sends as: a number, a short code, a name of up to 11 signs with a letter, a Messaging Service.
_TWILIO_FROM = re.compile(
    r"\+[1-9][0-9]{0,14}|[0-9]{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 &+_-]{1,11}|MG[0-9a-fA-F]{32}"
)
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def as_headers(value: object) -> tuple[tuple[str, str], ...]:
    """Names and values of HTTP headers."""
    wanted = 'names and values of HTTP headers such as {"Authorization": "Bearer ..."}'
    if not isinstance(value, Mapping):
        raise Unacceptable(wanted)
    pairs = tuple((str(name).strip(), str(text).strip()) for name, text in value.items())
    # A line break would end the header and begin one of somebody else's.
    if not all(_HEADER.fullmatch(name) and text.isprintable() and text.isascii() for name, text in pairs):
        raise Unacceptable(wanted)
    return pairs


def as_statuses(value: object) -> tuple[int, ...]:
    """HTTP statuses; one alone is a list of one."""
    wanted = "a list of HTTP statuses such as [200, 202]"
    items = [value] if isinstance(value, (int, str)) else value
    if not isinstance(items, (list, tuple)):
        raise Unacceptable(wanted)
    try:
        return tuple(map(whole_number(100, 599), (part for item in items for part in _parts(item))))
    except Unacceptable:
        raise Unacceptable(wanted) from None


def _parts(item: object) -> list[object]:
    return [part for part in item.split(",") if part.strip()] if isinstance(item, str) else [item]


@Verbatim
def _as_sender(value: object) -> str:
    text = as_text(value)
    if text and not _TWILIO_FROM.fullmatch(text):
        raise Unacceptable(
            "a number that begins with +, a short code, a name of at most 11 letters and digits, or the id"
            " of a Messaging Service (MG...)"
        )
    return text


@Verbatim
def _as_caller(value: object) -> str:
    text = as_text(value)
    if text and not text.startswith("+"):
        raise Unacceptable("a number that begins with +")
    return text


@dataclass(frozen=True)
class TwilioAccountKeys(Keys):
    """What both providers of Twilio share."""

    twilio_account_sid: str = key(
        "",
        as_text,
        'Twilio\'s account: the "Account SID" of its console.',
        "AC0123456789abcdef0123456789abcdef",
        needed=True,
    )
    twilio_auth_token: str = key(
        "",
        as_text,
        'The "Auth Token" of that account.',
        "0123456789abcdef0123456789abcdef",
        secret=True,
        needed=True,
    )
    twilio_api_url: str = key(
        "https://api.twilio.com",
        as_url,
        "Twilio's address; another one for a region of Twilio's, or for the sandbox.",
        "https://api.dublin.ie1.twilio.com",
    )


@dataclass(frozen=True)
class TwilioKeys(TwilioAccountKeys):
    """Twilio

    For the provider "twilio"; "twilio_verify" takes account, token and address from here too.
    """

    twilio_from: str = key(
        "",
        _as_sender,
        "The sender: a number of the account with + and country code, a messaging service (MG...) or a name.",
        "+14155550100",
        needed=True,
    )
    twilio_voice_from: str = key(
        "",
        _as_caller,
        "The number that calls people and says the code: one of the account, with + and country code."
        " Empty: TWILIO_FROM when that is a number, else there are no calls.",
        "+14155550100",
    )


@dataclass(frozen=True)
class TwilioVerifyKeys(TwilioAccountKeys):
    """Twilio Verify

    For the provider "twilio_verify".
    """

    twilio_verify_sid: str = key(
        "",
        as_text,
        "The service of Twilio Verify, which makes and checks the codes itself.",
        "VA0123456789abcdef0123456789abcdef",
        needed=True,
    )


@dataclass(frozen=True)
class VonageKeys(Keys):
    """Vonage

    For the provider "vonage".
    """

    vonage_api_key: str = key(
        "",
        as_text,
        'The account: the "API key" of Vonage\'s dashboard.',
        "abcd1234",
        needed=True,
    )
    vonage_api_secret: str = key(
        "",
        as_text,
        'The "API secret" of that account.',
        "0123456789abcdef",
        secret=True,
        needed=True,
    )
    vonage_from: str = key(
        "",
        as_text,
        "The sender: a number of the account, or a name of up to eleven letters and digits.",
        "ExampleChat",
        needed=True,
    )
    vonage_signature_secret: str = key(
        "",
        as_text,
        'The account\'s "signature secret", with the method SHA-256 HMAC. Empty: no delivery receipts.',
        "0123456789abcdefghijklmnopqrstuvwxyz",
        secret=True,
    )
    vonage_api_url: str = key(
        "https://rest.nexmo.com",
        as_url,
        "Vonage's address; another one for the sandbox.",
        "http://127.0.0.1:8081/vonage",
    )


@dataclass(frozen=True)
class HttpKeys(Keys):
    """Any other SMS gateway

    For the provider "http".
    """

    sms_http_url: str = key(
        "",
        as_url,
        "Where the request goes. {to} (digits), {to_plus} (with +), {text}, {code} and {from} are filled in.",
        "https://sms.example.com/send?to={to}&text={text}&from={from}",
        secret=True,
        needed=True,
    )
    sms_http_method: str = key(
        "POST",
        one_of("GET", "POST", "PUT"),
        'The method: "GET", "POST" or "PUT".',
        "GET",
    )
    sms_http_headers: tuple[tuple[str, str], ...] = key(
        (),
        as_headers,
        "Headers of that request. The values are never shown.",
        {"Authorization": "Bearer 0123456789abcdef"},
        secret=True,
    )
    sms_http_body: str = key(
        "",
        as_literal,
        "The body, filled in as the address is and escaped as its Content-Type wants. Without such a"
        " header it is JSON when it begins with a brace, else a form.",
        '{"to": "{to_plus}", "from": "{from}", "message": "{text}"}',
        secret=True,
    )
    sms_http_from: str = key(
        "",
        as_text,
        "The sender, for {from}.",
        "ExampleChat",
    )
    sms_http_accepted: tuple[int, ...] = key(
        (200, 201, 202),
        as_statuses,
        "The HTTP statuses that mean that the gateway took the message.",
        [202],
    )
    sms_http_refused: tuple[int, ...] = key(
        (),
        as_statuses,
        "Those that mean that the number is wrong: the person is asked for another. All others are faults"
        " of the gateway, and the next provider is tried.",
        [422],
    )
    sms_http_id: str = key(
        "",
        as_text,
        "The member of the JSON answer that holds the message's id, with dots for members of members. An"
        " answer without it counts as a fault, after which the message may have been sent. Empty: the"
        " answer is not read.",
        "messages.0.id",
    )
    sms_http_receipt_secret: str = key(
        "",
        as_text,
        "The secret with which the gateway signs delivery receipts: the header X-Signature holds the"
        " HMAC-SHA256 of the body in hexadecimal. Empty: no receipts.",
        "0123456789abcdef0123456789abcdef",
        secret=True,
    )

    def faults(self) -> Iterator[str]:
        """A request that cannot be made, or answers and receipts that mean nothing."""
        if not self.sms_http_url:
            return
        yield from self._placeholder_faults(self.sms_http_url + self.sms_http_body)
        if self.sms_http_method == "GET" and self.sms_http_body:
            yield 'SMS_HTTP_BODY: a GET has none; accepted is SMS_HTTP_METHOD = "POST" or "PUT"'
        if not self.sms_http_accepted:
            yield "SMS_HTTP_ACCEPTED: accepted is at least one HTTP status"
        if both := set(self.sms_http_accepted) & set(self.sms_http_refused):
            yield f"SMS_HTTP_REFUSED = {sorted(both)}: accepted are statuses not in SMS_HTTP_ACCEPTED"
        if self.sms_http_receipt_secret and not self.sms_http_id:
            yield "SMS_HTTP_ID: required with SMS_HTTP_RECEIPT_SECRET, to tell what a receipt is about"

    def _placeholder_faults(self, request: str) -> Iterator[str]:
        if "{to}" not in request and "{to_plus}" not in request:
            yield "SMS_HTTP_URL: {to} or {to_plus} must stand in it, or in SMS_HTTP_BODY"
        if "{text}" not in request and "{code}" not in request:
            yield "SMS_HTTP_URL: {text} or {code} must stand in it, or in SMS_HTTP_BODY"
        if "{from}" in request and not self.sms_http_from:
            yield "SMS_HTTP_FROM: required with {from} in SMS_HTTP_URL or SMS_HTTP_BODY"


PROVIDERS: Mapping[str, type[Keys]] = {
    "twilio": TwilioKeys,
    "twilio_verify": TwilioVerifyKeys,
    "vonage": VonageKeys,
    "http": HttpKeys,
}

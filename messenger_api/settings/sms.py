"""The settings' keys for the SMS providers, and what is wrong with them together.

A part of `settings.Settings`, in a file of its own for its length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from messenger_api.settings.conversions import (
    as_flag,
    as_headers,
    as_literal,
    as_statuses,
    as_text,
    as_texts,
    as_url,
    key,
    one_of,
    seconds,
)

# What each provider cannot do without.
NEEDED = {
    "twilio": ("twilio_account_sid", "twilio_auth_token", "twilio_from"),
    "twilio_verify": ("twilio_account_sid", "twilio_auth_token", "twilio_verify_sid"),
    "vonage": ("vonage_api_key", "vonage_api_secret", "vonage_from"),
    "http": ("sms_http_url",),
}

# What Twilio sends as: a number, a short code, a name of up to 11 signs with a letter, a Messaging Service.
_TWILIO_FROM = re.compile(
    r"\+[1-9][0-9]{0,14}|[0-9]{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 &+_-]{1,11}|MG[0-9a-fA-F]{32}"
)


@dataclass(frozen=True)
class SmsKeys:
    """The keys of the SMS providers. `config.example.py` says what each one means."""

    sms_providers: tuple[str, ...] = key(("console",), as_texts)
    sms_timeout: float = key(4.0, seconds(0.5, 8))
    sms_receipts: bool = key(True, as_flag)
    twilio_account_sid: str = key("", as_text)
    twilio_auth_token: str = key("", as_text, secret=True)
    twilio_from: str = key("", as_text)
    twilio_voice_from: str = key("", as_text)
    twilio_verify_sid: str = key("", as_text)
    twilio_api_url: str = key("https://api.twilio.com", as_url)
    vonage_api_key: str = key("", as_text)
    vonage_api_secret: str = key("", as_text, secret=True)
    vonage_from: str = key("", as_text)
    vonage_signature_secret: str = key("", as_text, secret=True)
    vonage_api_url: str = key("https://rest.nexmo.com", as_url)
    # Gateways take their keys in any part of a request.
    sms_http_url: str = key("", as_url, secret=True)
    sms_http_method: str = key("POST", one_of("GET", "POST", "PUT"))
    sms_http_headers: tuple[tuple[str, str], ...] = key((), as_headers, secret=True)
    sms_http_body: str = key("", as_literal, secret=True)
    sms_http_from: str = key("", as_text)
    sms_http_accepted: tuple[int, ...] = key((200, 201, 202), as_statuses)
    sms_http_refused: tuple[int, ...] = key((), as_statuses)
    sms_http_id: str = key("", as_text)
    sms_http_receipt_secret: str = key("", as_text, secret=True)

    def sms_faults(self) -> Iterator[str]:
        """Keys that are missing, or right by themselves and wrong together; a line each."""
        missing: dict[str, str] = {}
        for provider in self.sms_providers:
            for name in NEEDED.get(provider, ()):
                if not getattr(self, name):
                    missing.setdefault(name, provider)
        for name, provider in missing.items():
            yield f"{name.upper()}: required with the SMS provider {provider}"
        if self.twilio_from and not _TWILIO_FROM.fullmatch(self.twilio_from):
            yield (
                f"TWILIO_FROM = {self.twilio_from!r}: accepted is a number that begins with +, a short code,"
                " a name of at most 11 letters and digits, or the id of a Messaging Service (MG...)"
            )
        if self.twilio_voice_from and not self.twilio_voice_from.startswith("+"):
            yield f"TWILIO_VOICE_FROM = {self.twilio_voice_from!r}: accepted is a number that begins with +"
        if "http" in self.sms_providers and self.sms_http_url:
            yield from self._http_faults()

    def _http_faults(self) -> Iterator[str]:
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

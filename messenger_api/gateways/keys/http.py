"""The keys of the provider "http"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from messenger_api.settings.conversions import as_headers, as_literal, as_statuses, as_text, as_url, one_of
from messenger_api.settings.keys import Keys, key

AUTHORIZATION = "Authorization"


@dataclass(frozen=True)
class HttpKeys(Keys):
    """Any other SMS gateway

    For the provider "http".
    """

    sms_http_url: str = key(
        "",
        as_url,
        "Where the request goes. {to} (digits), {to_plus} (with +), {text}, {code} and {from} are filled in."
        " User and password before the host are sent as Basic authorization, and no part of the address.",
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
        if user_info(self.sms_http_url) and header(dict(self.sms_http_headers), AUTHORIZATION):
            yield (
                "SMS_HTTP_HEADERS: its Authorization and the user in SMS_HTTP_URL are two of a kind;"
                " accepted is one of them"
            )
        if self.sms_http_receipt_secret and not self.sms_http_id:
            yield "SMS_HTTP_ID: required with SMS_HTTP_RECEIPT_SECRET, to tell what a receipt is about"

    def _placeholder_faults(self, request: str) -> Iterator[str]:
        if "{to}" not in request and "{to_plus}" not in request:
            yield "SMS_HTTP_URL: {to} or {to_plus} must stand in it, or in SMS_HTTP_BODY"
        if "{text}" not in request and "{code}" not in request:
            yield "SMS_HTTP_URL: {text} or {code} must stand in it, or in SMS_HTTP_BODY"
        if "{from}" in request and not self.sms_http_from:
            yield "SMS_HTTP_FROM: required with {from} in SMS_HTTP_URL or SMS_HTTP_BODY"


def header(headers: Mapping[str, str], name: str) -> str:
    """The value of a header, whatever the case of its name; "" without it."""
    return next((value for given, value in headers.items() if given.lower() == name.lower()), "")


def user_info(url: str) -> str:
    """What stands before the host, such as "user:password" with its escapes; "" of nothing."""
    return urlsplit(url).netloc.rpartition("@")[0]

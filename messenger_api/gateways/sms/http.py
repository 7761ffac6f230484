"""Text messages through any gateway that takes an HTTP request: the request is made from the settings."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, quote_plus, unquote_to_bytes, urlsplit
from xml.sax.saxutils import escape

from messenger_api.gateways.http import HttpClient, Response, Timeouts
from messenger_api.gateways.sms.answers import as_sms_failure, is_refusal, timeouts_within
from messenger_api.gateways.sms.base import SmsProvider, SmsRefused, SmsUnavailable, TextMessage
from messenger_api.gateways.sms.receipts import BadSignature, Receipt, ReceiptRequest, State, read
from messenger_api.settings import Settings
from messenger_api.settings.conversions import as_headers, as_literal, as_statuses, as_text, as_url, one_of
from messenger_api.settings.keys import Keys, key

NAME = "http"

SIGNATURE_HEADER = "X-Signature"
AUTHORIZATION, CONTENT_TYPE = "Authorization", "Content-Type"
STATES = {"sent": State.SENT, "delivered": State.DELIVERED, "failed": State.FAILED}

_PLACEHOLDER = re.compile(r"\{(to|to_plus|text|code|from)\}")

Escape = Callable[[str], str]


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
        if _user_info(self.sms_http_url) and _header(dict(self.sms_http_headers), AUTHORIZATION):
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


class HttpProvider(SmsProvider):
    """Sends as the settings say (keys `SMS_HTTP_...`)."""

    name = NAME

    def __init__(self, settings: Settings, *, timeouts: Timeouts | None = None) -> None:
        keys = self._keys = settings.of(HttpKeys)
        self._headers = dict(keys.sms_http_headers)
        self._escape = _escape_for(_content_type(keys))
        if keys.sms_http_body and not _header(self._headers, CONTENT_TYPE):
            self._headers[CONTENT_TYPE] = _content_type(keys)
        user = _user_info(keys.sms_http_url)
        self._url = keys.sms_http_url.replace(f"{user}@", "", 1) if user else keys.sms_http_url
        if user:
            self._headers[AUTHORIZATION] = _basic(user)
        self._secret = keys.sms_http_receipt_secret.encode()
        self._client = HttpClient(timeouts or timeouts_within(settings))
        # Without the gateway's ids nobody could tell which message a receipt is about.
        self.receipts = bool(settings.sms_receipts and self._secret and keys.sms_http_id)

    def read_receipt(self, request: ReceiptRequest) -> Receipt:
        """A JSON object with `id` and `status`, signed over the body with `SMS_HTTP_RECEIPT_SECRET`."""
        given = request.header(SIGNATURE_HEADER).lower().encode()
        expected = hmac.new(self._secret, request.body, hashlib.sha256).hexdigest().encode()
        if not self._secret or not hmac.compare_digest(given, expected):
            raise BadSignature("not signed with SMS_HTTP_RECEIPT_SECRET")
        fields = request.json()
        message_id = fields.get("id")
        return read(str(message_id or ""), STATES.get(str(fields.get("status"))))

    def close(self) -> None:
        """Close the pooled connections."""
        self._client.close()

    def _deliver(self, message: TextMessage) -> str:
        keys = self._keys
        values = _values(message, keys.sms_http_from)
        url = _filled(self._url, values, lambda value: quote(value, safe=""))
        body = _filled(keys.sms_http_body, values, self._escape).encode() or None
        answer = as_sms_failure(
            NAME,
            lambda: self._client.request(keys.sms_http_method, url, data=body, headers=self._headers),
        )
        if answer.status in keys.sms_http_refused:
            raise SmsRefused(NAME, f"HTTP {answer.status}: the number is refused")
        if answer.status not in keys.sms_http_accepted:
            not_sent = is_refusal(answer.status)
            words = "not sent" if not_sent else "perhaps not sent"
            raise SmsUnavailable(NAME, f"HTTP {answer.status}: {words}", not_sent=not_sent)
        return self._id(answer)

    def _id(self, answer: Response) -> str:
        """The gateway's id of the message. Some gateways answer 200 to a failure, without one."""
        path = self._keys.sms_http_id
        if not path:
            return f"{NAME}-{uuid.uuid4().hex}"
        found = as_sms_failure(NAME, lambda: _member(json.loads(answer.body), path))
        if not found:
            # With a status of success, it may still have been sent.
            raise SmsUnavailable(NAME, "an answer without the member SMS_HTTP_ID")
        return found


def _values(message: TextMessage, sender: str) -> dict[str, str]:
    return {
        "to": message.to,
        "to_plus": f"+{message.to}",
        "text": message.text,
        "code": message.code,
        "from": sender,
    }


def _filled(template: str, values: Mapping[str, str], escape_value: Escape) -> str:
    """The template with its placeholders replaced, each once: braces in a value mean nothing."""
    return _PLACEHOLDER.sub(lambda found: escape_value(values[found[1]]), template)


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for given, value in headers.items() if given.lower() == name.lower()), "")


def _user_info(url: str) -> str:
    """What stands before the host, such as "user:password" with its escapes; "" of nothing."""
    return urlsplit(url).netloc.rpartition("@")[0]


def _basic(user_info: str) -> str:
    """Basic authorization (RFC 7617), in UTF-8."""
    user, _, password = user_info.partition(":")
    credentials = unquote_to_bytes(user) + b":" + unquote_to_bytes(password)
    return f"Basic {base64.b64encode(credentials).decode()}"


def _content_type(keys: HttpKeys) -> str:
    given = _header(dict(keys.sms_http_headers), CONTENT_TYPE)
    is_json = keys.sms_http_body.lstrip().startswith(("{", "["))
    return given or ("application/json" if is_json else "application/x-www-form-urlencoded")


def _escape_for(content_type: str) -> Escape:
    kind = content_type.partition(";")[0].strip().lower()
    if kind.endswith("json"):
        return lambda value: json.dumps(value)[1:-1]
    if kind.endswith("xml"):
        return lambda value: escape(value, {'"': "&quot;", "'": "&apos;"})
    if kind == "application/x-www-form-urlencoded":
        return quote_plus
    return str


def _member(found: object, path: str) -> str:
    """A text or number inside JSON by its path, for example `messages.0.id`; "" when it is not there."""
    for name in path.split("."):
        if isinstance(found, dict):
            found = found.get(name)
        elif isinstance(found, list) and name.isdigit() and int(name) < len(found):
            found = found[int(name)]
        else:
            return ""
    is_id = isinstance(found, (str, int)) and not isinstance(found, bool)
    return str(found) if is_id else ""

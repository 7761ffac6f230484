"""Text messages through any gateway that takes an HTTP request: the request is made from the settings."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import uuid
from collections.abc import Callable, Mapping
from urllib.parse import quote, quote_plus, unquote_to_bytes
from xml.sax.saxutils import escape

from messenger_api.gateways.http import HttpClient, Response, Timeouts
from messenger_api.gateways.keys.http import AUTHORIZATION, HttpKeys, header, user_info
from messenger_api.gateways.sms.answers import as_sms_failure, is_refusal, timeouts_within
from messenger_api.gateways.sms.base import SmsProvider, SmsRefused, SmsUnavailable, TextMessage
from messenger_api.gateways.sms.receipts import BadSignature, Receipt, ReceiptRequest, State, read
from messenger_api.settings import Settings

NAME = "http"

SIGNATURE_HEADER = "X-Signature"
CONTENT_TYPE = "Content-Type"
STATES = {"sent": State.SENT, "delivered": State.DELIVERED, "failed": State.FAILED}

_PLACEHOLDER = re.compile(r"\{(to|to_plus|text|code|from)\}")

Escape = Callable[[str], str]


class HttpProvider(SmsProvider):
    """Sends as the settings say (keys `SMS_HTTP_...`)."""

    name = NAME

    def __init__(self, settings: Settings, *, timeouts: Timeouts | None = None) -> None:
        keys = self._keys = settings.of(HttpKeys)
        self._headers = dict(keys.sms_http_headers)
        self._escape = _escape_for(_content_type(keys))
        if keys.sms_http_body and not header(self._headers, CONTENT_TYPE):
            self._headers[CONTENT_TYPE] = _content_type(keys)
        user = user_info(keys.sms_http_url)
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


def _basic(user: str) -> str:
    """Basic authorization (RFC 7617), in UTF-8."""
    name, _, password = user.partition(":")
    credentials = unquote_to_bytes(name) + b":" + unquote_to_bytes(password)
    return f"Basic {base64.b64encode(credentials).decode()}"


def _content_type(keys: HttpKeys) -> str:
    given = header(dict(keys.sms_http_headers), CONTENT_TYPE)
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

"""Text messages through Vonage's SMS API, formerly Nexmo.

https://developer.vonage.com/en/api/sms
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Mapping

from messenger_api.domain.sms import BASIC, EXTENSION
from messenger_api.gateways.http import HttpClient, Response, Timeouts
from messenger_api.gateways.keys.vonage import VonageKeys
from messenger_api.gateways.sms.answers import as_sms_failure, is_refusal, timeouts_within
from messenger_api.gateways.sms.base import SmsError, SmsProvider, SmsRefused, SmsUnavailable, TextMessage
from messenger_api.gateways.sms.receipts import (
    BadSignature,
    Receipt,
    ReceiptRequest,
    State,
    callback_url,
    read,
)
from messenger_api.settings import Settings

NAME = "vonage"

OK = 200
UNAUTHORIZED = 401
TOO_MANY = 429

# The `status` of each part of a message:
# https://developer.vonage.com/messaging/sms/guides/troubleshooting-sms
ACCEPTED = "0"
# "Whilst processing this message": nobody says how far it came.
INTERNAL_ERROR = "5"
BAD_NUMBER: Mapping[str, str] = {
    "6": "the number's prefix is not known",
    "7": "the number is barred",
    "33": "the number is deactivated",
}
THIS_NUMBER: Mapping[str, str] = {
    "3": "a parameter is invalid: the number, or VONAGE_FROM for its country",
    "15": "VONAGE_FROM may not send to this country",
    "22": "there is no route to the number's network",
    "29": "a demo account sends to numbers on its list only",
}
FAULTS: Mapping[str, str] = {
    "1": "too many messages a second",
    "2": "a parameter is missing",
    "4": "the credentials were not accepted",
    "5": "internal error",
    "8": "the account is suspended",
    "9": "the account has no credit left",
    "10": "too many connections",
    "11": "the account may not use the SMS API",
    "12": "the text is too long",
    "14": "the account demands signed requests",
    "23": "the callback address was not accepted",
    "32": "signature and secret were both given",
}

# The `err-code` of a receipt; what is not 0 was not delivered:
# https://api.support.vonage.com/hc/en-us/articles/204014733
NETWORK: Mapping[str, str] = {
    "1": "unknown",
    "2": "absent for the moment",
    "3": "absent for good",
    "4": "barred by the user",
    "5": "portability error",
    "6": "taken for spam by the carrier",
    "7": "handset busy",
    "8": "network error",
    "9": "the user wants no such messages",
    "10": "illegal message",
    "11": "no route",
    "12": "destination unreachable",
    "13": "below the age for this service",
    "14": "blocked by the carrier",
    "15": "no prepaid credit",
    "99": "general error",
}
DELIVERED_CODE = "0"

# The `status` of a receipt: https://developer.vonage.com/messaging/sms/guides/delivery-receipts
STATES: Mapping[str, State] = {
    "delivered": State.DELIVERED,
    "expired": State.FAILED,
    "failed": State.FAILED,
    "rejected": State.FAILED,
    "accepted": State.SENT,
    "buffered": State.SENT,
    "unknown": State.SENT,
}
# How far Vonage's clock and a slow network may be off before a signature counts as replayed.
OLDEST_SIGNATURE = 300
_SECONDS = re.compile(r"[0-9]{1,12}")


class VonageProvider(SmsProvider):
    """Sends from the account in the settings (keys `VONAGE_...`)."""

    name = NAME

    def __init__(
        self,
        settings: Settings,
        *,
        timeouts: Timeouts | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        keys = settings.of(VonageKeys)
        self._url = keys.vonage_api_url.rstrip("/")
        self._credentials = (keys.vonage_api_key, keys.vonage_api_secret)
        self._sender = keys.vonage_from
        self._signature_secret = keys.vonage_signature_secret.encode()
        # A receipt that nobody could prove is better not asked for.
        self._callback = callback_url(settings, NAME) if self._signature_secret else ""
        self._clock = clock
        self._client = HttpClient(timeouts or timeouts_within(settings))
        self.receipts = bool(self._callback)

    def check(self) -> None:
        """Ask for the account's balance: proves address and credentials."""
        url = f"{self._url}/account/get-balance"
        as_sms_failure(NAME, lambda: _members(self._client.request("GET", url, auth=self._credentials)))

    def read_receipt(self, request: ReceiptRequest) -> Receipt:
        """A delivery receipt, signed by the `sig` parameter with HMAC-SHA256."""
        fields = {**request.query, **request.form}
        if not request.form:
            fields.update({name: str(value) for name, value in request.json().items()})
        self._check_signature(fields)
        code = fields.get("err-code", DELIVERED_CODE)
        state = STATES.get(fields.get("status", ""))
        failed = code != DELIVERED_CODE
        if failed and state is State.SENT:
            state = State.FAILED
        reason = f"code {code}: {NETWORK.get(code, 'not delivered')}" if failed and code.isalnum() else ""
        return read(fields.get("messageId"), state, reason)

    def close(self) -> None:
        """Close the pooled connections."""
        self._client.close()

    def _deliver(self, message: TextMessage) -> str:
        key, secret = self._credentials
        fields = {
            "api_key": key,
            "api_secret": secret,
            "from": self._sender.removeprefix("+"),
            "to": message.to,
            "text": message.text,
        }
        if not BASIC.union(EXTENSION).issuperset(message.text):
            fields["type"] = "unicode"
        if self._callback:
            fields["callback"] = self._callback
        url = f"{self._url}/sms/json"
        outcome = as_sms_failure(NAME, lambda: _outcome(self._client.request("POST", url, data=fields)))
        if isinstance(outcome, SmsError):
            raise outcome
        return outcome

    def _check_signature(self, fields: Mapping[str, str]) -> None:
        """https://developer.vonage.com/en/getting-started/concepts/signing-messages."""
        given = fields.get("sig", "").lower().encode()
        expected = signature(self._signature_secret, fields).encode()
        if not self._signature_secret or not hmac.compare_digest(given, expected):
            raise BadSignature("not signed by Vonage")
        stamp = fields.get("timestamp", "")
        if not _SECONDS.fullmatch(stamp) or abs(self._clock() - int(stamp)) > OLDEST_SIGNATURE:
            raise BadSignature("the signature is old")


def signature(secret: bytes, fields: Mapping[str, str]) -> str:
    """The lower-case hexadecimal HMAC-SHA256 of a request's fields, `sig` left out.

    `&` and `=` in values become `_`, so that no value can pass for another field.
    """
    pairs = sorted((name, value) for name, value in fields.items() if name != "sig")
    text = "".join(f"&{name}={value.replace('&', '_').replace('=', '_')}" for name, value in pairs)
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()


def _outcome(answer: Response) -> str | SmsError:
    """The id of the message's first part, or why a part was not taken."""
    parts = _members(answer)["messages"]
    refused = [status for part in parts if (status := str(part["status"])) != ACCEPTED]
    if refused and len(refused) < len(parts):
        return SmsUnavailable(NAME, f"a part was not taken, the others were: {failure(refused[0]).reason}")
    if refused:
        return failure(refused[0])
    found = parts[0].get("message-id") if parts else None
    return str(found) if found else SmsUnavailable(NAME, "an answer without a message id")


def failure(status: str) -> SmsError:
    """Sort a status of the SMS API that is not "accepted"."""
    shown = status if status.isascii() and status.isdigit() else "?"
    if status in BAD_NUMBER:
        return SmsRefused(NAME, f"status {shown}: {BAD_NUMBER[status]}")
    words = THIS_NUMBER.get(status) or FAULTS.get(status, "not taken")
    about_number, not_sent = status in THIS_NUMBER, status in FAULTS and status != INTERNAL_ERROR
    return SmsUnavailable(NAME, f"status {shown}: {words}", about_number=about_number, not_sent=not_sent)


def _members(answer: Response) -> dict[str, list[dict[str, object]]]:
    if answer.status != OK:
        words = {UNAUTHORIZED: "the credentials were not accepted", TOO_MANY: "too many requests"}
        reason = f"HTTP {answer.status}: {words.get(answer.status, 'not taken')}"
        raise SmsUnavailable(NAME, reason, not_sent=is_refusal(answer.status))
    found: dict[str, list[dict[str, object]]] = json.loads(answer.body)
    if not isinstance(found, dict):
        raise TypeError
    return found

"""Text messages and calls through Twilio: its Messages and Calls resources, with our own codes."""

from __future__ import annotations

import hmac
import re
from itertools import chain
from urllib.parse import urlsplit

from twilio.request_validator import RequestValidator, add_port, remove_port  # type: ignore[import-untyped]

from messenger_api.gateways.http import Timeouts
from messenger_api.gateways.keys.twilio import TwilioKeys
from messenger_api.gateways.sms.base import Channel, SmsProvider, SmsUnavailable, TextMessage
from messenger_api.gateways.sms.receipts import (
    BadSignature,
    Receipt,
    ReceiptRequest,
    State,
    callback_url,
    read,
)
from messenger_api.gateways.sms.twilio_api import TwilioApi
from messenger_api.gateways.sms.twilio_codes import failure, words
from messenger_api.gateways.sms.twilio_speech import speech
from messenger_api.settings import Settings

NAME = "twilio"

# "MG" and 32 hexadecimal digits. The length matters: a sender's name may begin with MG too.
_MESSAGING_SERVICE = re.compile(r"MG[0-9a-fA-F]{32}")
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")

# What Twilio sends of a message and of a call; what is not listed is on its way.
# https://www.twilio.com/docs/messaging/api/message-resource#message-status-values
# https://www.twilio.com/docs/voice/api/call-resource#call-status-values
STATES = {
    "delivered": State.DELIVERED,
    "read": State.DELIVERED,
    "completed": State.DELIVERED,
    "undelivered": State.FAILED,
    "failed": State.FAILED,
    "busy": State.FAILED,
    "no-answer": State.FAILED,
    "canceled": State.FAILED,
}


class TwilioProvider(SmsProvider):
    """Sends from the account in the settings (keys `TWILIO_...`).

    It calls too where there is a number to call from.
    """

    name = NAME

    def __init__(self, settings: Settings, *, timeouts: Timeouts | None = None) -> None:
        keys = settings.of(TwilioKeys)
        self._api = TwilioApi(NAME, settings, keys.twilio_api_url, timeouts)
        client = self._api.client
        # Looked up now, since the library imports these resources on first use: 0.1 s that the start
        # should pay and not the first login.
        self._account = client.api.v2010.accounts(keys.twilio_account_sid)
        self._messages, self._calls = client.messages, client.calls
        sender, self._caller = keys.twilio_from, caller(keys)
        kind = "messaging_service_sid" if _MESSAGING_SERVICE.fullmatch(sender) else "from_"
        self._sender = {kind: sender}
        self._callback = callback_url(settings, NAME)
        self._told = {"status_callback": self._callback} if self._callback else {}
        self._validator = RequestValidator(keys.twilio_auth_token)
        self.receipts = bool(self._callback)
        self.channels = frozenset(Channel) if self._caller else frozenset({Channel.SMS})

    def check(self) -> None:
        """Fetch the account: proves address and credentials, and that the account may send."""
        account = self._api.call(self._account.fetch)
        if account.status != "active":
            raise SmsUnavailable(NAME, "the account is not active")

    def read_receipt(self, request: ReceiptRequest) -> Receipt:
        """A status callback of a message or of a call, signed with the account's auth token."""
        self._check_signature(request)
        fields = request.form
        message_id = fields.get("MessageSid") or fields.get("CallSid")
        status = fields.get("MessageStatus") or fields.get("CallStatus")
        state = STATES.get(status, State.SENT) if status else None
        return read(message_id, state, words(fields.get("ErrorCode", "")))

    def close(self) -> None:
        """Close the pooled connections."""
        self._api.close()

    def _deliver(self, message: TextMessage) -> str:
        to = f"+{message.to}"
        if message.channel is Channel.VOICE:
            twiml = speech(message)
            made = self._api.call(
                lambda: self._calls.create(to=to, from_=self._caller, twiml=twiml, **self._told)
            )
        else:
            made = self._api.call(
                lambda: self._messages.create(to=to, body=message.text, **self._sender, **self._told)
            )
            if made.error_code:
                raise failure(NAME, made.error_code)
        if not made.sid:
            raise SmsUnavailable(NAME, "an answer without a message id")
        return str(made.sid)

    def _check_signature(self, request: ReceiptRequest) -> None:
        """Over the address that Twilio was given, which a proxy may have changed on the way to us.

        https://www.twilio.com/docs/usage/security#validating-requests: with and without the port.
        """
        query = urlsplit(request.url).query
        given = urlsplit(self._callback + (f"?{query}" if query else ""))
        found = request.header("X-Twilio-Signature").encode()
        right = (
            self._validator.compute_signature(url, request.form).encode()
            for url in (add_port(given), remove_port(given))
        )
        if not self._callback or not any(hmac.compare_digest(found, each) for each in right):
            raise BadSignature("not signed by Twilio")


def caller(keys: TwilioKeys) -> str:
    """The number to call from; "" when there is none."""
    candidates = (keys.twilio_voice_from, keys.twilio_from)
    return next(chain((each for each in candidates if _NUMBER.fullmatch(each)), [""]))

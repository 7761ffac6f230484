"""Twilio Verify: Twilio makes the code, sends it by text or call, and checks it.

https://www.twilio.com/docs/verify/api/verification and .../verification-check
"""

from __future__ import annotations

from messenger_api.gateways.http import Timeouts
from messenger_api.gateways.keys.twilio import TwilioVerifyKeys
from messenger_api.gateways.sms.base import (
    Channel,
    SmsUnavailable,
    TextMessage,
    VerifyProvider,
)
from messenger_api.gateways.sms.twilio_api import TwilioApi, verify_url
from messenger_api.gateways.sms.twilio_speech import LANGUAGES
from messenger_api.settings import Settings

NAME = "twilio_verify"

# Verify's word for each channel.
CHANNELS = {Channel.SMS: "sms", Channel.VOICE: "call"}

# Languages of Verify's own texts: https://www.twilio.com/docs/verify/supported-languages. Another one would
# be refused with HTTP 404; without one, Verify takes the language of the number's country.
LOCALES = frozenset({
    "af", "ar", "ca", "cs", "da", "de", "el", "en", "es", "fi", "fr", "he", "hi", "hr", "hu", "id", "it",
    "ja", "ko", "ms", "nb", "nl", "pl", "pt", "ro", "ru", "sv", "th", "tl", "tr", "vi", "zh",
})  # fmt: skip

NOT_FOUND = 404
# "Max check attempts reached": the verification is dead, so no code is right any more.
# https://www.twilio.com/docs/api/errors/60202
CHECKED_TOO_OFTEN = 60202


class TwilioVerifyProvider(VerifyProvider):
    """Verifies by the service in the settings (`TWILIO_VERIFY_SID`)."""

    name = NAME
    channels = frozenset(Channel)

    def __init__(self, settings: Settings, *, timeouts: Timeouts | None = None) -> None:
        keys = settings.of(TwilioVerifyKeys)
        self._api = TwilioApi(NAME, settings, verify_url(keys.twilio_api_url), timeouts)
        # Looked up now, for the library imports its resources on first use.
        self._service = self._api.client.verify.v2.services(keys.twilio_verify_sid)
        self._verifications = self._service.verifications
        self._checks = self._service.verification_checks

    def check(self) -> None:
        """Fetch the service: proves address, credentials and `TWILIO_VERIFY_SID`."""
        self._api.call(self._service.fetch)

    def close(self) -> None:
        """Close the pooled connections."""
        self._api.close()

    def _deliver(self, message: TextMessage) -> str:
        started = self._api.call(
            lambda: self._verifications.create(
                to=f"+{message.to}", channel=CHANNELS[message.channel], **_locale(message)
            )
        )
        if not started.sid:
            raise SmsUnavailable(NAME, "an answer without a verification id")
        return str(started.sid)

    def _check(self, to: str, verification_id: str, code: str) -> bool:
        # The API takes either: the number where the answer with the id got lost.
        which = {"verification_sid": verification_id} if verification_id else {"to": f"+{to}"}
        found = self._api.call(
            lambda: self._checks.create(code=code, **which),
            expected={NOT_FOUND, CHECKED_TOO_OFTEN},
        )
        return found is not None and found.status == "approved"


def _locale(message: TextMessage) -> dict[str, str]:
    language = message.language.partition("-")[0]
    known = LANGUAGES if message.channel is Channel.VOICE else LOCALES
    return {"locale": language} if language in known and language in LOCALES else {}

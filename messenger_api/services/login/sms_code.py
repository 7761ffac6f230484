"""Logging in with a phone number, by a one-time code in a text message or call."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection

from messenger_api.domain.phone import Phone
from messenger_api.domain.pseudonyms import of_phone
from messenger_api.domain.secrets import Keys
from messenger_api.services.identities import PhoneNumbers
from messenger_api.services.login.code_flow import CodeFlow, CodeProof
from messenger_api.services.login.rates import Rates
from messenger_api.services.otp.codes import OneTimeCodes
from messenger_api.services.otp.requests import CodeRequest, Device
from messenger_api.services.otp.verification import CodeVerifier
from messenger_api.services.sms.delivery import TextDelivery
from messenger_api.settings import Settings


@dataclass(frozen=True)
class SmsCodeProof(CodeProof):
    """The right code was shown for a phone number."""

    who: Phone
    delivery: TextDelivery = field(repr=False)

    def finish(self, tx: Connection, now: int, token: str, network: str) -> None:
        """A text whose code is entered speaks for its number, its country, and who asked."""
        super().finish(tx, now, token, network)
        if self.used.was_sent:
            self.delivery.entered(tx, now, self.who, network)


class SmsCodeFlow(CodeFlow):
    """LOGIN_METHOD = "otp", and "mesibo_otp", where mesibo makes the codes (`delivery`) and judges them."""

    def __init__(
        self,
        settings: Settings,
        keys: Keys,
        rates: Rates,
        codes: OneTimeCodes,
        verifier: CodeVerifier,
        numbers: PhoneNumbers,
        delivery: TextDelivery,
    ) -> None:
        super().__init__(settings, rates, codes, verifier)
        self._keys = keys
        self._numbers = numbers
        self._delivery = delivery

    def request_code(self, entry: str, name: str, request: CodeRequest) -> int:
        """A test number has a fixed code, which is sent to nobody."""
        phone = self._numbers.read_number(entry)
        names = of_phone(self._keys, phone, request.network)
        if self._codes.issue_test_code(phone, name):
            return 0
        return self._delivery.send_code(phone, names, name, request)

    def _verify(self, entry: str, secret: str, device: Device) -> SmsCodeProof:
        phone = self._numbers.read_number(entry)
        used = self._verifier.verify(phone, secret, device)
        return SmsCodeProof(phone, used.key, used.name, used, self._verifier, self._delivery)

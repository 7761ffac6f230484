"""Logging in with an address to which a `CodeMethod`, such as e-mail, delivers one-time codes."""

from __future__ import annotations

from messenger_api.domain.errors import BadPhone, TryLater
from messenger_api.domain.limits import Window
from messenger_api.domain.pseudonyms import Pseudonyms, of_name
from messenger_api.domain.secrets import Keys
from messenger_api.gateways.login import CodeMethod, Unavailable, Undeliverable
from messenger_api.services.allowed import Allowed
from messenger_api.services.bulkhead import outbound_slot
from messenger_api.services.identities import LoginNames
from messenger_api.services.limits import HOUR, Claim
from messenger_api.services.login.asked import Asked
from messenger_api.services.login.code_flow import CodeFlow, CodeProof
from messenger_api.services.login.flow import AWAY_SECONDS
from messenger_api.services.login.rates import Rates
from messenger_api.services.otp.codes import Issued, OneTimeCodes
from messenger_api.services.otp.plan import Always
from messenger_api.services.otp.requests import CodeRequest, Device
from messenger_api.services.otp.verification import CodeVerifier
from messenger_api.settings import Settings


class MailedCodeFlow(CodeFlow):
    """LOGIN_METHOD = "email", and every other `CodeMethod`."""

    def __init__(
        self,
        settings: Settings,
        allowed: Allowed,
        keys: Keys,
        rates: Rates,
        codes: OneTimeCodes,
        verifier: CodeVerifier,
        method: CodeMethod,
        asked: Asked,
    ) -> None:
        super().__init__(settings, rates, codes, verifier)
        self._allowed = allowed
        self._keys = keys
        self._method = method
        self._asked = asked
        self._names = LoginNames(method)

    def request_code(self, entry: str, name: str, request: CodeRequest) -> int:
        """A test address has a fixed code, which is sent to nobody."""
        who = self._names.read_address(entry)
        if self._codes.issue_test_code(who, name):
            return 0
        names = of_name(self._keys, who, request.network)
        issued = self._codes.issue(self._codes.draft(names, name), self._plan(names))
        self._deliver(who.address, issued, request.language)
        return issued.wait

    def _plan(self, names: Pseudonyms) -> Always:
        """Mails cost nothing; what is limited is how much of it strangers can cause."""
        rule = Window(self._allowed.most("sms_per_ip_hour"), HOUR)
        return Always((Claim("sms_per_ip", names.network, rule),) if names.network else ())

    def _deliver(self, address: str, issued: Issued, language: str) -> None:
        try:
            with outbound_slot(), self._asked.counted():
                self._method.deliver(address, issued.fresh.code, language)
        except TryLater:
            self._codes.recall(issued)
            raise
        except Undeliverable as error:
            self._codes.recall(issued, but=("sms_per_ip",))
            raise BadPhone("email_bad", properties=("phone",)) from error
        except Unavailable as error:
            # A mail that may have been sent holds a code that stays good, and counts.
            if not error.may_be_sent:
                self._codes.recall(issued)
                raise TryLater(retry_after=AWAY_SECONDS) from error

    def _verify(self, entry: str, secret: str, device: Device) -> CodeProof:
        who = self._names.read_address(entry)
        used = self._verifier.verify(who, secret, device)
        return CodeProof(who, used.key, used.name, used, self._verifier)

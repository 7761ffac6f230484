"""Proving who one is: by a code to a phone number or an address, or by a secret that others judge."""

from __future__ import annotations

from contextlib import nullcontext

from sqlalchemy import Connection

from messenger_api.domain.codes import read_code
from messenger_api.domain.errors import BadCode, BadPhone, TryLater
from messenger_api.domain.identity import Identity, LoginName
from messenger_api.domain.limits import Window
from messenger_api.domain.phone import Phone
from messenger_api.domain.secrets import Keys
from messenger_api.gateways.login import (
    CodeMethod,
    Denied,
    LoginMethod,
    Person,
    Unavailable,
    Undeliverable,
)
from messenger_api.services.bulkhead import outbound_slot
from messenger_api.services.identities import Identities, Method
from messenger_api.services.limits import Claim, Limits
from messenger_api.services.login.attempts import Attempts
from messenger_api.services.login.rates import Rates
from messenger_api.services.otp.codes import HOUR, Device, OneTimeCodes, Plan
from messenger_api.services.otp.failed_attempts import FailedAttempts
from messenger_api.services.otp.verification import CodeVerifier, Proof
from messenger_api.services.sms.delivery import CodeRequest, TextDelivery
from messenger_api.settings import Settings
from messenger_api.storage.models import NAME_LENGTH

# What an app is told when a directory, mail server or issuer is down.
AWAY_SECONDS = 15


class Proving:
    """Takes codes and secrets, and says who showed them."""

    def __init__(
        self,
        settings: Settings,
        keys: Keys,
        limits: Limits,
        identities: Identities,
        method: Method,
        codes: OneTimeCodes,
        verifier: CodeVerifier,
        text_delivery: TextDelivery,
        rates: Rates,
    ) -> None:
        self._settings = settings
        self._keys = keys
        self._identities = identities
        self._method = method
        self._codes = codes
        self._verifier = verifier
        self._text_delivery = text_delivery
        self._rates = rates
        self._attempts = Attempts(settings, keys, limits, FailedAttempts(settings, keys, limits))

    def request_code(self, entry: str, name: str, asked: CodeRequest) -> int:
        """See `Accounts.request_code`."""
        if isinstance(self._method, LoginMethod):
            return 0
        who = self._identities.at_login(entry)
        if self._codes.issue_test_code(who, name):
            return 0
        if isinstance(who, Phone):
            return self._text_delivery.send_code(who, name, asked)
        if isinstance(self._method, CodeMethod):
            return self._mail(self._method, who, name, asked)
        return 0

    def shown(self, *entered: str) -> str:
        """The code or secret among these fields of a request; "" when nothing was shown.

        A code is read from what people type; a secret that others judge stays as it was typed.
        """
        if isinstance(self._method, LoginMethod):
            return next(filter(None, entered), "")
        return next(filter(None, (read_code(text, self._settings.otp_length) for text in entered)), "")

    def prove(self, entry: str, secret: str, device: Device) -> tuple[Identity, Proof]:
        """Who showed this code or secret.

        Raises:
            BadPhone, BadCode, TooMany: see the texts they carry.
            TryLater: who must judge is down.
        """
        self._rates.login_try(device.network)
        if isinstance(self._method, LoginMethod):
            return self._ask(self._method, entry, secret, device)
        who = self._identities.at_login(entry)

        def verify(verification: str, shown: str) -> bool:
            return self._text_delivery.verify(who, verification, shown)

        return who, self._verifier.verify(who, secret, device, verify)

    def close(self) -> None:
        """Give back the connections of the login method."""
        if self._method:
            self._method.close()

    def reply(self, proof: Proof) -> str:
        """The token that this proof has brought before; "" when it has not."""
        return self._verifier.reply(proof)

    def reopen(self, proof: Proof) -> None:
        """The login could not be finished: a code is good for another try."""
        if proof.code_hash:
            self._verifier.reopen(proof)

    def answered(self, proof: Proof, token: str) -> None:
        """Keep what the proof brought, for the phone whose answer gets lost."""
        if proof.code_hash:
            self._verifier.answered(proof, token)

    def entered(
        self, tx: Connection, now: int, who: Identity, proof: Proof, token: str, network: str
    ) -> None:
        """The login from this network is being finished, within its transaction."""
        if not proof.code_hash:
            return
        self._verifier.keep_reply(tx, proof, token)
        if isinstance(who, Phone) and proof.providers:
            self._text_delivery.entered(tx, now, who, network)

    # A code to an address

    def _mail(self, method: CodeMethod, who: Identity, name: str, asked: CodeRequest) -> int:
        issued = self._codes.issue(who, name, self._mail_plan(asked.network))
        try:
            with outbound_slot():
                method.deliver(who.address, issued.code, asked.language)
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
        return issued.wait

    def _mail_plan(self, network: str) -> Plan:
        """Mails cost nothing; what is limited is how much of it strangers can cause."""
        rule = Window(self._settings.sms_per_ip_hour, HOUR)
        return Plan((Claim("sms_per_ip", self._keys.subject(network), rule),) if network else ())

    # A secret that others judge

    def _ask(self, method: LoginMethod, entry: str, secret: str, device: Device) -> tuple[Identity, Proof]:
        address = self._identities.at_login(entry).address if entry else ""
        key = self._keys.contact_key(LoginName(address))
        # A token that names its owner is too long to be guessed.
        claimed = self._attempts.claimed(key, device.network) if address else nullcontext()
        try:
            with outbound_slot(), claimed:
                person = method.authenticate(address, secret)
        except Denied as error:
            raise BadCode("secret_wrong") from error
        except Unavailable as error:
            raise TryLater(retry_after=AWAY_SECONDS) from error
        return self._proven(person)

    def _proven(self, person: Person) -> tuple[Identity, Proof]:
        who = LoginName(person.address)
        name = person.name[:NAME_LENGTH].strip()
        return who, Proof(self._keys.contact_key(who), b"", name, "")

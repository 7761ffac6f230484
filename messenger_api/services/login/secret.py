"""Logging in with a secret that a `LoginMethod` judges: a password, or an issuer's token."""

from __future__ import annotations

from contextlib import nullcontext

from messenger_api.domain.errors import BadCode, TryLater
from messenger_api.domain.identity import LoginName
from messenger_api.domain.secrets import Keys
from messenger_api.domain.trace import Step
from messenger_api.gateways.login import Denied, LoginMethod, Unavailable
from messenger_api.services.bulkhead import outbound_slot
from messenger_api.services.identities import LoginNames
from messenger_api.services.login.asked import Asked
from messenger_api.services.login.attempts import Attempts
from messenger_api.services.login.flow import AWAY_SECONDS, LoginFlow, Proof
from messenger_api.services.login.rates import Rates
from messenger_api.services.otp.requests import CodeRequest, Device
from messenger_api.storage.models import NAME_LENGTH


class SecretProof(Proof):
    """Whoever judges has said yes: there is nothing to note of it, and nothing to use up."""


class SecretFlow(LoginFlow):
    """LOGIN_METHOD = "password", "ldap", "radius", "oidc", and every other `LoginMethod`."""

    def __init__(
        self, keys: Keys, rates: Rates, attempts: Attempts, method: LoginMethod, asked: Asked
    ) -> None:
        super().__init__(rates)
        self._asked = asked
        self._keys = keys
        self._attempts = attempts
        self._method = method
        self._names = LoginNames(method)

    def shown(self, *entered: str) -> str:
        """A secret stays as it was typed."""
        return next(filter(None, entered), "")

    def request_code(self, entry: str, name: str, request: CodeRequest) -> int:
        """No code is sent; the answer only tells the app to ask its user for the secret."""
        return 0

    def _verify(self, entry: str, secret: str, device: Device) -> SecretProof:
        address = self._names.read_address(entry).address if entry else ""
        key = self._keys.contact_key(LoginName(address))
        # A token that names its owner is too long to be guessed.
        claimed = self._attempts.claimed(key, device.network) if address else nullcontext()
        try:
            with outbound_slot(), claimed, self._asked.counted():
                person = self._method.authenticate(address, secret)
        except Denied as error:
            raise BadCode("secret_wrong", why=Step.WRONG) from error
        except Unavailable as error:
            raise TryLater(retry_after=AWAY_SECONDS) from error
        who = LoginName(person.address)
        return SecretProof(who, self._keys.contact_key(who), person.name[:NAME_LENGTH].strip())

"""What all ways to log in share: a code may be asked for, somebody proves who they are, the login ends.

    LoginFlow
    ├── CodeFlow             one-time codes that we make
    │   ├── SmsCodeFlow      sent by text message or call; made by mesibo where LOGIN_METHOD says so
    │   └── MailedCodeFlow   sent by a `CodeMethod`
    └── SecretFlow           a password or token that a `LoginMethod` judges

`choice` takes one by LOGIN_METHOD.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from sqlalchemy import Connection

from messenger_api.domain.identity import Identity
from messenger_api.services.login.rates import Rates
from messenger_api.services.otp.requests import CodeRequest, Device

# What an app is told when a directory, mail server or issuer is down.
AWAY_SECONDS = 15


@dataclass(frozen=True)
class Proof:
    """Somebody has proven to be the owner of an address. `name` is for a new account.

    A proof of which nothing is kept does nothing in its methods.
    """

    who: Identity
    key: bytes = field(repr=False)
    """The blind key of the account."""
    name: str = field(repr=False)

    def earlier_token(self) -> str | None:
        """The token that the same proof has brought before, to a phone that may not have got it."""
        return None

    def finish(self, tx: Connection, now: int, token: str, network: str) -> None:
        """Note, within the login's transaction (`Limits.write`), what it brought, and from where."""

    def keep(self, token: str) -> None:
        """Note what it brought, in a transaction of its own."""

    def reopen(self) -> None:
        """The login could not be finished: let the same proof be good for another try."""


class LoginFlow(ABC):
    """One way to log in. Used by several threads at a time."""

    def __init__(self, rates: Rates) -> None:
        self._rates = rates

    @abstractmethod
    def shown(self, *entered: str) -> str:
        """The code or secret among these fields of a request; "" when nothing was shown."""

    @abstractmethod
    def request_code(self, entry: str, name: str, request: CodeRequest) -> int:
        """Send a one-time code, the same way whether or not there is an account.

        Args:
            entry: the number or address as it was typed.
            name: of a new account.
            request: how the code is to come, and who asks.

        Returns:
            Seconds until another code may be asked for; 0 where no code is sent.

        Raises:
            BadPhone: the number or address is unusable, or gets no codes.
            TooMany: a code was sent a moment ago, or a limit was reached.
            TryLater: the code could not be sent; it is forgotten.
        """

    def verify(self, entry: str, secret: str, device: Device) -> Proof:
        """Who showed this code or secret.

        Raises:
            BadPhone, BadCode, TooMany: see the texts they carry.
            TryLater: who must judge is down; a code is still good.
        """
        self._rates.login_try(device.network)
        return self._verify(entry, secret, device)

    @abstractmethod
    def _verify(self, entry: str, secret: str, device: Device) -> Proof: ...

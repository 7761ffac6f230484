"""What both flows with one-time codes of ours share, whoever delivers them."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass, field

from sqlalchemy import Connection

from messenger_api.domain.codes import read_code
from messenger_api.services.login.flow import LoginFlow, Proof
from messenger_api.services.login.rates import Rates
from messenger_api.services.otp.codes import OneTimeCodes
from messenger_api.services.otp.verification import CodeVerifier, UsedCode
from messenger_api.settings import Settings


@dataclass(frozen=True)
class CodeProof(Proof):
    """The right code was shown."""

    used: UsedCode = field(repr=False)
    verifier: CodeVerifier = field(repr=False)

    def earlier_token(self) -> str | None:
        """The token that the code has brought before, sealed beside it."""
        return self.verifier.earlier_token(self.used)

    def finish(self, tx: Connection, now: int, token: str, network: str) -> None:
        """Keep the token beside the code, sealed."""
        self.verifier.keep_reply(tx, self.used, token)

    def keep(self, token: str) -> None:
        """The same, in a transaction of its own."""
        self.verifier.keep_reply_alone(self.used, token)

    def reopen(self) -> None:
        """Take it that the code was not used."""
        self.verifier.reopen(self.used)


class CodeFlow(LoginFlow, ABC):
    """One-time codes that we make."""

    def __init__(self, settings: Settings, rates: Rates, codes: OneTimeCodes, verifier: CodeVerifier) -> None:
        super().__init__(rates)
        self._length = settings.otp_length
        self._codes = codes
        self._verifier = verifier

    def shown(self, *entered: str) -> str:
        """A code is read from what people type."""
        return next(filter(None, (read_code(text, self._length) for text in entered)), "")

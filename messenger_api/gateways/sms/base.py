"""What all SMS providers share: the message, the kinds of failure, and timing, logging and outcome.

    SmsError
    ├── SmsRefused            this number will not get the message, whoever sends it: ask for another number
    │   ├── SmsFraud          the provider says that it is fraud: stop
    │   └── SmsWrongChannel   not by this channel: a landline hears a call and reads no text
    └── SmsUnavailable        a fault on the provider's side: the next provider, or a later try, may do it

An `SmsUnavailable` has `not_sent` where the provider proves that nobody gets the message: a connection that
was not made, a refusal in its answer. Any other, and whatever else a provider raises, leaves that open: the
message may have been sent, is paid for and counted, and its code stays good.

There are two shapes of provider. To an `SmsProvider` we hand the text, which holds a code of ours:

    class MyProvider(SmsProvider):
        name = "mine"

        def __init__(self, settings: Settings) -> None: ...

        def _deliver(self, message: TextMessage) -> str: ...

A `VerifyProvider` makes the code itself and alone can check it. Name either in SMS_PROVIDERS by its dotted
path, for example "mycompany.sms.MyProvider".
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, TypeVar

import structlog

from messenger_api.domain.phone import masked
from messenger_api.gateways.failures import cut_off
from messenger_api.gateways.sms.receipts import BadSignature, Receipt, ReceiptRequest
from messenger_api.settings import Keys

log = structlog.get_logger(__name__)

# The log's name of an attempt.
SEND = "sms.send"

Result = TypeVar("Result")


class Channel(StrEnum):
    """How a code reaches a person."""

    SMS = "sms"
    VOICE = "voice"


@dataclass(frozen=True)
class TextMessage:
    """A message with a one-time code. Its printed form hides number, text and code."""

    to: str
    """The number: the digits of E.164 without `+`, for example `919876543210`."""
    text: str
    """All that the person reads; it holds our own code."""
    code: str = ""
    """That code alone, for a voice that says it digit by digit."""
    language: str = "en"
    """The language of the text, as ISO 639-1."""
    channel: Channel = Channel.SMS

    def __repr__(self) -> str:
        return f"TextMessage(to={masked(self.to)}, text=<{len(self.text)} characters>, {self.channel.value})"


class SmsError(Exception):
    """A message that no provider is known to have taken.

    `provider` is the provider's name. `reason` is short and for the operator: it never holds the
    number, the text or a credential, so that it may enter a log.
    """

    outcome: ClassVar[str] = "unavailable"
    """The log's word for it."""
    not_sent: bool = True
    """Whether it is proven that nobody gets the message."""

    def __init__(self, provider: str, reason: str) -> None:
        super().__init__(f"{provider}: {reason}")
        self.provider = provider
        self.reason = reason


class SmsRefused(SmsError):
    """The network will not deliver to this number: it is wrong, or its owner opted out."""

    outcome = "refused"


class SmsFraud(SmsRefused):
    """The provider takes the request for fraud. Nothing more is sent to this number, by nobody."""

    outcome = "fraud"


class SmsWrongChannel(SmsRefused):
    """The number cannot be reached by this channel and may be by another: a landline by a call."""

    outcome = "wrong channel"


class SmsUnavailable(SmsError):
    """The provider cannot do it now: time-out, outage, bad credentials, rate limit.

    With `not_sent` it is proven that nothing was sent; without, the message may arrive all the same.
    With `about_number` the provider is well and cannot do it for this number alone (a country that is
    not switched on), so nothing was sent: others are tried, and it keeps its place for other numbers.
    """

    def __init__(
        self, provider: str, reason: str, *, about_number: bool = False, not_sent: bool = False
    ) -> None:
        super().__init__(provider, reason)
        self.about_number = about_number
        self.not_sent = not_sent or about_number


class SmsProvider(ABC):
    """One way to send messages. Used by several threads at a time."""

    name: str = "custom"
    """Shown in logs and errors, and kept beside what was sent. No two configured ones share it."""
    keys: ClassVar[type[Keys]] = Keys
    """The keys of its own in the configuration, which `settings.of` gives it; only for dotted paths."""
    channels: frozenset[Channel] = frozenset({Channel.SMS})
    """What it can send by."""
    costs: bool = True
    """Whether a message costs money, so that limits must guard it."""
    receipts: bool = False
    """Whether delivery receipts come by webhook."""
    makes_codes: ClassVar[bool] = False
    """Whether the provider makes and checks the code itself."""

    def send(self, message: TextMessage) -> str:
        """Hand the message over and log how it went, with the number masked and never the text.

        Returns:
            The provider's id of the message.

        Raises:
            SmsRefused: the network will not deliver to this number.
            SmsUnavailable: the provider cannot do it now, or failed in a way it did not foresee.
        """
        facts = {"provider": self.name, "to": masked(message.to)}
        if message.channel is not Channel.SMS:
            facts["channel"] = message.channel.value
        return self._logged(SEND, facts, lambda: self._deliver(message), _sent)

    def check(self) -> None:  # noqa: B027 - a provider without credentials has nothing to check
        """Prove the credentials with a real call that sends nothing.

        Raises:
            SmsError: they do not work, or the provider cannot be reached.
        """

    def read_receipt(self, request: ReceiptRequest) -> Receipt:
        """What a delivery receipt says, after its signature was proven.

        Raises:
            BadSignature: it is not signed by the provider; also from a provider that sends none.
            BadReceipt: it is signed and cannot be read.
        """
        raise BadSignature(f"{self.name} sends no receipts")

    def close(self) -> None:  # noqa: B027 - a provider without connections has nothing to close
        """Give back the connections. The provider is not used afterwards."""

    @abstractmethod
    def _deliver(self, message: TextMessage) -> str:
        """Hand the message over within a finite time and return the provider's id of it.

        Raises:
            SmsRefused: the network will not deliver to this number.
            SmsUnavailable: the provider cannot do it now.
        """

    def _logged(
        self,
        event: str,
        facts: dict[str, str],
        work: Callable[[], Result],
        told: Callable[[Result], dict[str, object]],
    ) -> Result:
        """Do the work, log how it went in one line, and raise what failed."""
        started = time.monotonic()
        result = cut_off(work, SmsError, self._unavailable, "sms.provider_failed", provider=self.name)
        ms = round((time.monotonic() - started) * 1000)
        if result is None:
            result = self._unavailable("no result")
        if isinstance(result, SmsError):
            doubt = {} if result.not_sent or event != SEND else {"may_be_sent": True}
            log.warning(event, outcome=result.outcome, reason=result.reason, ms=ms, **facts, **doubt)
            raise result
        log.info(event, ms=ms, **told(result), **facts)
        return result

    def _unavailable(self, reason: str) -> SmsError:
        return SmsUnavailable(self.name, reason)


class VerifyProvider(SmsProvider):
    """A provider that makes the code itself: `send` starts a verification and returns its id.

    The text and the code of the message are not used. A verification that may have been started although
    its answer got lost has the id "": the code is then to be checked by the number alone.
    """

    makes_codes = True

    def check_code(self, to: str, verification_id: str, code: str) -> bool:
        """Whether this is the code that the provider sent.

        Raises:
            SmsUnavailable: the provider cannot say.
        """
        facts = {"provider": self.name, "to": masked(to)}
        return self._logged("sms.check", facts, lambda: self._ask(to, verification_id, code), _checked)

    def _ask(self, to: str, verification_id: str, code: str) -> bool:
        failure: SmsError
        try:
            return self._check(to, verification_id, code)
        except SmsRefused as error:
            # Nobody can be told of a refused number at this point: it is a check that was not made.
            failure = SmsUnavailable(self.name, error.reason)
        raise failure

    @abstractmethod
    def _check(self, to: str, verification_id: str, code: str) -> bool:
        """Ask the provider within a finite time whether the code is right. A dead code is wrong.

        Raises:
            SmsUnavailable: it cannot say.
        """


def _sent(message_id: str) -> dict[str, object]:
    return {"outcome": "sent", "id": message_id}


def _checked(right: bool) -> dict[str, object]:
    return {"outcome": "right" if right else "wrong"}

"""What all SMS providers share: the message, the two kinds of failure, and timing, logging and outcome.

    SmsError
    ├── SmsRefused       this number will not get the message, whoever sends it: ask the person for another
    └── SmsUnavailable   a fault on the provider's side: the next provider, or the same one later, may do it

A new provider is one class with one method:

    class MyProvider(SmsProvider):
        name = "mine"

        def __init__(self, settings: Settings) -> None: ...

        def _deliver(self, message: TextMessage) -> str: ...

Name it in SMS_PROVIDERS by its dotted path, for example "mycompany.sms.MyProvider".
"""

from __future__ import annotations

import time
import traceback
from abc import ABC, abstractmethod
from dataclasses import dataclass

import structlog

from messenger_api.domain.phone import masked

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class TextMessage:
    """A text message. Its printed form hides the text, which holds a one-time code."""

    to: str
    """The number: the digits of E.164 without `+`, for example `919876543210`."""
    text: str

    def __repr__(self) -> str:
        return f"TextMessage(to={masked(self.to)}, text=<{len(self.text)} characters>)"


class SmsError(Exception):
    """A text message that was not sent.

    `provider` is the provider's name. `reason` is short and for the operator: it never holds the
    number, the text or a credential, so that it may enter a log.
    """

    def __init__(self, provider: str, reason: str) -> None:
        super().__init__(f"{provider}: {reason}")
        self.provider = provider
        self.reason = reason


class SmsRefused(SmsError):
    """The network will not deliver to this number: it is wrong, no mobile, or its owner opted out."""


class SmsUnavailable(SmsError):
    """The provider cannot do it now: time-out, outage, bad credentials, rate limit."""


class SmsProvider(ABC):
    """One way to send text messages. Used by several threads at a time."""

    name = "custom"
    """Shown in logs and errors."""

    def send(self, message: TextMessage) -> str:
        """Hand the message over and log how it went, with the number masked and never the text.

        Returns:
            The provider's id of the message.

        Raises:
            SmsRefused: the network will not deliver to this number.
            SmsUnavailable: the provider cannot do it now, or failed in a way it did not foresee.
        """
        started = time.monotonic()
        message_id, failure = self._attempt(message)
        facts = {
            "provider": self.name,
            "to": masked(message.to),
            "ms": round((time.monotonic() - started) * 1000),
        }
        if failure:
            outcome = "refused" if isinstance(failure, SmsRefused) else "unavailable"
            log.warning("sms.send", outcome=outcome, reason=failure.reason, **facts)
            raise failure
        log.info("sms.send", outcome="sent", id=message_id, **facts)
        return message_id

    def check(self) -> None:  # noqa: B027 - a provider without credentials has nothing to check
        """Prove the credentials with a real call that sends nothing.

        Raises:
            SmsError: they do not work, or the provider cannot be reached.
        """

    def close(self) -> None:  # noqa: B027 - a provider without connections has nothing to close
        """Give back the connections. The provider is not used afterwards."""

    @abstractmethod
    def _deliver(self, message: TextMessage) -> str:
        """Hand the message over within a finite time and return the provider's id of it.

        Raises:
            SmsRefused: the network will not deliver to this number.
            SmsUnavailable: the provider cannot do it now.
        """

    def _attempt(self, message: TextMessage) -> tuple[str, SmsError | None]:
        """The id or the failure, which is cut off from what caused it.

        A library's exception may quote the number or hold the whole request, and a traceback prints
        causes; so the failure carries none and is raised by the caller, outside the handler.
        """
        try:
            return self._deliver(message), None
        except SmsError as error:
            error.__cause__ = error.__context__ = None
            return "", error
        except Exception as error:  # noqa: BLE001 - whatever a library raises, the next provider is tried
            kind = type(error).__name__
            # Where it happened, without what it says.
            frames = "".join(traceback.format_tb(error.__traceback__))
            log.error("sms.provider_failed", provider=self.name, error=kind, frames=frames)
            return "", SmsUnavailable(self.name, f"unexpected {kind}")

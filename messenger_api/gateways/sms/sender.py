"""The configured providers, tried in order of health."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from messenger_api.gateways.sms.base import (
    Channel,
    SmsError,
    SmsProvider,
    SmsUnavailable,
    SmsWrongChannel,
    TextMessage,
    VerifyProvider,
)
from messenger_api.gateways.sms.calls import ProviderCalls
from messenger_api.gateways.sms.health import Health

TIMEOUT = 4.0


@dataclass(frozen=True)
class Sent:
    """A message that a provider took."""

    provider: str
    """Its name, for `SmsSender.check_code` and `avoid`."""
    id: str
    """Its id of the message, or of the verification."""
    channel: Channel
    makes_codes: bool
    """Whether the person received the provider's own code, which the provider alone can check."""
    receipts: bool
    """Whether a delivery receipt will come."""


@dataclass(frozen=True)
class Attempt:
    """A message at one provider, and what came of it: `error` is None when the provider took it."""

    provider: SmsProvider
    channel: Channel
    id: str = ""
    """The provider's id of the message or verification; "" when it is not known."""
    error: SmsError | None = None

    @property
    def may_be_sent(self) -> bool:
        """Whether somebody gets the message, or may."""
        return self.error is None or not self.error.not_sent

    @property
    def outcome(self) -> str:
        """What came of it in a word: `sent`, `unknown` where it may be sent, or the error's own."""
        if self.error is None:
            return "sent"
        return self.error.outcome.replace(" ", "_") if self.error.not_sent else "unknown"


class Book(Protocol):
    """Keeps a record of the attempts at a message while it is being sent."""

    def open(self, provider: SmsProvider, channel: Channel) -> None:
        """Called before each attempt; what it raises ends the sending, and the attempt is not made."""

    def close(self, attempt: Attempt) -> None:
        """Called after each attempt."""


class _NoBook:
    """Records nothing."""

    def open(self, provider: SmsProvider, channel: Channel) -> None: ...

    def close(self, attempt: Attempt) -> None: ...


class SmsSender:
    """Sends by the first provider that can.

    Args:
        providers: in the order in which to try them while all are well.
        timeout: seconds that an attempt with one provider may take at most.
        health: remembers who failed.

    Raises:
        ValueError: there is no provider, or two have the same name.
    """

    def __init__(
        self, providers: Sequence[SmsProvider], *, timeout: float = TIMEOUT, health: Health | None = None
    ) -> None:
        if not providers:
            raise ValueError("SMS_PROVIDERS: names no provider")
        self.providers = tuple(providers)
        self.timeout = timeout
        self._by_name = {provider.name: provider for provider in providers}
        if len(self._by_name) < len(providers):
            raise ValueError("SMS_PROVIDERS: two providers have the same name")
        self._calls = {name: ProviderCalls(name, timeout) for name in self._by_name}
        self._health = health or Health()

    @property
    def channels(self) -> frozenset[Channel]:
        """What can be sent by."""
        return frozenset(chain.from_iterable(provider.channels for provider in self.providers))

    @property
    def costs(self) -> bool:
        """Whether a message may cost money."""
        return any(provider.costs for provider in self.providers)

    def get(self, name: str) -> SmsProvider | None:
        """The provider of this name."""
        return self._by_name.get(name)

    def distrust(self, name: str) -> None:
        """A provider took messages that did not arrive: try the others first for a while."""
        self._health.failed(name)

    def send(
        self,
        message: TextMessage,
        *,
        avoid: Collection[str] = (),
        ours: bool = False,
        book: Book | None = None,
    ) -> Sent:
        """Send by the first provider that can.

        A provider that timed out may have sent the message all the same. The person then gets it
        twice, with the same code unless a provider makes its own, which is better than not at all.

        Args:
            message: what to send, and by which channel.
            avoid: names of providers that failed this number before; they come last.
            ours: the code in the message must arrive, so providers that make their own are left out.
            book: hears of each attempt before and after, and may end the sending.

        Raises:
            SmsRefused: the network will not deliver to this number; no further provider was tried.
            SmsWrongChannel: not by this channel, which may also be one that no provider has.
            SmsUnavailable: every provider failed; the reason names each. `not_sent` when all have proven it.
        """
        able = [
            provider.name
            for provider in self.providers
            if message.channel in provider.channels and not (ours and provider.makes_codes)
        ]
        if not able:
            names = ", ".join(self._by_name)
            raise SmsWrongChannel(names, "no provider has this channel")
        failures: list[SmsError] = []
        for name in self._order(able, avoid):
            try:
                return self._send(self._by_name[name], message, book or _NoBook())
            except SmsUnavailable as error:
                failures.append(error)
        raise _together(failures)

    def check_code(self, provider_name: str, to: str, verification_id: str, code: str) -> bool:
        """Whether this is the code that the provider sent to this number.

        Raises:
            SmsUnavailable: the provider cannot say, or is not configured any more.
        """
        provider = self.get(provider_name)
        if not isinstance(provider, VerifyProvider):
            raise SmsUnavailable(provider_name, "not configured to check codes")
        return self._calls[provider.name].run(lambda: provider.check_code(to, verification_id, code))

    def check(self) -> None:
        """Check every provider, also those behind a working one.

        Raises:
            SmsUnavailable: at least one does not work; the reason names each of them.
        """
        failures: list[SmsError] = []
        for provider in self.providers:
            try:
                provider.check()
            except SmsError as error:
                failures.append(error)
        if failures:
            raise _together(failures)

    def only(self, name: str) -> SmsSender | None:
        """A sender by the provider of this name alone, for tests by hand; None when there is no such one."""
        provider = self.get(name)
        return SmsSender([provider], timeout=self.timeout) if provider else None

    def close(self) -> None:
        """Give back every provider's connections."""
        for provider in self.providers:
            provider.close()

    def _order(self, able: Sequence[str], avoid: Collection[str]) -> Iterator[str]:
        fresh = [name for name in able if name not in avoid]
        yield from self._health.order(fresh)
        yield from self._health.order([name for name in able if name in avoid])

    def _send(self, provider: SmsProvider, message: TextMessage, book: Book) -> Sent:
        book.open(provider, message.channel)
        try:
            message_id = self._calls[provider.name].run(lambda: provider.send(message))
        except SmsError as error:
            if isinstance(error, SmsUnavailable) and not error.about_number:
                self._health.failed(provider.name)
            else:
                self._health.succeeded(provider.name)
            book.close(Attempt(provider, message.channel, error=error))
            raise
        self._health.succeeded(provider.name)
        book.close(Attempt(provider, message.channel, message_id))
        return Sent(provider.name, message_id, message.channel, provider.makes_codes, provider.receipts)


def _together(failures: Sequence[SmsError]) -> SmsUnavailable:
    names = ", ".join(failure.provider for failure in failures)
    reasons = "; ".join(str(failure) for failure in failures)
    return SmsUnavailable(names, reasons, not_sent=all(failure.not_sent for failure in failures))

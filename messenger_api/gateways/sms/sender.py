"""The configured providers, tried in order."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence

from messenger_api.gateways.sms.base import SmsError, SmsProvider, SmsUnavailable, TextMessage
from messenger_api.gateways.sms.console import ConsoleProvider, Inbox
from messenger_api.settings import Settings


class SmsSender:
    """Sends by the first provider that can."""

    def __init__(self, providers: Sequence[SmsProvider]) -> None:
        if not providers:
            raise ValueError("SMS_PROVIDERS: names no provider")
        self.providers = tuple(providers)

    def send(self, message: TextMessage) -> str:
        """Send by the first provider that can, and return that provider's id of the message.

        A provider that timed out may have sent the message all the same. The person then gets it
        twice, with the same code, which is better than not at all.

        Raises:
            SmsRefused: the network will not deliver to this number; no further provider was tried.
            SmsUnavailable: every provider failed; the reason names each.
        """
        failures: list[SmsError] = []
        for provider in self.providers:
            try:
                return provider.send(message)
            except SmsUnavailable as error:
                failures.append(error)
        raise _together(failures)

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

    def close(self) -> None:
        """Give back every provider's connections."""
        for provider in self.providers:
            provider.close()


def sender_from_settings(settings: Settings, *, inbox: Inbox | None = None) -> SmsSender:
    """The sender that `SMS_PROVIDERS` describes.

    Args:
        settings: `sms_providers` names "console", "twilio", or a class by its dotted path, which is
            called with the settings.
        inbox: gets number and text of each message of the console provider.

    Raises:
        ValueError: a name in `SMS_PROVIDERS` is unknown or cannot be loaded.
    """
    return SmsSender([_provider(name, settings, inbox) for name in settings.sms_providers])


def _together(failures: Sequence[SmsError]) -> SmsUnavailable:
    names = ", ".join(failure.provider for failure in failures)
    return SmsUnavailable(names, "; ".join(str(failure) for failure in failures))


def _provider(name: str, settings: Settings, inbox: Inbox | None) -> SmsProvider:
    if name == "console":
        return ConsoleProvider(inbox)
    if name == "twilio":
        # Imported only where it is used: Twilio's library costs every other start its time and memory.
        from messenger_api.gateways.sms.twilio import TwilioProvider

        return TwilioProvider(settings)
    return _provider_class(name)(settings)


def _provider_class(path: str) -> Callable[[Settings], SmsProvider]:
    where = f"SMS_PROVIDERS = {path!r}"
    module_name, dot, class_name = path.rpartition(".")
    if not dot:
        raise ValueError(f'{where}: accepted are console, twilio and a dotted path such as "sms.MyProvider"')
    try:
        found: object = getattr(importlib.import_module(module_name), class_name)
    except Exception as error:  # whatever the operator's module raises, the key is what they must hear of
        raise ValueError(f"{where}: cannot be imported: {type(error).__name__}: {error}") from error
    if not (isinstance(found, type) and issubclass(found, SmsProvider)):
        # A ValueError, since it is the setting's value that is wrong.
        raise ValueError(f"{where}: not a messenger_api.gateways.sms.SmsProvider")  # noqa: TRY004
    return found

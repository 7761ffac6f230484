"""From the names in `SMS_PROVIDERS` to providers."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from messenger_api.gateways.sms.base import SmsProvider
from messenger_api.gateways.sms.console import ConsoleProvider, Inbox
from messenger_api.gateways.sms.sender import SmsSender
from messenger_api.settings import Settings

# Imported only where they are used: Twilio's library costs every other start its time and memory.
_OURS = {
    "twilio": "messenger_api.gateways.sms.twilio.TwilioProvider",
    "twilio_verify": "messenger_api.gateways.sms.twilio_verify.TwilioVerifyProvider",
    "vonage": "messenger_api.gateways.sms.vonage.VonageProvider",
    "http": "messenger_api.gateways.sms.http.HttpProvider",
}
NAMES = ("console", *_OURS)
"""What `SMS_PROVIDERS` may name besides dotted paths."""


def sender_from_settings(settings: Settings, *, inbox: Inbox | None = None) -> SmsSender:
    """The sender that `SMS_PROVIDERS` describes.

    Args:
        settings: `sms_providers` names "console", "twilio", "twilio_verify", "vonage", "http", or a class
            by its dotted path, which is called with the settings.
        inbox: gets number and text of each message of the console provider.

    Raises:
        ValueError: a name in `SMS_PROVIDERS` is unknown or cannot be loaded.
    """
    providers = [_provider(name, settings, inbox) for name in settings.sms_providers]
    return SmsSender(providers, timeout=settings.sms_timeout)


def _provider(name: str, settings: Settings, inbox: Inbox | None) -> SmsProvider:
    if name == "console":
        return ConsoleProvider(inbox)
    return _provider_class(name, _OURS.get(name, name))(settings)


def _provider_class(name: str, path: str) -> Callable[[Settings], SmsProvider]:
    where = f"SMS_PROVIDERS = {name!r}"
    module_name, dot, class_name = path.rpartition(".")
    if not dot:
        raise ValueError(
            f'{where}: accepted are {", ".join(NAMES)} and a dotted path such as "sms.MyProvider"'
        )
    try:
        found: object = getattr(importlib.import_module(module_name), class_name)
    except Exception as error:  # whatever the operator's module raises, the key is what they must hear of
        raise ValueError(f"{where}: cannot be imported: {type(error).__name__}: {error}") from error
    if not (isinstance(found, type) and issubclass(found, SmsProvider)):
        # A ValueError, since it is the setting's value that is wrong.
        raise ValueError(f"{where}: not a messenger_api.gateways.sms.SmsProvider")  # noqa: TRY004
    return found

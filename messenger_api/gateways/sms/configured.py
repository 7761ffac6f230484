"""From the names in `SMS_PROVIDERS` to providers."""

from __future__ import annotations

from collections.abc import Callable

from messenger_api.gateways.keys.sms_providers import PROVIDERS
from messenger_api.gateways.sms.base import SmsProvider
from messenger_api.gateways.sms.console import ConsoleProvider, Inbox
from messenger_api.gateways.sms.sender import SmsSender
from messenger_api.settings import Settings, SettingsError, country_faults

TEXTS = "a provider that sends the codes of others, such as twilio"


def sender_from_settings(settings: Settings, *, inbox: Inbox | None = None) -> SmsSender:
    """The sender that `SMS_PROVIDERS` describes.

    Args:
        settings: `sms_providers` names "console", "twilio", "twilio_verify", "vonage", "http", or a class
            by its dotted path, which is called with the settings.
        inbox: gets number and text of each message of the console provider.

    Raises:
        ValueError: a name in `SMS_PROVIDERS` is unknown or cannot be loaded.
        SettingsError: texts cost money, and no country is named that may be texted; or mesibo makes the
            codes, and every provider sends its own alone.
    """
    providers = [_provider(name, settings, inbox) for name in settings.sms_providers]
    sender = SmsSender(providers, timeout=settings.sms_timeout)
    faults = country_faults(settings, costs=sender.costs)
    if settings.codes_are_mesibos and all(provider.makes_codes for provider in providers):
        faults.append(f"SMS_PROVIDERS: accepted with LOGIN_METHOD = {settings.login_method!r} is {TEXTS}")
    if faults:
        sender.close()
        raise SettingsError(faults)
    return sender


def _provider(name: str, settings: Settings, inbox: Inbox | None) -> SmsProvider:
    if name == "console":
        return ConsoleProvider(inbox)
    found = PROVIDERS.load(name)
    if not (isinstance(found, type) and issubclass(found, SmsProvider)):
        raise PROVIDERS.fault(name, "not a messenger_api.gateways.sms.SmsProvider")
    make: Callable[[Settings], SmsProvider] = found
    return make(settings)

"""From the names in `SMS_PROVIDERS` to providers."""

from __future__ import annotations

from collections.abc import Callable

from messenger_api.gateways.plugins import Plugin, Plugins
from messenger_api.gateways.sms.base import SmsProvider
from messenger_api.gateways.sms.console import ConsoleProvider, Inbox
from messenger_api.gateways.sms.http import HttpKeys
from messenger_api.gateways.sms.sender import SmsSender
from messenger_api.gateways.sms.twilio_keys import TwilioKeys, TwilioVerifyKeys
from messenger_api.gateways.sms.vonage import VonageKeys
from messenger_api.settings import Settings, SettingsError, country_faults

_HERE = "messenger_api.gateways.sms"
_OURS = {
    "twilio": Plugin(f"{_HERE}.twilio.TwilioProvider", TwilioKeys),
    "twilio_verify": Plugin(f"{_HERE}.twilio_verify.TwilioVerifyProvider", TwilioVerifyKeys),
    "vonage": Plugin(f"{_HERE}.vonage.VonageProvider", VonageKeys),
    "http": Plugin(f"{_HERE}.http.HttpProvider", HttpKeys),
}
NAMES = ("console", *_OURS)
"""What `SMS_PROVIDERS` may name besides dotted paths."""

TEXTS = "a provider that sends the codes of others, such as twilio"

PROVIDERS = Plugins("SMS_PROVIDERS", "SMS provider", _OURS, NAMES, example="mycompany.sms.MyProvider")
"""Loaded only where they are used: Twilio's library costs every other start its time and memory."""


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

"""Text messages: the providers, tried in the order of `SMS_PROVIDERS`."""

from messenger_api.gateways.sms.base import SmsError, SmsProvider, SmsRefused, SmsUnavailable, TextMessage
from messenger_api.gateways.sms.console import ConsoleProvider
from messenger_api.gateways.sms.sender import SmsSender, sender_from_settings

__all__ = [
    "ConsoleProvider",
    "SmsError",
    "SmsProvider",
    "SmsRefused",
    "SmsSender",
    "SmsUnavailable",
    "TextMessage",
    "sender_from_settings",
]

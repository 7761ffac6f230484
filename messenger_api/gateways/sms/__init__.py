"""Messages with one-time codes: the providers, tried in the order of `SMS_PROVIDERS`."""

from messenger_api.gateways.sms.base import (
    Channel,
    SmsError,
    SmsFraud,
    SmsProvider,
    SmsRefused,
    SmsUnavailable,
    SmsWrongChannel,
    TextMessage,
    VerifyProvider,
)
from messenger_api.gateways.sms.configured import sender_from_settings
from messenger_api.gateways.sms.console import ConsoleProvider
from messenger_api.gateways.sms.health import Health
from messenger_api.gateways.sms.receipts import BadReceipt, BadSignature, Receipt, ReceiptRequest, State
from messenger_api.gateways.sms.sender import Attempt, Sent, SmsSender

__all__ = [
    "Attempt",
    "BadReceipt",
    "BadSignature",
    "Channel",
    "ConsoleProvider",
    "Health",
    "Receipt",
    "ReceiptRequest",
    "Sent",
    "SmsError",
    "SmsFraud",
    "SmsProvider",
    "SmsRefused",
    "SmsSender",
    "SmsUnavailable",
    "SmsWrongChannel",
    "State",
    "TextMessage",
    "VerifyProvider",
    "sender_from_settings",
]

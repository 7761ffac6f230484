"""What `SMS_PROVIDERS` may name."""

from __future__ import annotations

from messenger_api.gateways.keys.http import HttpKeys
from messenger_api.gateways.keys.twilio import TwilioKeys, TwilioVerifyKeys
from messenger_api.gateways.keys.vonage import VonageKeys
from messenger_api.gateways.plugins import Plugin, Plugins

_HERE = "messenger_api.gateways.sms"
_OURS = {
    "twilio": Plugin(f"{_HERE}.twilio.TwilioProvider", TwilioKeys),
    "twilio_verify": Plugin(f"{_HERE}.twilio_verify.TwilioVerifyProvider", TwilioVerifyKeys),
    "vonage": Plugin(f"{_HERE}.vonage.VonageProvider", VonageKeys),
    "http": Plugin(f"{_HERE}.http.HttpProvider", HttpKeys),
}
NAMES = ("console", *_OURS)
"""What `SMS_PROVIDERS` may name besides dotted paths."""

PROVIDERS = Plugins("SMS_PROVIDERS", "SMS provider", _OURS, NAMES, example="mycompany.sms.MyProvider")
"""Loaded only where they are used: Twilio's library costs every other start its time and memory."""

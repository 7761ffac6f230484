"""Text messages on the pretended SMS network, late or lost where a fault says so."""

from __future__ import annotations

import math

from messenger_api.sandbox.faults import Faults
from messenger_api.sandbox.memory import NEVER
from messenger_api.sandbox.records import TextMessage
from messenger_api.sandbox.store import SandboxStore

FAULT = "text"
"""The op of faults of the way between a provider, who has taken the text, and the phone."""


def send(store: SandboxStore, to: str, text: str, provider: str = "console", sender: str = "") -> TextMessage:
    """Put a text message on its way, as `record_sms` does."""
    fault = Faults(store).take(FAULT)
    delay = 0 if fault is None else NEVER if fault.drop else math.ceil(fault.delay)
    return store.record_sms(to, text, provider, sender, delay=delay)

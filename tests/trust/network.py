"""An SMS network that costs money, and delivers to a list that the tests read."""

from __future__ import annotations

import re
from typing import ClassVar

from messenger_api.gateways.sms import SmsProvider, TextMessage
from messenger_api.settings import Settings


class Network(SmsProvider):
    """Takes every text; named by its dotted path."""

    name = "network"
    texts: ClassVar[list[TextMessage]] = []

    def __init__(self, settings: Settings) -> None:
        self.app = settings.sms_app_name

    def _deliver(self, message: TextMessage) -> str:
        self.texts.append(message)
        return f"text-{len(self.texts)}"

    @classmethod
    def reset(cls) -> None:
        """Forget all texts."""
        cls.texts.clear()

    @classmethod
    def code(cls, number: str) -> str:
        """The code in the newest text to a number."""
        text = next(text.text for text in reversed(cls.texts) if text.to == number)
        found = re.search(r"\d{6}", text)
        assert found
        return found[0]

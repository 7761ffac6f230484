"""The provider for development: it prints the message instead of sending it."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable

import structlog

from messenger_api.gateways.sms.base import SmsProvider, TextMessage

log = structlog.get_logger(__name__)

Inbox = Callable[[str, str], object]


class ConsoleProvider(SmsProvider):
    """Prints each message on one line of standard output. NOT for production: nobody receives anything.

    Args:
        inbox: called with the number (digits) and the text of every message; the sandbox shows them.
    """

    name = "console"
    costs = False

    def __init__(self, inbox: Inbox | None = None) -> None:
        self._inbox = inbox
        log.warning("sms.console", note="text messages are PRINTED, NOT SENT: not for production")

    def _deliver(self, message: TextMessage) -> str:
        # Not through logging: logs are kept and shipped, and a code must never enter one.
        text = _one_line(message.text)
        sys.stdout.write(f">>>> SMS NOT SENT (console: not for production) to +{message.to}: {text} <<<<\n")
        sys.stdout.flush()
        if self._inbox:
            self._inbox(message.to, message.text)
        return f"console-{uuid.uuid4().hex}"


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)

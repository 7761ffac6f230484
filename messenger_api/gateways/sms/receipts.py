"""Delivery receipts: what became of a message, told by the provider's webhook."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from messenger_api.settings import Settings

PATH = "/sms/receipts/"


class BadReceipt(Exception):
    """A receipt that says nothing. Its text holds nothing of the receipt."""


class BadSignature(BadReceipt):
    """A receipt that the provider did not sign, or whose signature is old or absent: to be refused."""


class State(StrEnum):
    """How far a message came."""

    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True)
class ReceiptRequest:
    """The webhook's request. Header names may have any case."""

    url: str = ""
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    form: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    def header(self, name: str) -> str:
        """A header's value, "" when it is absent."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), "")

    def json(self) -> dict[str, Any]:
        """The members of the body's JSON object; none when it is something else."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class Receipt:
    """What a receipt says of the message with the provider's `id`; `reason` is for the log."""

    id: str
    state: State
    reason: str = ""


def callback_url(settings: Settings, provider: str) -> str:
    """Where a provider is to send its receipts; "" when none are wanted or none could come."""
    if not settings.sms_receipts or not settings.public_url.startswith("https://"):
        return ""
    return f"{settings.public_url.rstrip('/')}{PATH}{provider}"


def read(message_id: object, state: State | None, reason: str = "") -> Receipt:
    """A receipt from what was found in the request.

    Raises:
        BadReceipt: there is no id, or no state.
    """
    if not message_id or not isinstance(message_id, str) or state is None:
        raise BadReceipt("a receipt without the id of a message, or without its state")
    return Receipt(message_id, state, reason)

"""What reaches a phone past the product: text messages, and mesibo's messages, read from the sandbox."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import requests

from tests.processes import wait_for

# Far more than a text or a message ever needs, and no more than a person would wait.
PATIENCE_SECONDS = 20


@dataclass(frozen=True)
class Delivered:
    """A message as mesibo hands it to the app."""

    mid: int
    sender: str
    text: str


class Outside:
    """The SMS network and mesibo, as seen by phones."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._http = requests.Session()
        self._http.trust_env = False  # no proxy of the machine stands between two local ports
        self._read: set[int] = set()

    def code(self, number: str) -> str:
        """The code in the next text message to a number; each text is read once."""
        [text, *_] = wait_for(lambda: self._unread(number), PATIENCE_SECONDS, "a text message with a code")
        found = re.search(r"\b\d{6}\b", text["text"])
        assert found, "the text message holds no code"
        self._read.add(text["id"])
        return found[0]

    def messages(self, number: str, after: int = 0) -> list[Delivered]:
        """The messages to a number with a `mid` over `after`, oldest first."""
        found = self._get("messages", after=after)
        return [
            Delivered(message["mid"], message["from"], message["text"])
            for message in reversed(found)
            if number in message["to"]
        ]

    def newest_message(self) -> int:
        """The `mid` up to which everything was delivered by now."""
        return max((message["mid"] for message in self._get("messages", limit=1)), default=0)

    def close(self) -> None:
        self._http.close()

    def _unread(self, number: str) -> list[dict[str, Any]]:
        return [text for text in self._get("sms") if text["to"] == number and text["id"] not in self._read]

    def _get(self, kind: str, *, after: int = 0, limit: int = 1000) -> list[dict[str, Any]]:
        address = f"{self._server}/sandbox/{kind}.json"
        response = self._http.get(address, params={"after": after, "limit": limit}, timeout=PATIENCE_SECONDS)
        response.raise_for_status()
        found: list[dict[str, Any]] = response.json()[kind]
        return found

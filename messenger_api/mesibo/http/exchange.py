"""One exchange with a server: how long it may take, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Timeouts(NamedTuple):
    """Seconds: `connect` for making one connection, `read` for an exchange as a whole, connecting too."""

    connect: float = 3.0
    read: float = 10.0


@dataclass(frozen=True)
class Response:
    """An answer as it came."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class NoResponse(Exception):
    """An exchange without an answer. Holds nothing of the request, and has no cause.

    Attributes:
        reason: `connect`, `proxy`, `tls`, `timeout`, `broken` (the connection ended before the answer
            did), `too large`, `bad url`, or `too late` (it was cancelled before it was sent).
        sent: whether any of it was written, so that the server may have done what it asks for.
        answered: whether the head of an answer had come.
        detail: what happened, for people; "" when nobody can say.
        server: scheme, host and port that were asked; "" for a bad URL.
    """

    def __init__(
        self, reason: str, *, sent: bool, answered: bool = False, detail: str = "", server: str = ""
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent
        self.answered = answered
        self.detail = detail
        self.server = server

    @property
    def told(self) -> str:
        """What happened and where, for people."""
        return ", ".join(filter(None, (self.detail or self.reason, self.server)))

"""The id of the request that a thread is at: in its lines of the log, its answer, its calls of mesibo."""

from __future__ import annotations

import random
import re
from contextvars import ContextVar

from structlog.typing import EventDict

HEADER = "X-Request-ID"

_current: ContextVar[str] = ContextVar("request_id", default="")

enter, leave = _current.set, _current.reset
"""Be at a request from now on, and no longer, with what `enter` returned."""

# As nginx ($request_id), and Caddy or HAProxy (UUIDs), write them: nothing that anybody could read.
_well_formed = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch


def new_id() -> str:
    """An id that tells requests apart, and is no secret."""
    return random.getrandbits(64).to_bytes(8).hex()


def taken(given: str) -> str:
    """The id that a proxy gave, in small letters; "" for what is none."""
    found = given.strip().lower()
    return found if _well_formed(found) else ""


def current() -> str:
    """The id; "" where there is no request."""
    return _current.get()


def add_to(_logger: object, _name: str, event: EventDict) -> EventDict:
    """Of structlog's processors, the one that adds the id to a line."""
    if request := _current.get():
        event["request"] = request
    return event

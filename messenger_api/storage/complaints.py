"""What the log is told of a database that cannot do its work: an error once a minute, with what to do."""

from __future__ import annotations

import structlog
from sqlalchemy import Engine

from messenger_api.throttle import Throttle

log = structlog.get_logger(__name__)

# MySQL/MariaDB error numbers (server error reference): disk full, table full, error from the disk; and
# running read-only (two codes).
_FULL_CODES = frozenset({1021, 1114, 1030})
READ_ONLY_CODES = frozenset({1290, 1836})
# What SQLite says of the same.
_FULL_WORDS, _READ_ONLY_WORDS = ("disk is full", "disk I/O error"), ("readonly",)

_seldom = Throttle()


def complain(engine: Engine, error: Exception, attempt: int) -> None:
    """Say why the database failed at the last attempt: loud once a minute for each reason, else quietly."""
    cause = getattr(error, "orig", None) or error
    place = engine.url.database if engine.dialect.name == "sqlite" else engine.url.host
    to_do = _to_do(cause, str(place or "DB_HOST"))
    say = log.error if _seldom.is_due(f"{place} {to_do}") else log.info
    say("database.failed", error=short(error), attempt=attempt, to_do=to_do)


def _to_do(cause: BaseException, place: str) -> str:
    text = str(cause)
    number = code(cause)
    if number in _FULL_CODES or any(words in text for words in _FULL_WORDS):
        return f"make room on the disk of {place}"
    if number in READ_ONLY_CODES or any(words in text for words in _READ_ONLY_WORDS):
        return f"let {place} be written to: it may only be read"
    return "messenger-api check"


def code(error: object) -> object:
    """The number that MySQL gave an error."""
    return (getattr(error, "args", ()) or (None,))[0]


def short(error: Exception) -> str:
    """What the driver said, cut."""
    cause = getattr(error, "orig", None) or error
    return f"{type(cause).__name__}: {str(cause)[:200]}"

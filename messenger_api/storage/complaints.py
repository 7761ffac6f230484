"""What the log is told of a database that cannot do its work: an error once a minute, with what to do."""

from __future__ import annotations

import structlog
from pymysql.constants import CR
from sqlalchemy import Engine

from messenger_api.throttle import Throttle

log = structlog.get_logger(__name__)

# MySQL/MariaDB error numbers (server error reference): disk full, table full, error from the disk; and
# running read-only (two codes).
_FULL_CODES = frozenset({1021, 1114, 1030})
READ_ONLY_CODES = frozenset({1290, 1836})
# Too many connections: of all, and of this user (two codes).
_CROWDED_CODES = frozenset({1040, 1203, 1226})
# No right to the database, to a statement, to a column.
_RIGHTS_CODES = frozenset({1044, 1142, 1143})
_HELP = {
    **dict.fromkeys(_FULL_CODES, "make room on the disk of {place}"),
    **dict.fromkeys(READ_ONLY_CODES, "let {place} be written to: it may only be read"),
    **dict.fromkeys(_CROWDED_CODES, "raise max_connections of {place}, or set a smaller DB_POOL_SIZE"),
    **dict.fromkeys(_RIGHTS_CODES, "give the database's user the rights that README.md names"),
    1045: "check DB_USER and DB_PASS, or SQLALCHEMY_DATABASE_URI",
    1049: "check DB_NAME, or SQLALCHEMY_DATABASE_URI",
    1146: "put the table back, by a backup: docs/operations/backup.md",
    CR.CR_SSL_CONNECTION_ERROR: "check the certificates that it names, and that the database speaks TLS",
}
# What SQLite says of the same.
_FULL_WORDS, _READ_ONLY_WORDS = ("disk is full", "disk I/O error"), ("readonly",)

_seldom = Throttle()


def complain(engine: Engine, error: Exception, attempt: int) -> None:
    """Say why the database failed at the last attempt: loud once a minute for each reason, else quietly."""
    cause = said(error)
    place = engine.url.database if engine.dialect.name == "sqlite" else engine.url.host
    to_do = what_helps(cause, str(place or "DB_HOST")) or "messenger-api check"
    say = log.error if _seldom.is_due(f"{place} {to_do}") else log.info
    say("database.failed", error=short(error), attempt=attempt, to_do=to_do)


def what_helps(cause: BaseException, place: str) -> str:
    """What to do about an error of the driver; "" when that does not follow from it."""
    text = str(cause)
    if any(words in text for words in _FULL_WORDS):
        return f"make room on the disk of {place}"
    if any(words in text for words in _READ_ONLY_WORDS):
        return f"let {place} be written to: it may only be read"
    number = code(cause)
    return _HELP.get(number, "").format(place=place) if isinstance(number, int) else ""


def said(error: BaseException) -> BaseException:
    """The driver's own error, where SQLAlchemy wrapped it."""
    return getattr(error, "orig", None) or error


def code(error: object) -> object:
    """The number that MySQL gave an error."""
    return (getattr(error, "args", ()) or (None,))[0]


def short(error: Exception) -> str:
    """What the driver said, cut."""
    cause = said(error)
    return f"{type(cause).__name__}: {str(cause)[:200]}"

"""The log: one line an event, as text for people or JSON for machines. Never a secret or a full number."""

from __future__ import annotations

import logging
import re
import sys
import time
from functools import lru_cache, partial

import structlog
from structlog.typing import EventDict, Processor

from messenger_api import request_id

_QUERY = re.compile(r"\?[^ ]*")

_PARTED = re.compile("[ \\t=\\r\\n\"']").search
_EVENT_WIDTH = 24
# Of the longest name of a level that structlog knows.
_LEVEL_WIDTH = 9
# Keys of an event that is more than a line, or less: an exception, a logger's name.
_MORE = frozenset({"exc_info", "exception", "stack", "logger", "logger_name"})

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure(level: str, form: str, *more: Processor) -> None:
    """Send structlog's events to standard error; `more` processors see each before it becomes a line."""
    rendering = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if form == "json"
        else [for_people(sys.stderr.isatty())]
    )
    structlog.configure(
        processors=[
            request_id.add_to,
            structlog.processors.add_log_level,
            *more,
            _add_time,
            *rendering,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    logging.getLogger("werkzeug").addFilter(_without_query)


def _add_time(_logger: object, _name: str, event: EventDict) -> EventDict:
    second, microseconds = divmod(time.time_ns() // 1000, 1_000_000)
    event["timestamp"] = f"{_second(second)}.{microseconds:06d}Z"
    return event


@lru_cache(maxsize=1)
def _second(at: int) -> str:
    """A unix second as ISO 8601 has it, in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))


def for_people(colors: bool) -> structlog.typing.Processor:
    """Renders an event as a line of text."""
    # Where rich is installed, structlog would print every local variable: tokens, codes, numbers.
    whole = structlog.dev.ConsoleRenderer(
        colors=colors, pad_event_to=_EVENT_WIDTH, exception_formatter=structlog.dev.plain_traceback
    )
    return whole if colors else partial(_line, whole)


def _line(
    whole: structlog.dev.ConsoleRenderer, logger: object, name: str, event: structlog.typing.EventDict
) -> str:
    """The line that `whole` renders, at a fraction of its cost; what is more than a line is left to it."""
    if not _MORE.isdisjoint(event):
        return str(whole(logger, name, event))
    at, level = event.pop("timestamp"), event.pop("level").ljust(_LEVEL_WIDTH)
    line = f"{at} [{level}] {event.pop('event').ljust(_EVENT_WIDTH)}"
    for key in sorted(event):
        line += f" {key}={_word(event[key])}"
    return line.rstrip(" ")


def _word(value: object) -> str:
    """A value as it is, where nobody can take its end for that of another."""
    return value if isinstance(value, str) and not _PARTED(value) else repr(value)


def _without_query(record: logging.LogRecord) -> bool:
    """Take out of the lines of Flask's own server what stands behind a path: a GET holds its token there."""
    if isinstance(record.args, tuple):
        record.args = tuple(_QUERY.sub("", arg) if isinstance(arg, str) else arg for arg in record.args)
    return True

"""The log: one line an event, as text for people or JSON for machines. Never a secret or a full number."""

from __future__ import annotations

import logging
import re
import sys

import structlog

_QUERY = re.compile(r"\?[^ ]*")

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure(level: str, form: str) -> None:
    """Send structlog's events to standard error."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            pad_event_to=24,
            # Where rich is installed, structlog would print every local variable: tokens, codes, numbers.
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info if form == "json" else _leave,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    logging.getLogger("werkzeug").addFilter(_without_query)


def _without_query(record: logging.LogRecord) -> bool:
    """Take out of the lines of Flask's own server what stands behind a path: a GET holds its token there."""
    if isinstance(record.args, tuple):
        record.args = tuple(_QUERY.sub("", arg) if isinstance(arg, str) else arg for arg in record.args)
    return True


def _leave(_logger: object, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return event

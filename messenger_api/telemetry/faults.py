"""Errors of the log go to whoever receives what Sentry's clients send (SENTRY_DSN; extra `sentry`).

What goes there is the event's name, the op, the request's id, and of an exception its kind, its redacted text
and the places in the code: no value of a variable, no request, no name of this machine's user.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sentry_sdk
from sentry_sdk.utils import BadDsn
from structlog.typing import EventDict, Processor

from messenger_api.domain.redaction import redacted
from messenger_api.settings import SettingsError
from messenger_api.version import VERSION

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

END_SECONDS = 2.0

# Of a line's fields, those from closed sets.
_TAGS = ("op", "kind", "limit", "provider", "request")

_REPORTED = frozenset({"error", "critical"})
# What ends a call tells again what `api.fault` has told.
_TOLD = frozenset({"api.answer"})


def reporting(dsn: str) -> Processor:
    """A processor of structlog's that reports the lines of level error.

    Raises:
        SettingsError: the library cannot read the address.
    """
    try:
        sentry_sdk.init(
            dsn,
            release=VERSION,
            default_integrations=False,
            include_local_variables=False,
            include_source_context=False,
            max_breadcrumbs=0,
            server_name="",
            before_send=_redact,
        )
    except BadDsn as error:
        raise SettingsError(["SENTRY_DSN: accepted is an address such as https://key@host/1"]) from error

    def report(_logger: object, _name: str, event: EventDict) -> EventDict:
        if event["level"] in _REPORTED and event["event"] not in _TOLD:
            with sentry_sdk.new_scope() as scope:
                for tag in _TAGS:
                    if tag in event:
                        scope.set_tag(tag, str(event[tag]))
                scope.set_tag("event", str(event["event"]))
                if event.get("exc_info"):
                    sentry_sdk.capture_exception()
                else:
                    sentry_sdk.capture_message(str(event["event"]), level="error")
        return event

    return report


def end() -> None:
    """Send what is left, for a moment at most."""
    sentry_sdk.flush(END_SECONDS)


def _redact(event: Event, _hint: Hint) -> Event:
    found: Event = _clean(event)
    return found


def _clean(value: Any) -> Any:
    """The same, each text in it redacted but for what Sentry itself needs: ids, times, places in the code."""
    if isinstance(value, dict):
        return {name: each if name in _KEPT else _clean(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_clean(each) for each in value]
    return redacted(value, strict=True) if isinstance(value, str) else value


_KEPT = frozenset(
    {
        "event_id",
        "timestamp",
        "trace_id",
        "span_id",
        "request",
        "filename",
        "abs_path",
        "module",
        "function",
        "lineno",
        "sdk",
        "release",
        "type",
        "runtime",
        "modules",
    }
)

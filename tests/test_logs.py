"""Lines of the log are those that structlog renders, whatever stands in them."""

from __future__ import annotations

import sys
from typing import Any

import structlog
from hypothesis import given
from hypothesis import strategies as st

from messenger_api import logs

STRUCTLOGS = structlog.dev.ConsoleRenderer(
    colors=False, pad_event_to=24, exception_formatter=structlog.dev.plain_traceback
)
TEXTS = st.text() | st.sampled_from(["", " ", "a b", "a=b", "it's", 'say "hi"', "a\tb", "a\r\nb", "AUTHFAIL"])
VALUES = (
    TEXTS | st.none() | st.booleans() | st.integers() | st.floats() | st.binary() | st.lists(st.integers())
)
EVENTS = st.fixed_dictionaries(
    {
        "event": TEXTS,
        "level": st.sampled_from(sorted({*logs.LEVELS, "critical"})),
        "timestamp": st.just("2026"),
    },
    optional=dict.fromkeys(("op", "error", "ms", "to_do", "A", "what"), VALUES),
)


def lines(event: dict[str, Any]) -> list[str]:
    """By both."""
    return [str(render(None, "", dict(event))) for render in (logs.for_people(colors=False), STRUCTLOGS)]


@given(event=EVENTS)
def test_a_line_is_the_one_that_structlog_would_write(event: dict[str, Any]) -> None:
    ours, structlogs = lines(event)
    assert ours == structlogs


def test_an_exception_stands_below_its_line_without_the_values_of_its_variables() -> None:
    secret = "code-" + "1" * 3
    try:
        raise ValueError(len(secret))
    except ValueError:
        ours, structlogs = lines({"event": "api.fault", "level": "error", "exc_info": sys.exc_info()})
    assert ours == structlogs
    assert "ValueError: 8" in ours
    assert secret not in ours

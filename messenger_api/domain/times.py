"""Spans of time, and times as files and exports have them."""

from __future__ import annotations

import datetime as dt

DAY_SECONDS = 24 * 3600


def iso(second: int) -> str:
    """A unix second as ISO 8601 in UTC; "" for 0."""
    return dt.datetime.fromtimestamp(second, dt.UTC).isoformat() if second else ""

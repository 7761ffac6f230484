"""What a request of the sandbox's pages names: ids of rows, how many rows it wants, and texts."""

from __future__ import annotations

from flask import request

LARGEST_ID = 2**63 - 1
"""Of SQLite's integers."""
ID = f"<int(max={LARGEST_ID}):number>"
"""Of a route: the number of a row. There is no page for one that no row can have."""
MOST_ROWS = 1_000


def limit() -> int:
    """How many rows are wanted, 1 to MOST_ROWS."""
    return max(1, min(request.args.get("limit", 100, type=int), MOST_ROWS))


def after() -> int:
    """The id after which rows are wanted, 0 for all; there are none after one that no row can have."""
    return max(0, min(request.args.get("after", 0, type=int), LARGEST_ID))


def is_id(value: object) -> bool:
    """Whether a member of a JSON body is a number that a row can have."""
    return type(value) is int and 0 <= value <= LARGEST_ID


def is_text(value: str) -> bool:
    """Whether a text can be kept: JSON can name halves of characters, which UTF-8 has not."""
    return not any("\ud800" <= letter <= "\udfff" for letter in value)

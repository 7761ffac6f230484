"""Real calls and what they were answered, written by scripts/make-samples; tests make them anew.

Of an op that is not ours, a call that is likely.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from messenger_api.ops import OPERATIONS
from messenger_api.ops.call import Operation
from messenger_api.ops.examples import PHOTO, example_of

FILE = "samples.json"
FILE_SENT = "@photo.jpg"
"""Stands in a call for the file that comes with it, as curl takes it."""
SESSION = {"token": "EXAMPLE-TOKEN"}
SERVER = "https://chat.example.com"
"""The address of the server that answered."""


class Sample(msgspec.Struct, frozen=True):
    """The fields of a call, and its answer where it was made.

    Tokens, names of files and thumbnails are made shorter.
    """

    request: dict[str, Any]
    answer: dict[str, Any] | None = None

    @property
    def has_file(self) -> bool:
        """Whether a file comes with the call."""
        return FILE_SENT in self.request.values()


def of(op: str, operation: Operation) -> Sequence[Sample]:
    """The samples of an op."""
    if op in OPERATIONS:
        return _all().get(op, ())
    session = SESSION if operation.needs_session else {}
    return [Sample({"op": op, **session, **example_of(op, operation).filled({PHOTO: FILE_SENT})})]


@cache
def _all() -> Mapping[str, Sequence[Sample]]:
    text = files(__package__).joinpath(FILE).read_bytes()
    return msgspec.json.decode(text, type=dict[str, list[Sample]])

"""Real calls and what they were answered, written by scripts/make-samples; tests make them anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

FILE = "samples.json"
FILE_SENT = "@photo.jpg"
"""Stands in a call for the file that comes with it, as curl takes it."""
SERVER = "https://chat.example.com"
"""The address of the server that answered."""


class Sample(msgspec.Struct, frozen=True):
    """The fields of a call, and its answer. Tokens, names of files and thumbnails are made shorter."""

    request: dict[str, Any]
    answer: dict[str, Any]

    @property
    def has_file(self) -> bool:
        """Whether a file comes with the call."""
        return FILE_SENT in self.request.values()


def of(op: str) -> Sequence[Sample]:
    """The samples of an op; none of one that has none yet."""
    return _all().get(op, ())


@cache
def _all() -> Mapping[str, Sequence[Sample]]:
    text = files(__package__).joinpath(FILE).read_bytes()
    return msgspec.json.decode(text, type=dict[str, list[Sample]])

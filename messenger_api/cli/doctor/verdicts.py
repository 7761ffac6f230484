"""What a check of the doctor's says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

import msgspec

from messenger_api.composition import Parts
from messenger_api.settings import Settings

State = Literal["ok", "warning", "fault"]

Verdict = tuple[State, str, str]
"""How something is, what was found, and, unless it is well, what to do; else ""."""

Check = Callable[[Settings, Parts], Iterable[Verdict]]
"""Looks at the settings as they were configured, and at the parts that are built from them.

A part is built by the first check that asks for it, and one that cannot be built is a fault of that check's.
"""


class Finding(msgspec.Struct, frozen=True):
    """A verdict with the name of its check."""

    check: str
    state: State
    found: str
    to_do: str = ""

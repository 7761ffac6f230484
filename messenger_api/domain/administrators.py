"""What administrators may do, and what they are called."""

from __future__ import annotations

import re
from enum import IntEnum

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class Role(IntEnum):
    """Each may do what those before it may.

    LOOK sees every screen, with masked numbers. SUPPORT reveals a number and ends sessions. OPERATE blocks,
    deletes, replays and sees settings. OWN is for who runs the installation.
    """

    LOOK = 1
    SUPPORT = 2
    OPERATE = 3
    OWN = 4

    @property
    def word(self) -> str:
        """As it is written: look, support, operate, own."""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> Role:
        """The role of this word. Raises KeyError."""
        return cls[word.upper()]


def name_of(typed: str) -> str | None:
    """An administrator's name as it is kept; None where it can be none."""
    name = typed.strip().lower()
    return name if name.isascii() and _NAME.fullmatch(name) else None

"""What a screen says of the act that led to it: a word in its address, so that nobody writes texts there."""

from __future__ import annotations

from enum import Enum

from flask import request


class Notice(Enum):
    """A sentence, and whether the act was done."""

    WRONG_CODE = ("The code is wrong, or was used already. Wait for the next one.", False)
    TOO_MANY_TRIES = ("Too many tries. Wait a minute.", False)
    NO_REASON = ("Give a reason, in up to 200 characters: it stands in the audit.", False)
    NOT_TYPED = ("Nothing was done: type exactly what is asked for.", False)

    @property
    def text(self) -> str:
        """The sentence."""
        return self.value[0]

    @property
    def good(self) -> bool:
        """Whether the act was done."""
        return self.value[1]


def notice() -> Notice | None:
    """The notice of this request's address."""
    return Notice.__members__.get(request.args.get("notice", "").upper())

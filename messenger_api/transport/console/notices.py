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

    WRONG_AMOUNT = ("Nothing was raised: give more than is configured, up to ten times as much.", False)
    WRONG_END = ("Nothing was raised: give a time in UTC from now on, within seven days.", False)

    NOT_THERE = ("It is not there any more.", False)
    REVEALED = ("The number is shown for five minutes.", True)
    SESSION_ENDED = ("The session has ended.", True)
    SESSIONS_ENDED = ("All sessions have ended.", True)
    BLOCKED = ("The user is kept out.", True)
    UNBLOCKED = ("The user may log in again.", True)
    DELETED = ("The account is deleted.", True)
    CLOSED = ("The account is closed; the outbox goes on with the rest.", True)
    RETRIED = ("It is tried again now.", True)
    PURGED = ("It is removed.", True)
    RESUMED = ("Texts go there again.", True)
    RAISED = ("The limit is raised until then; every process knows within seconds.", True)
    RAISE_ENDED = ("The limit is as configured; every process knows within seconds.", True)
    DISMISSED = ("The report is closed.", True)

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

"""The rule by which tasks are tried again. Pure: it asks nobody, and sleeps nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

# What mesibo refuses, it refuses again; two more tries cover a refusal that was a passing fault.
REFUSALS = 3
LONGEST_WAIT = 300


class Outcome(Enum):
    """How a try ended that did not do the task."""

    REFUSED = "mesibo refuses this task"
    SILENT = "mesibo answers everything but this task"
    MESIBO_AWAY = "mesibo answers nothing"
    STORAGE_AWAY = "the database or the files are away"
    NOT_READY = "what it is about changed meanwhile, or is not ready"
    UNDER_WAY = "a login is under way"
    NOT_REMOVED = "mesibo does not remove something, and does not say that it is gone"
    NOT_UNDERSTOOD = "another version queued it in a shape that this one does not know"
    IMPOSSIBLE = "no try can bring it off"
    FAULT = "an exception that nobody expected"


# Nobody's fault: waited out, however long it lasts. Seconds until the next try.
WAITED_OUT: Mapping[Outcome, int] = {
    Outcome.MESIBO_AWAY: 3,
    Outcome.STORAGE_AWAY: 3,
    Outcome.NOT_READY: 3,
    Outcome.UNDER_WAY: 1,
    Outcome.NOT_UNDERSTOOD: 30,
}


class Verdict(NamedTuple):
    """What becomes of a task: tries that count by now, seconds until the next, or dead (no next one)."""

    attempts: int
    wait: int
    dead: bool


class RetryRule:
    """When a task is tried again, and when it is given up."""

    def __init__(self, max_attempts: int) -> None:
        """`max_attempts`: tries of a task that fails alone (OUTBOX_MAX_ATTEMPTS)."""
        self._max_attempts = max_attempts
        self._most = {Outcome.REFUSED: REFUSALS, Outcome.IMPOSSIBLE: 1}

    def after(self, outcome: Outcome, attempts: int) -> Verdict:
        """What follows a try that ended so, after `attempts` that counted."""
        if outcome in WAITED_OUT:
            return Verdict(attempts, WAITED_OUT[outcome], dead=False)
        attempts += 1
        dead = attempts >= self._most.get(outcome, self._max_attempts)
        return Verdict(attempts, min(LONGEST_WAIT, 2**attempts), dead)

"""What happened to one number that wants to log in: steps, each named by a word of a closed set."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

DETAIL_LENGTH = 32
HELD_SECONDS = 5
"""For so long a process holds steps before it writes them, while the database answers."""
ENDED_OLDEST = "ended_oldest"
"""There were MAX_SESSIONS, and the oldest had to end."""
# A flood of numbers must not fill the table: of so many different steps a process keeps note at a time.
MOST_AT_ONCE = 200


class Step(StrEnum):
    """A step on the way to a log-in, or what ended it."""

    SENT = "sent"
    """A code was asked for, and handed to a provider (or the method has none to send)."""
    LIMITED = "limited"
    """A limit refused it: the detail names it."""
    NO_TEXTS = "no_texts"
    """Its country or kind gets no texts: the detail says which of the two."""
    NUMBER_REFUSED = "number_refused"
    """A provider, or mesibo, says that nothing can be sent to this number."""
    NO_CHANNEL = "no_channel"
    """A landline, and no provider calls."""
    NOT_SENT = "not_sent"
    """No provider took it."""
    WRONG = "wrong"
    EXPIRED = "expired"
    NO_CODE = "no_code"
    USED = "used"
    PAUSED = "paused"
    """Another try came too early after wrong ones."""
    TOO_MANY_TRIES = "too_many_tries"
    BLOCKED = "blocked"
    """The operator keeps the account out."""
    MESIBO_REFUSED = "mesibo_refused"
    """mesibo refuses the user, or the app id: the detail is its label."""
    MESIBO_AWAY = "mesibo_away"
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - a word for it
    METHOD_AWAY = "method_away"
    """The directory or server that LOGIN_METHOD asks does not answer."""
    TRY_LATER = "try_later"
    """Something else of ours was down: the log says what."""
    LOGGED_IN = "logged_in"
    """The detail is `ENDED_OLDEST` where that ended another session."""


@dataclass(frozen=True)
class Stepped:
    """A step of the address behind `key`, which was taken `times` from the second `at` to `last_at`."""

    key: bytes
    step: str
    detail: str
    times: int
    at: int
    last_at: int


class Trace:
    """Notes steps in memory, for all threads of a process, until somebody keeps them."""

    def __init__(self, now: Callable[[], int]) -> None:
        """`now`: the current unix second."""
        self._now = now
        self._lock = threading.Lock()
        self._steps: dict[tuple[bytes, str, str], Stepped] = {}

    def note(self, key: bytes, step: Step, detail: str = "") -> None:
        """A step was taken now. Those alike become one; beyond `MOST_AT_ONCE` they are passed over."""
        now, cut = self._now(), detail.encode("ascii", "replace").decode()[:DETAIL_LENGTH]
        with self._lock:
            self._add(Stepped(key, step.value, cut, 1, now, now))

    def take(self) -> list[Stepped]:
        """What was noted since the last time, in the order in which it ended."""
        with self._lock:
            steps, self._steps = self._steps, {}
        return list(steps.values())

    def give_back(self, steps: Iterable[Stepped]) -> None:
        """Note once more what was taken and could not be kept."""
        with self._lock:
            later, self._steps = self._steps, {}
            for step in (*steps, *later.values()):
                self._add(step)

    def _add(self, step: Stepped) -> None:
        before = self._steps.pop((step.key, step.step, step.detail), None)
        if before is None and len(self._steps) >= MOST_AT_ONCE:
            return
        if before is not None:
            step = replace(step, times=before.times + step.times, at=before.at)
        self._steps[step.key, step.step, step.detail] = step

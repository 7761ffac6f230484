"""When a call is made once more, and when mesibo is left alone for a while, decided without a network."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from messenger_api.mesibo.errors import MesiboUnreachable
from messenger_api.mesibo.http.exchange import NoResponse
from messenger_api.mesibo.specification import operations

# Made twice, these leave mesibo as once would have. `groupadd` would make a second group and `message`
# would reach people twice.
IDEMPOTENT = frozenset(name for name, op in operations().items() if op.repeatable)

# Failures that a new connection may not meet again. Not `timeout`: the caller has waited enough. Not
# `tls`: a certificate does not improve within a second.
PASSING = frozenset({"connect", "proxy", "broken"})

# Failures that say nothing of mesibo's health.
OURS = frozenset({"busy", "too late", "bad url", "too many", "resting"})


def is_passing(failure: NoResponse) -> bool:
    """Whether another try may meet a better connection."""
    return failure.reason in PASSING and not failure.answered


def may_retry(op: str, failure: NoResponse) -> bool:
    """Whether `op` may be tried a second time after `failure`.

    A request whose body never left cannot have been carried out: any op may go again. Otherwise only an
    idempotent op, and only when not one byte of an answer came, which is how a pooled connection ends
    that the server had already closed.
    """
    return is_passing(failure) and (not failure.sent or op in IDEMPOTENT)


def seconds_of(headers: Mapping[str, str]) -> float | None:
    """What `Retry-After` asks to wait (RFC 9110: seconds, or a date); None where it does not say."""
    said = next((value for name, value in headers.items() if name.lower() == "retry-after"), "").strip()
    if said.isascii() and said.isdigit():
        return float(said[:9])
    try:
        until = parsedate_to_datetime(said)
    except ValueError:
        return None
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())


@dataclass(frozen=True)
class Retries:
    """How often a call is made again.

    Attributes:
        most: further tries of a call.
        first: seconds before the second of them; the first goes at once, unless the server asks to wait.
            Doubled with each further one.
        longest: seconds that a call waits at most in all. Who is asked to wait longer gets the failure.
    """

    most: int = 2
    first: float = 0.5
    longest: float = 20.0

    def begin(self, op: str) -> Tries:
        """The tries of one call."""
        return Tries(self, op in IDEMPOTENT)


class Tries:
    """Counts the tries of a call."""

    def __init__(self, rule: Retries, repeatable: bool) -> None:
        self._rule = rule
        self._repeatable = repeatable
        self._made = 0
        self._left = rule.longest

    def wait(self, outcome: object) -> float | None:
        """Seconds to wait before the call is made again; None when `outcome` is final."""
        if not isinstance(outcome, MesiboUnreachable) or not outcome.passing:
            return None
        if self._made >= self._rule.most or (outcome.maybe_done and not self._repeatable):
            return None
        backoff = self._rule.first * 2.0 ** (self._made - 1) if self._made else 0.0
        seconds = backoff if outcome.retry_after is None else max(backoff, outcome.retry_after)
        if seconds > self._left:
            return None
        self._made += 1
        self._left -= seconds
        return seconds


class Breaker:
    """Turns calls away at once while mesibo does not answer: after `failures` in a row, for `seconds`.

    Then one call is let through; the others wait for what comes of it. One object serves any number of
    threads.
    """

    def __init__(
        self, failures: int = 5, seconds: float = 30.0, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = failures
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._until = 0.0

    def check(self) -> MesiboUnreachable | None:
        """Why a call must not be made now, or None when it may."""
        with self._lock:
            now = self._clock()
            if self._failures < self._most:
                return None
            if now < self._until:
                return MesiboUnreachable("resting", retry_after=self._until - now)
            self._until = now + self._seconds
            return None

    def note(self, outcome: object) -> None:
        """Count what came of a call."""
        with self._lock:
            if isinstance(outcome, MesiboUnreachable):
                if outcome.reason not in OURS:
                    self._failures += 1
                    self._until = self._clock() + self._seconds
            else:
                self._failures = 0

"""Tries at a secret that others judge: a password, a name with its ID token.

A try takes its place in the limits before it is judged, and leaves it when it was right or nobody could say.
So no more are judged at a time than may be wrong, however many come at once, on whichever process. A try that
fits only if those under way are right waits for them: several devices of one person do not refuse each other.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection

from messenger_api.domain.errors import TooMany, TryLater
from messenger_api.domain.limits import Window
from messenger_api.domain.secrets import Keys
from messenger_api.gateways.login import Denied
from messenger_api.services.bulkhead import FULL_SECONDS, waiting_slot
from messenger_api.services.limits import Claim, Counts, Limits
from messenger_api.services.otp.failed_attempts import DAILY, SLIPS, FailedAttempts
from messenger_api.settings import Settings

# The name in LIMIT_MODES.
LIMIT = "wrong_codes"
# Wrong secrets from one network for one address: so many in so many seconds.
SECRETS = Window(5, 300)
SLOWED_SECONDS = 3600
# Every method is done sooner (LOGIN_TIMEOUT): only the tries of a process that died stay so long.
UNDER_WAY = Window(1, 60)
# When one that waits looks again: first, and at the longest.
FIRST_LOOK_SECONDS, NEXT_LOOK_SECONDS = 0.05, 0.4


@dataclass(frozen=True)
class _Try:
    """A try at the address behind `key`, from a network; it is under way since the second `at`."""

    key: bytes
    network: str
    at: int = 0


class Attempts:
    """Lets as many tries through to who judges them as may be wrong."""

    def __init__(self, settings: Settings, keys: Keys, limits: Limits, failed: FailedAttempts) -> None:
        self._most = settings.otp_wrong_per_day
        self._patience = settings.login_timeout
        self._keys = keys
        self._limits = limits
        self._failed = failed

    @contextmanager
    def claimed(self, key: bytes, network: str) -> Iterator[None]:
        """Have a try at an address judged in here; `Denied` says that it was wrong. Within `outbound_slot`.

        Raises:
            TooMany: this network, or all together, have guessed too much. Who calls from a network that has
                not guessed is never held by what others do.
            TryLater: others are judged for so long that nobody knows yet whether there is room.
        """
        attempt = self._begin(_Try(key, network))
        wrong = False
        try:
            yield
        except Denied:
            wrong = True
            raise
        finally:
            self._limits.write(lambda tx, now: self._end(tx, now, attempt, wrong=wrong))

    def _begin(self, wanted: _Try) -> _Try:
        def admitted() -> _Try | None:
            return self._limits.write(lambda tx, now: self._admit(tx, now, wanted))

        if attempt := admitted():
            return attempt
        pause, until = FIRST_LOOK_SECONDS, time.monotonic() + self._patience
        with waiting_slot():
            while time.monotonic() < until:
                time.sleep(pause)
                if attempt := admitted():
                    return attempt
                pause = min(2 * pause, NEXT_LOOK_SECONDS)
        raise TryLater(retry_after=FULL_SECONDS)

    def _admit(self, tx: Connection, now: int, wanted: _Try) -> _Try | None:
        """The try, which is under way from now on; None while there is room only if others prove right."""
        under_way = self._under_way(wanted)
        tally = self._limits.open(tx, now, [*self._wrong(wanted), *under_way])
        mode, least = self._limits.mode(LIMIT), self._wait(tally.found, wanted)
        if least and mode != "off":
            self._limits.reached(LIMIT, least)
        if mode == "enforce":
            if least:
                raise TooMany(retry_after=least, why=LIMIT)
            if self._wait(tally.found, wanted, under_way):
                return None
        tally.add(under_way)
        tally.save()
        return _Try(wanted.key, wanted.network, now)

    def _end(self, tx: Connection, now: int, attempt: _Try, *, wrong: bool) -> None:
        counted, under_way = self._wrong(attempt) if wrong else [], self._under_way(attempt)
        tally = self._limits.open(tx, now, [*counted, *under_way])
        tally.add(counted)
        tally.uncount(under_way, attempt.at)
        tally.save()

    def _wait(self, counts: Counts, wanted: _Try, under_way: Sequence[Claim] = ()) -> int:
        """Seconds until a try fits beside the wrong ones and those under way; 0 when it does now."""
        burst, everybodys, own = self._wrong(wanted)
        all_, ours = [counts.count(claim, UNDER_WAY) for claim in under_way] or (0, 0)
        wait = SECRETS.take(counts.state(burst), counts.now, 1 + ours).wait
        is_slow = counts.count(everybodys, DAILY) + all_ >= self._most
        is_fresh = counts.count(own, DAILY) + ours <= SLIPS
        return max(wait, SLOWED_SECONDS) if is_slow and not is_fresh else wait

    def _wrong(self, attempt: _Try) -> list[Claim]:
        """The counters of wrong tries: from this network of late, by everybody, from this network."""
        burst = Claim("wrong_secrets", self._keys.subject(attempt.key, attempt.network), SECRETS)
        return [burst, *self._failed.claims(attempt.key, attempt.network)]

    def _under_way(self, attempt: _Try) -> list[Claim]:
        """The counters of tries that are being judged: by everybody, from this network."""
        subjects = (self._keys.subject(attempt.key), self._keys.subject(attempt.key, attempt.network))
        return [Claim("judged_now", subject, UNDER_WAY) for subject in subjects]

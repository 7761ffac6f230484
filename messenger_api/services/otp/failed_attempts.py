"""Wrong tries at an address, whatever is tried: codes or passwords.

They are counted for the address and for each network that makes them. The first slows the address down; the
second tells its owner from those who guess: an owner who did not guess wrong is never held by what they do.
"""

from __future__ import annotations

import structlog
from sqlalchemy import Connection

from messenger_api.domain.limits import Window
from messenger_api.domain.secrets import Keys
from messenger_api.services.limits import DAY, Claim, Limits, Tally
from messenger_api.settings import Settings

log = structlog.get_logger(__name__)

DAILY = Window(1, DAY)
# People mistype. Every slip allowed is also one more try for each of a swindler's networks.
SLIPS = 1


class FailedAttempts:
    """Counts wrong tries and says what follows from them."""

    def __init__(self, settings: Settings, keys: Keys, limits: Limits) -> None:
        self._most = settings.otp_wrong_per_day
        self._keys = keys
        self._limits = limits

    def of_address(self, key: bytes) -> Claim:
        """The counter of all wrong tries at an address."""
        return Claim("wrong_codes", self._keys.subject(key), DAILY)

    def claims(self, key: bytes, network: str) -> list[Claim]:
        """The counters of an address, and of this network's tries at it."""
        return [self.of_address(key), Claim("guesses", self._keys.subject(key, network), DAILY)]

    def count(self, tx: Connection, now: int, key: bytes, network: str) -> None:
        """Count a wrong try. Within `Limits.write`."""
        claims = self.claims(key, network)
        tally = self._limits.open(tx, now, claims)
        tally.add(claims)
        tally.save()

    def forgive(self, tx: Connection, now: int, key: bytes, network: str, at: int) -> None:
        """Take back a try of the second `at` that was not wrong after all. Within `Limits.write`."""
        claims = self.claims(key, network)
        tally = self._limits.open(tx, now, claims)
        tally.uncount(claims, at)
        tally.save()

    def is_fresh(self, tally: Tally, key: bytes, network: str) -> bool:
        """Whether nobody on this network has guessed wrong at this address within a day, but for one slip."""
        _address, own = self.claims(key, network)
        return DAILY.count(tally.state(own), tally.now) <= SLIPS

    def is_slow(self, tally: Tally, key: bytes) -> bool:
        """Whether there were so many wrong tries at this address that it is slowed down."""
        limit = self.of_address(key)
        mode = self._limits.mode(limit.limit)
        if mode == "off" or DAILY.count(tally.state(limit), tally.now) < self._most:
            return False
        log.warning("limit.reached", limit=limit.limit, mode=mode)
        return mode == "enforce"

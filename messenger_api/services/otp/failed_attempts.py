"""Wrong tries at an address, whatever is tried: codes or passwords.

They are counted for the address and for each network that makes them. The first slows the address down; the
second tells its owner from those who guess: an owner who did not guess wrong is never held by what they do.
"""

from __future__ import annotations

from sqlalchemy import Connection

from messenger_api.domain.limits import Window
from messenger_api.domain.secrets import Keys
from messenger_api.services.limits import DAY, Claim, Counted, Counts, Limits
from messenger_api.settings import Settings

DAILY = Window(1, DAY)
# People mistype. Every slip allowed is also one more try for each of a swindler's networks.
SLIPS = 1


def all_tries(subject: str) -> Claim:
    """The counter of all wrong tries at an address, by its pseudonym (`domain.pseudonyms`)."""
    return Claim("wrong_codes", subject, DAILY)


class FailedAttempts:
    """Counts wrong tries and says what follows from them."""

    def __init__(self, settings: Settings, keys: Keys, limits: Limits) -> None:
        self._most = settings.otp_wrong_per_day
        self._keys = keys
        self._limits = limits

    def of_address(self, key: bytes) -> Claim:
        """The counter of all wrong tries at an address."""
        return all_tries(self._keys.subject(key))

    def claims(self, key: bytes, network: str) -> list[Claim]:
        """The counters of an address, and of this network's tries at it."""
        return [self.of_address(key), Claim("guesses", self._keys.subject(key, network), DAILY)]

    def count(self, tx: Connection, now: int, key: bytes, network: str) -> None:
        """Count a wrong try. Within `Limits.write`."""
        self._limits.add(tx, now, self.claims(key, network))

    def forgive(self, tx: Connection, now: int, key: bytes, network: str, at: int) -> None:
        """Take back a try of the second `at` that was not wrong after all. Within `Limits.write`."""
        self._limits.uncount(tx, now, [Counted(tuple(self.claims(key, network)), at)])

    def is_fresh(self, counts: Counts, key: bytes, network: str) -> bool:
        """Whether nobody on this network has guessed wrong at this address within a day, but for one slip."""
        _address, own = self.claims(key, network)
        return counts.count(own, DAILY) <= SLIPS

    def is_slow(self, counts: Counts, of_address: Claim) -> bool:
        """Whether there were so many wrong tries at this address that it is slowed down."""
        mode = self._limits.mode(of_address.limit)
        if mode == "off" or counts.count(of_address, DAILY) < self._most:
            return False
        self._limits.reached(of_address.limit)
        return mode == "enforce"

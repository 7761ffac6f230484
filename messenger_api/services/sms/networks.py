"""Who asks for texts, as far as the network tells.

A number tells nothing of who asks for a code to it, and whoever served the numbers of members better would
tell strangers who is one. A network has a record: the codes that it asked for, and how many were entered.
It earns room by log-ins, and loses it by codes that nobody enters. Networks are kept as keyed hashes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from messenger_api.domain.limits import Window
from messenger_api.domain.pseudonyms import PhonePseudonyms
from messenger_api.services.allowed import Allowed
from messenger_api.services.limits import DAY, HOUR, Claim, Counts
from messenger_api.settings import Settings

# How long a record goes back, and how long it is known where somebody logged in.
RECORD_SECONDS, KNOWN_SECONDS = 7 * DAY, 30 * DAY
# Codes of a week from which on a network is judged by how many of them were entered.
SLOW_FROM = 10
# Where codes are not entered, on a network or in a range, one is sent in so long, until one is entered.
SLOW_SECONDS = 6 * HOUR
# A site (IPv6 /48) may be one person's or a mobile operator's: it counts as so many networks.
SITE_IS = 3
# Log-ins raise the texts that a network gets in an hour, up to so many times.
EARNED = 3
# The longest grace that may be set for codes which are too young to judge by.
LONGEST_GRACE = 600
HOURLY = Window(math.inf, HOUR)
RECORD = Window(math.inf, RECORD_SECONDS)
RECORD_SENT = Window(math.inf, RECORD_SECONDS, apart=LONGEST_GRACE)
KNOWN = Window(math.inf, KNOWN_SECONDS)


@dataclass(frozen=True)
class Asker:
    """What is known of who asks.

    `home`: this very number lately logged in from there. `known`: so did it, or somebody on a network that is
    fresh and enters its codes. `fresh`: no code that it got within an hour is still to be entered. `held`:
    what a network counts besides, because its codes are not entered.
    """

    home: bool = False
    known: bool = False
    fresh: bool = True
    held: tuple[Claim, ...] = ()

    @property
    def leaves(self) -> float:
        """The part of a shared limit that is not for this one but for others."""
        if self.known:
            return 0 if self.home else 1 / 20
        return 1 / 10 if self.fresh else 1 / 2


@dataclass(frozen=True)
class _Place:
    """What is counted: an address or /64, or the /48 around it."""

    subject: str
    size: int
    hourly: Window
    """How many texts it gets in an hour at most."""

    @property
    def asked(self) -> Claim:
        return Claim("sms_per_ip", self.subject, self.hourly)

    @property
    def sent(self) -> Claim:
        return Claim("sms_sent_network", self.subject, RECORD_SENT)

    @property
    def entered(self) -> Claim:
        return Claim("sms_entered_network", self.subject, RECORD)

    @property
    def entered_hour(self) -> Claim:
        return Claim("sms_entered_hour", self.subject, HOURLY)

    @property
    def trickle(self) -> Claim:
        return Claim("sms_pause", self.subject, Window(self.size, SLOW_SECONDS))


_nowhere = Claim("known_network", "", KNOWN)


@dataclass(frozen=True)
class Network:
    """The network that asks for a code: its record, and whether people log in from it.

    Without places where nobody knows it.
    """

    places: tuple[_Place, ...] = ()
    home: Claim = _nowhere
    here: Claim = _nowhere
    """Log-ins of this number from there, and of anybody."""

    @property
    def trickles(self) -> list[Claim]:
        """What begins anew with a log-in."""
        return [place.trickle for place in self.places]

    @property
    def logged_in(self) -> list[Claim]:
        """What a log-in counts for the network that it came from."""
        found = [claim for place in self.places for claim in (place.entered, place.entered_hour)]
        return [*found, *self._logins]

    @property
    def claims(self) -> list[Claim]:
        """Every counter of a network that a text counts in, or is judged by."""
        found = [place.asked for place in self.places]
        for place in self.places:
            found += [place.sent, place.entered, place.entered_hour, place.trickle]
        return [*found, *self._logins]

    @property
    def _logins(self) -> list[Claim]:
        return [self.home, self.here] if self.places else []


class Networks:
    """Judges networks by their records."""

    def __init__(self, settings: Settings, allowed: Allowed) -> None:
        self._settings = settings
        self._allowed = allowed

    def network(self, names: PhonePseudonyms) -> Network:
        """The counters of the network that asks for a number's code."""
        if not names.network:
            return Network()
        places = [self._place(names.network, 1)]
        if names.site:
            places.append(self._place(names.site, SITE_IS))
        home, here = (Claim("known_network", subject, KNOWN) for subject in (names.home, names.network))
        return Network(tuple(places), home, here)

    def look(self, counts: Counts, network: Network, mode: str) -> Asker:
        """What the counters say of who asks; `mode` is what happens where codes are not entered."""
        if not network.places:
            return Asker()
        home, here = (counts.count(claim, KNOWN) > 0 for claim in (network.home, network.here))
        ignored = self._ignored(counts, network) if mode != "off" else ()
        quiet = not ignored or mode != "enforce"
        fresh = quiet and all(_open(counts, place) < place.size for place in network.places)
        return Asker(home, home or (here and fresh), fresh, () if home else ignored)

    def counted(self, counts: Counts, network: Network, asker: Asker) -> list[Claim]:
        """What a text counts for the network that asks."""
        found = []
        for place in network.places:
            usual = self._hourly * place.size
            earned = counts.count(place.entered_hour, HOURLY)
            kept = 0 if asker.home else max(0, usual * (EARNED - 1) - earned)
            found += [replace(place.asked, kept=kept), place.sent]
        return [*found, *asker.held]

    def _place(self, subject: str, size: int) -> _Place:
        return _Place(subject, size, Window(self._hourly * size * EARNED, HOUR))

    @property
    def _hourly(self) -> float:
        """The texts of an hour that a network gets without having earned more."""
        return self._allowed.most("sms_per_ip_hour")

    def _ignored(self, counts: Counts, network: Network) -> tuple[Claim, ...]:
        """What is counted where too few codes are entered, of those that had time to be."""
        return tuple(place.trickle for place in network.places if self._is_ignored(counts, place))

    def _is_ignored(self, counts: Counts, place: _Place) -> bool:
        codes = counts.count(place.sent, RECORD_SENT, but_last=self._settings.sms_pause_grace)
        right = counts.count(place.entered, RECORD)
        return codes >= SLOW_FROM * place.size and right * 100 < codes * self._settings.sms_pause_below


def _open(counts: Counts, place: _Place) -> float:
    """The texts of this hour whose codes were not entered."""
    return counts.count(place.asked, HOURLY) - counts.count(place.entered_hour, HOURLY)

"""Who asks for texts, as far as the network tells.

A number tells nothing of who asks for a code to it, and whoever served the numbers of members better would
tell strangers who is one. A network has a record: the codes that it asked for, and how many were entered.
It earns room by log-ins, and loses it by codes that nobody enters. Networks are kept as keyed hashes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from messenger_api.domain.limits import Window
from messenger_api.domain.network import site_of
from messenger_api.domain.phone import Phone
from messenger_api.domain.secrets import Keys
from messenger_api.services.limits import DAY, Claim, Tally
from messenger_api.settings import Settings

HOUR = 3600
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


class Networks:
    """The records of networks."""

    def __init__(self, settings: Settings, keys: Keys) -> None:
        self._settings = settings
        self._keys = keys

    def claims(self, phone: Phone, network: str) -> list[Claim]:
        """Every counter of a network that a text counts in, or is judged by."""
        places = self._places(network)
        found = [self._asked(place) for place in places]
        for place in places:
            found += [place.sent, place.entered, place.entered_hour, place.trickle]
        return [*found, *self._logins(phone, network)] if network else []

    def widest(self, network: str) -> str:
        """The hash of the network that speaks with one voice: an IPv4 address or a /48; "" for none."""
        return self._places(network)[-1].subject if network else ""

    def look(self, tally: Tally, phone: Phone, network: str, mode: str) -> Asker:
        """What the counters say of who asks; `mode` is what happens where codes are not entered."""
        if not network:
            return Asker()
        places = self._places(network)
        ignored = [place for place in places if mode != "off" and self._is_ignored(tally, place)]
        quiet = not ignored or mode != "enforce"
        fresh = quiet and all(self._open(tally, place) < place.size for place in places)
        home, here = (
            KNOWN.count(tally.state(claim), tally.now) > 0 for claim in self._logins(phone, network)
        )
        return Asker(
            home, home or (here and fresh), fresh, () if home else tuple(place.trickle for place in ignored)
        )

    def counted(self, tally: Tally, asker: Asker, network: str) -> list[Claim]:
        """What a text counts for the network that asks."""
        found = []
        for place in self._places(network):
            usual = self._settings.sms_per_ip_hour * place.size
            earned = HOURLY.count(tally.state(place.entered_hour), tally.now)
            kept = 0 if asker.home else max(0, usual * (EARNED - 1) - earned)
            found += [replace(self._asked(place), kept=kept), place.sent]
        return [*found, *asker.held]

    def logged_in(self, phone: Phone, network: str) -> list[Claim]:
        """What a log-in counts for the network that it came from."""
        if not network:
            return []
        found = [claim for place in self._places(network) for claim in (place.entered, place.entered_hour)]
        return [*found, *self._logins(phone, network)]

    def trickles(self, network: str) -> list[Claim]:
        """What begins anew with a log-in."""
        return [place.trickle for place in self._places(network)]

    def _places(self, network: str) -> list[_Place]:
        if not network:
            return []
        site = site_of(network)
        around = [_Place(self._keys.subject(site), SITE_IS)] if site else []
        return [_Place(self._keys.subject(network), 1), *around]

    def _asked(self, place: _Place) -> Claim:
        most = self._settings.sms_per_ip_hour * place.size * EARNED
        return Claim("sms_per_ip", place.subject, Window(most, HOUR))

    def _logins(self, phone: Phone, network: str) -> tuple[Claim, Claim]:
        """Where this number logged in, and where anybody did."""
        subjects = self._keys.subject(phone.match, network), self._keys.subject(network)
        home, here = (Claim("known_network", subject, KNOWN) for subject in subjects)
        return home, here

    def _open(self, tally: Tally, place: _Place) -> float:
        """The texts of this hour whose codes were not entered."""
        asked = HOURLY.count(tally.state(self._asked(place)), tally.now)
        return asked - HOURLY.count(tally.state(place.entered_hour), tally.now)

    def _is_ignored(self, tally: Tally, place: _Place) -> bool:
        """Whether too few of its codes are entered, of those that had time to be."""
        grace = self._settings.sms_pause_grace
        codes = RECORD_SENT.count(tally.state(place.sent), tally.now, but_last=grace)
        return codes >= SLOW_FROM * place.size and not self._enters(tally, place, but_last=grace)

    def _enters(self, tally: Tally, place: _Place, but_last: int = 0) -> bool:
        """Whether enough of its codes are entered, however few they are."""
        codes = RECORD_SENT.count(tally.state(place.sent), tally.now, but_last=but_last)
        right = RECORD.count(tally.state(place.entered), tally.now)
        return right * 100 >= codes * self._settings.sms_pause_below

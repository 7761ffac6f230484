"""Ranges of numbers and countries whose codes nobody enters, whoever asks for them.

Each network has one voice, whatever it asks for: a pause needs many. It acts on strangers alone: whoever asks
from a network where somebody lately logged in goes on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from messenger_api.domain.limits import Window
from messenger_api.domain.pseudonyms import PhonePseudonyms
from messenger_api.services.limits import DAY, HOUR, Claim, Counts, Notice
from messenger_api.services.sms.networks import LONGEST_GRACE, SLOW_SECONDS
from messenger_api.settings import Settings

# Of one range so many networks a day speak against its country: what is aimed at a few ranges pauses those.
RANGE_SPEAKS = 5


@dataclass(frozen=True)
class Watch:
    """Networks that asked for codes to one range of numbers or one country, and codes that were entered.

    From `least` networks on it may be paused.
    """

    what: str
    subject: str
    seconds: int
    least: int

    @property
    def networks(self) -> Claim:
        """The counter of networks that asked."""
        return Claim(f"sms_networks_{self.what}", self.subject, self.rule)

    @property
    def entered(self) -> Claim:
        """The counter of codes entered."""
        return Claim(f"sms_entered_{self.what}", self.subject, replace(self.rule, apart=0))

    @property
    def rule(self) -> Window:
        """How both are counted."""
        return Window(math.inf, self.seconds, apart=LONGEST_GRACE)


@dataclass(frozen=True)
class Watches:
    """The watches over a number's range and its country, and the voice of the network that asks in each."""

    of_range: Watch
    of_country: Watch
    voices: tuple[Claim, ...]
    """Of the range and of the country; none where the network is not known."""
    trickle: Claim
    """What a text to a range that is paused counts; it begins anew with a log-in."""

    @property
    def entered(self) -> list[Claim]:
        """What a code that was entered counts."""
        return [self.of_range.entered, self.of_country.entered]

    @property
    def claims(self) -> list[Claim]:
        """Every counter that a text counts in, or is judged by."""
        both = (self.of_range, self.of_country)
        counters = [claim for watch in both for claim in (watch.networks, watch.entered)]
        return [*counters, self.trickle, *self.voices]


class Pauses:
    """Says what is paused."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def country(self, country: str) -> Watch:
        """The counters of a country."""
        return Watch("country", country, HOUR, self._settings.sms_pause_sent)

    def of_range(self, subject: str) -> Watch:
        """The counters of a range of numbers, by the pseudonym of its prefix."""
        return Watch("range", subject, DAY, self._settings.sms_range_pause_sent)

    def watches(self, names: PhonePseudonyms) -> Watches:
        """The counters of a number's range and country."""
        both = of_range, of_country = self.of_range(names.prefix), self.country(names.country)
        spoken = zip((names.prefix_voice, names.country_voice), both, strict=True)
        voices = [
            Claim("sms_voice", voice, Window(math.inf, watch.seconds)) for voice, watch in spoken if voice
        ]
        trickle = Claim("sms_pause", names.prefix, Window(1, SLOW_SECONDS))
        return Watches(of_range, of_country, tuple(voices), trickle)

    def is_paused(self, counts: Counts, watch: Watch) -> bool:
        """Whether too few of the codes sent there are entered."""
        return self.is_ignored(watch, counts.state(watch.networks), counts.state(watch.entered), counts.now)

    def is_ignored(self, watch: Watch, networks: str, entered: str, now: int) -> bool:
        """Whether these counters say that too few codes are entered, of those that had time to be."""
        settings = self._settings
        codes = watch.rule.count(networks, now, but_last=settings.sms_pause_grace)
        right = watch.rule.count(entered, now)
        return codes >= watch.least and right * 100 < codes * settings.sms_pause_below


def evidence(counts: Counts, watches: Watches) -> list[Claim]:
    """What a text from a network counts in the watches: the first of its voice, and no other."""
    of_range, of_country = watches.of_range, watches.of_country
    heard = counts.count(of_range.networks, of_range.rule) >= RANGE_SPEAKS
    found = []
    for watch, spoken in zip((of_range, of_country), watches.voices, strict=False):
        if not (heard and watch is of_country) and not counts.count(spoken, watch.rule):
            found += [watch.networks, spoken]
    return found


def notice(paused: Watch, country: str) -> Notice:
    """What is told of a country or range that is paused."""
    return Notice(
        "sms_pause",
        paused.subject,
        {
            "what": paused.what,
            "country": country,
            "why": "the codes that many networks ask for there are not entered",
            "to_do": f"messenger-api sms resume {country}, if these are your users",
        },
    )

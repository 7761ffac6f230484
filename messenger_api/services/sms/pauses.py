"""Ranges of numbers and countries whose codes nobody enters, whoever asks for them.

Each network has one voice, whatever it asks for: a pause needs many. It acts on strangers alone: whoever asks
from a network where somebody lately logged in goes on.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace

import structlog

from messenger_api.domain.errors import TooMany
from messenger_api.domain.limits import Window
from messenger_api.domain.phone import Phone
from messenger_api.domain.secrets import Keys
from messenger_api.services.limits import DAY, Claim, Limits, Tally
from messenger_api.services.sms.networks import HOUR, LONGEST_GRACE, SLOW_SECONDS, Asker
from messenger_api.settings import Settings

log = structlog.get_logger(__name__)

# What an app is told to wait while a country is paused; see `Pauses.check`.
PAUSED_SECONDS = 1800
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


class Pauses:
    """Says what is paused."""

    def __init__(self, settings: Settings, keys: Keys, limits: Limits) -> None:
        self._settings = settings
        self._keys = keys
        self._limits = limits
        self._told: dict[str, int] = {}

    def country(self, country: str) -> Watch:
        """The counters of a country."""
        return Watch("country", country, HOUR, self._settings.sms_pause_sent)

    def of_range(self, subject: str) -> Watch:
        """The counters of a range of numbers, by the pseudonym of its prefix."""
        return Watch("range", subject, DAY, self._settings.sms_range_pause_sent)

    def entered(self, phone: Phone) -> list[Claim]:
        """What a code that was entered counts."""
        return [watch.entered for watch in self._watches(phone)]

    def claims(self, phone: Phone, voice: str) -> list[Claim]:
        """Every counter that a text counts in, or is judged by."""
        watches = self._watches(phone)
        counters = [claim for watch in watches for claim in (watch.networks, watch.entered)]
        return [*counters, self.trickle(phone), *(self._voice(watch, voice) for watch in watches if voice)]

    def check(self, tally: Tally, phone: Phone, asker: Asker) -> list[Claim]:
        """Raise TooMany for a country that is paused; in a range that is, a stranger's text counts this.

        A country's pause ends by itself: nothing is sent meanwhile, so what counts against it leaves the
        window. A range is not stopped whole, so that it can show that its codes are entered again.
        """
        mode = self._limits.mode("sms_pause")
        of_range, of_country = self._watches(phone)
        if mode == "off" or asker.known:
            return []
        if self._is_ignored(of_country, tally):
            self._tell(of_country, phone, mode, tally.now)
            if mode == "enforce":
                raise TooMany("texts_paused", retry_after=PAUSED_SECONDS)
        if not self._is_ignored(of_range, tally):
            return []
        self._tell(of_range, phone, mode, tally.now)
        return [self.trickle(phone)]

    def evidence(self, tally: Tally, phone: Phone, voice: str) -> list[Claim]:
        """What a text from a network counts here: the first of its voice, and no other."""
        of_range, of_country = self._watches(phone)
        heard = of_range.rule.count(tally.state(of_range.networks), tally.now) >= RANGE_SPEAKS
        found = []
        for watch in (of_range,) if heard else (of_range, of_country):
            spoken = self._voice(watch, voice)
            if voice and not watch.rule.count(tally.state(spoken), tally.now):
                found += [watch.networks, spoken]
        return found

    def is_ignored(self, watch: Watch, networks: str, entered: str, now: int) -> bool:
        """Whether these counters say that too few codes are entered, of those that had time to be."""
        settings = self._settings
        codes = watch.rule.count(networks, now, but_last=settings.sms_pause_grace)
        right = watch.rule.count(entered, now)
        return codes >= watch.least and right * 100 < codes * settings.sms_pause_below

    def _watches(self, phone: Phone) -> tuple[Watch, Watch]:
        return self.of_range(self._keys.subject(phone.prefix)), self.country(phone.region)

    def _voice(self, watch: Watch, voice: str) -> Claim:
        subject = self._keys.subject(watch.what, watch.subject, voice)
        return Claim("sms_voice", subject, Window(math.inf, watch.seconds))

    def trickle(self, phone: Phone) -> Claim:
        """What a text to a range that is paused counts; it begins anew with a log-in."""
        return Claim("sms_pause", self._keys.subject(phone.prefix), Window(1, SLOW_SECONDS))

    def _is_ignored(self, watch: Watch, tally: Tally) -> bool:
        return self.is_ignored(watch, tally.state(watch.networks), tally.state(watch.entered), tally.now)

    def _tell(self, paused: Watch, phone: Phone, mode: str, now: int) -> None:
        """Loud once an hour, for it goes on as long as the swindlers do."""
        first = now >= self._told.get(paused.subject, 0) + HOUR
        if first:
            self._told = {who: at for who, at in self._told.items() if now < at + HOUR} | {
                paused.subject: now
            }
        log.log(
            logging.ERROR if first else logging.INFO,
            "limit.reached",
            limit="sms_pause",
            mode=mode,
            what=paused.what,
            country=phone.region,
            why="the codes that many networks ask for there are not entered",
            to_do=f"messenger-api sms resume {phone.region}, if these are your users",
        )

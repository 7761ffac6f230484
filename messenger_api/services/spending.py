"""Who pays: what must hold before a text leaves that costs money.

Swindlers have numbers texted that they earn on. What stops them is counted here by the network that asks, the
range the number is from, the country, all in all, and in money. A country whose codes nobody enters is
paused, and a range of numbers then gets one text an hour. Each of these limits stands shut when it cannot be
counted.
"""

from __future__ import annotations

import datetime as dt
import logging
import math
from dataclasses import dataclass

import structlog

from messenger_api.domain.errors import BadPhone, TooMany
from messenger_api.domain.limits import Bucket, Period, Window
from messenger_api.domain.phone import Kind, Phone
from messenger_api.domain.secrets import Keys
from messenger_api.services.codes import HOUR, Plan
from messenger_api.services.limits import DAY, Claim, Limits, Taking, Tally
from messenger_api.settings import EVERYWHERE, Settings

log = structlog.get_logger(__name__)

# Money is counted in millionths, in whole numbers.
MILLION = 1_000_000
ALARMS, FULL = (50, 80), 100
# What an app is told to wait while a country is paused; see `_check_pause`.
PAUSED_SECONDS = 1800
# Counted without a limit, to see whether codes are entered.
HOURLY = Window(math.inf, HOUR)
DAILY = Window(math.inf, DAY)
# The counter of a month outlives it, so that the operator may look at the last one.
KEPT_DAYS = 62


@dataclass(frozen=True)
class Watch:
    """Codes sent to, and entered from, one range of numbers or one country.

    From `least` codes on it may be paused.
    """

    what: str
    subject: str
    window: Window
    least: int

    @property
    def sent(self) -> Claim:
        """The counter of codes sent."""
        return Claim(f"sms_sent_{self.what}", self.subject, self.window)

    @property
    def entered(self) -> Claim:
        """The counter of codes entered."""
        return Claim(f"sms_entered_{self.what}", self.subject, self.window)


class Spending:
    """Plans a text, and follows what became of it."""

    def __init__(self, settings: Settings, keys: Keys, limits: Limits) -> None:
        self._settings = settings
        self._keys = keys
        self._limits = limits
        self._prices = dict(settings.sms_prices)
        self._dearest = max(settings.sms_price, *self._prices.values(), 0) * MILLION
        self._told: dict[str, int] = {}

    def check(self, phone: Phone, *, costs: bool) -> None:
        """Raise BadPhone for a country or a kind of number that gets no texts."""
        settings = self._settings
        # Where nobody pays, a country is refused only when the operator says which ones are not.
        countries = settings.texted_countries if costs else settings.sms_countries or (EVERYWHERE,)
        if EVERYWHERE not in countries and phone.region not in countries:
            raise BadPhone("phone_country", properties=("phone",))
        if costs and (phone.kind is Kind.DEAR or (phone.kind is Kind.VOIP and not settings.sms_to_voip)):
            raise BadPhone("phone_kind", properties=("phone",))

    def plan(self, phone: Phone, network: str, now: int) -> Plan:
        """What a text to this number, asked for from this network, counts."""
        settings, country = self._settings, phone.region
        each = 60 / settings.sms_per_country_minute
        watches = self._watches(phone)
        claims = [
            Claim("sms_per_prefix", self._subject(phone.prefix), Window(settings.sms_per_prefix_hour, HOUR)),
            Claim("sms_per_country", country, Bucket(settings.sms_per_country_burst, each)),
            Claim("sms_per_hour", "all", Window(settings.sms_per_hour, HOUR)),
            *self._money(phone, now),
            *(watch.sent for watch in watches),
        ]
        if network:
            rule = Window(settings.sms_per_ip_hour, HOUR)
            claims.append(Claim("sms_per_ip", self._subject(network), rule))

        def guard(tally: Tally) -> None:
            self._check_pause(tally, phone)

        watched = (*(watch.entered for watch in watches), self._trickle(phone))
        return Plan(tuple(claims), watched, guard, self._sound_alarms)

    def cost(self, phone: Phone) -> int:
        """What a text to this number costs, in millionths of the currency."""
        return round(self._prices.get(phone.region, self._settings.sms_price) * MILLION)

    def entered(self, phone: Phone) -> list[Claim]:
        """What a code that was entered counts."""
        return [watch.entered for watch in self._watches(phone)]

    def _subject(self, text: str) -> str:
        return self._keys.subject(text)

    # Money

    def _money(self, phone: Phone, now: int) -> list[Claim]:
        settings, cost = self._settings, self.cost(phone)
        day, month = periods(now)
        return [
            Claim("sms_budget_day", day[0], Period(settings.sms_budget_day * MILLION, *day[1:]), cost),
            Claim(
                "sms_budget_month", month[0], Period(settings.sms_budget_month * MILLION, *month[1:]), cost
            ),
        ]

    def _sound_alarms(self, taken: Taking) -> None:
        """Say once for each of the shares of a budget that this text reaches it."""
        for claim, found in taken:
            if isinstance(claim.rule, Period):
                self._sound_alarm(claim, claim.rule.most, found.used)

    def _sound_alarm(self, claim: Claim, most: float, used: float) -> None:
        before = used - claim.amount
        shares = [share for share in ALARMS if before < most * share / 100 <= used]
        # All of it is spent where a text may not fit any more: the dearest, for cheap ones may for long.
        if before <= max(0, most - self._dearest) < used:
            shares.append(FULL)
        if shares:
            log.error(
                "sms.budget",
                limit=claim.limit,
                period=claim.subject,
                percent=max(shares),
                spent=round(used / MILLION, 2),
                currency=self._settings.sms_currency,
                to_do="raise the budget in the configuration if these are your users",
            )

    # Codes that are not entered

    def _watches(self, phone: Phone) -> tuple[Watch, Watch]:
        settings = self._settings
        return (
            Watch("range", self._subject(phone.prefix), DAILY, settings.sms_range_pause_sent),
            self.watch_country(phone.region),
        )

    def watch_country(self, country: str) -> Watch:
        """The counters of a country."""
        return Watch("country", country, HOURLY, self._settings.sms_pause_sent)

    def _check_pause(self, tally: Tally, phone: Phone) -> None:
        """Raise TooMany for a country whose codes are not entered; let a range have one text an hour then.

        A country's pause ends by itself: nothing is sent meanwhile, so what counts against it leaves the
        window. A range is not stopped whole, or five requests would lock out the people of 10,000 numbers.
        """
        mode = self._limits.mode("sms_pause")
        of_range, of_country = self._watches(phone)
        if mode == "off":
            return
        if self._is_ignored(of_country, tally):
            self._tell(of_country, phone, mode, tally.now)
            if mode == "enforce":
                raise TooMany("texts_paused", retry_after=PAUSED_SECONDS)
        if self._is_ignored(of_range, tally):
            self._tell(of_range, phone, mode, tally.now)
            tally.take([self._trickle(phone)])

    def _trickle(self, phone: Phone) -> Claim:
        return Claim("sms_pause", self._subject(phone.prefix), Window(1, HOUR))

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
            why="the codes that are sent there are not entered",
            to_do=f"messenger-api sms resume {phone.region}, if these are your users",
        )

    def _is_ignored(self, watch: Watch, tally: Tally) -> bool:
        return self.is_ignored(watch, tally.state(watch.sent), tally.state(watch.entered), tally.now)

    def is_ignored(self, watch: Watch, sent: str, entered: str, now: int) -> bool:
        """Whether these counters say that too few codes are entered, of those that had time to be."""
        settings = self._settings
        codes = watch.window.count(sent, now, but_last=settings.sms_pause_grace)
        right = watch.window.count(entered, now)
        return codes >= watch.least and right * 100 < codes * settings.sms_pause_below


def periods(now: int) -> tuple[tuple[str, int, int], tuple[str, int, int]]:
    """The day and the month of a second, in UTC: name, end in unix seconds, and how long it is kept."""
    today = dt.datetime.fromtimestamp(now, dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    tomorrow = today + dt.timedelta(days=1)
    next_month = (today.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
    return (
        (f"{today:%Y-%m-%d}", int(tomorrow.timestamp()), KEPT_DAYS * DAY),
        (f"{today:%Y-%m}", int(next_month.timestamp()), KEPT_DAYS * DAY),
    )

"""Who pays: what must hold before a text leaves that costs money.

Swindlers have numbers texted that they earn on. What stops them is counted by the network that asks
(`networks`), the range the number is from, the country, all in all, and in money. Where many networks ask and
nobody enters a code, strangers wait (`pauses`). Each of these limits stands shut when it cannot be counted.

What many share is no lever for one: half of it is for whoever comes, four tenths are for networks without a
code that is still to be entered, and a tenth is for networks where somebody lately logged in.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection
from dataclasses import replace

import structlog
from sqlalchemy import Connection

from messenger_api.domain.errors import BadPhone
from messenger_api.domain.limits import Bucket, Period, Window
from messenger_api.domain.phone import Kind, Phone
from messenger_api.domain.secrets import Keys
from messenger_api.gateways.sms import Channel
from messenger_api.services.limits import DAY, Claim, Limits, Taking, Tally
from messenger_api.services.otp.codes import HOUR, Plan
from messenger_api.services.sms.networks import HOURLY, Asker, Networks
from messenger_api.services.sms.pauses import Pauses
from messenger_api.settings import EVERYWHERE, Settings

log = structlog.get_logger(__name__)

# Money is counted in millionths, in whole numbers.
MILLION = 1_000_000
ALARMS, FULL = (50, 80), 100
# The limits that count money.
MONEY = ("sms_budget_day", "sms_budget_month")
# The counter of a month outlives it, so that the operator may look at the last one.
KEPT_DAYS = 62


class Spending:
    """Plans a text, and follows what became of it."""

    def __init__(
        self, settings: Settings, keys: Keys, limits: Limits, pauses: Pauses, channels: Collection[Channel]
    ) -> None:
        self._settings = settings
        self._keys = keys
        self._limits = limits
        self._prices = {
            Channel.SMS: (settings.sms_price, dict(settings.sms_prices)),
            Channel.VOICE: (settings.sms_price_voice, dict(settings.sms_prices_voice)),
        }
        usual = [self._prices[channel] for channel in channels]
        self._dearest = max(0.0, *(max(price, *named.values(), 0) for price, named in usual)) * MILLION
        self._networks = Networks(settings, keys)
        self._pauses = pauses

    def check(self, phone: Phone, *, costs: bool) -> None:
        """Raise BadPhone for a country or a kind of number that gets no texts."""
        settings = self._settings
        # Where nobody pays, a country is refused only when the operator says which ones are not.
        countries = settings.texted_countries if costs else settings.sms_countries or (EVERYWHERE,)
        kind = phone.kind
        # A satellite is over no country: its own key alone decides.
        by_country = kind is not Kind.SATELLITE or not settings.sms_to_satellite
        if by_country and EVERYWHERE not in countries and phone.region not in countries:
            raise BadPhone("phone_country", properties=("phone",))
        refused = {
            Kind.PREMIUM: True,
            Kind.VOIP: not settings.sms_to_voip,
            Kind.SATELLITE: not settings.sms_to_satellite,
        }
        if costs and refused.get(kind):
            raise BadPhone("phone_kind", properties=("phone",))

    def plan(self, phone: Phone, network: str, now: int, channel: Channel = Channel.SMS) -> Plan:
        """What a text or call to this number, asked for from this network, counts."""
        voice = self._networks.widest(network)
        sent = Claim("sms_sent_country", phone.region, HOURLY)
        shared = self._shared(phone, channel, now)
        everything = [*self._networks.claims(phone, network), *self._pauses.claims(phone, voice)]

        def choose(tally: Tally) -> tuple[Claim, ...]:
            asker = self._look(tally, phone, network)
            return (
                *(replace(claim, kept=self._kept(claim, asker.leaves)) for claim in shared),
                *self._networks.counted(tally, asker, network),
                *self._pauses.check(tally, phone, asker),
                *self._pauses.evidence(tally, phone, voice),
                sent,
            )

        def is_home(tally: Tally) -> bool:
            return self._look(tally, phone, network).home

        return Plan((*shared, sent, *everything), choose, is_home, self.sound_alarms)

    def _shared(self, phone: Phone, channel: Channel, now: int) -> list[Claim]:
        """What a text counts in limits that many share."""
        settings = self._settings
        each = 60 / settings.sms_per_country_minute
        return [
            Claim("sms_per_prefix", self._subject(phone.prefix), Window(settings.sms_per_prefix_hour, HOUR)),
            Claim("sms_per_country", phone.region, Bucket(settings.sms_per_country_burst, each)),
            Claim("sms_per_hour", "all", Window(settings.sms_per_hour, HOUR)),
            *self.money(self.cost(phone, channel), now),
        ]

    def _kept(self, claim: Claim, part: float) -> float:
        """So much of a shared limit is for others: whole texts, the dearest; of a small limit none."""
        unit = self._dearest if isinstance(claim.rule, Period) else 1
        return math.floor(claim.rule.most * part / unit) * unit if unit else 0

    def _look(self, tally: Tally, phone: Phone, network: str) -> Asker:
        return self._networks.look(tally, phone, network, self._limits.mode("sms_pause"))

    def cost(self, phone: Phone, channel: Channel) -> int:
        """What a text or a call to this number costs, in millionths of the currency."""
        usual, by_country = self._prices[channel]
        return round(by_country.get(phone.region, usual) * MILLION)

    def entered(self, tx: Connection, now: int, phone: Phone, network: str) -> None:
        """Count a code that was entered, on this network. Within `Limits.write`."""
        claims = [*self._pauses.entered(phone), *self._networks.logged_in(phone, network)]
        trickles = [*self._networks.trickles(network), self._pauses.trickle(phone)]
        tally = self._limits.open(tx, now, [*claims, *trickles])
        tally.add(claims)
        for trickle in trickles:
            if tally.state(trickle):
                tally.put(trickle, "")
        tally.save()

    def _subject(self, text: str) -> str:
        return self._keys.subject(text)

    # Money

    def money(self, cost: int, now: int) -> list[Claim]:
        """What so many millionths, spent now, count in the budgets."""
        settings = self._settings
        day, month = periods(now)
        return [
            Claim("sms_budget_day", day[0], Period(settings.sms_budget_day * MILLION, *day[1:]), cost),
            Claim(
                "sms_budget_month", month[0], Period(settings.sms_budget_month * MILLION, *month[1:]), cost
            ),
        ]

    def sound_alarms(self, taken: Taking) -> None:
        """Say once for each of the shares of a budget that this text reaches it."""
        for claim, found in taken:
            if isinstance(claim.rule, Period):
                self._sound_alarm(claim, claim.rule.most, found.used)

    def _sound_alarm(self, claim: Claim, most: float, used: float) -> None:
        before = used - claim.amount
        shares = [share for share in ALARMS if before < most * share / 100 <= used][-1:]
        # All of it is spent where a text may not fit any more: the dearest, for cheap ones may for long. And
        # so it is told when strangers can spend no more.
        ends = (most, most - self._kept(claim, Asker().leaves))
        if any(before <= max(0, end - self._dearest) < used for end in ends):
            shares.append(FULL)
        for percent in shares:
            log.error(
                "sms.budget",
                limit=claim.limit,
                period=claim.subject,
                percent=percent,
                spent=round(used / MILLION, 2),
                currency=self._settings.sms_currency,
                to_do="raise the budget in the configuration if these are your users",
            )


def periods(now: int) -> tuple[tuple[str, int, int], tuple[str, int, int]]:
    """The day and the month of a second, in UTC: name, end in unix seconds, and how long it is kept."""
    today = dt.datetime.fromtimestamp(now, dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    tomorrow = today + dt.timedelta(days=1)
    next_month = (today.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
    return (
        (f"{today:%Y-%m-%d}", int(tomorrow.timestamp()), KEPT_DAYS * DAY),
        (f"{today:%Y-%m}", int(next_month.timestamp()), KEPT_DAYS * DAY),
    )

"""What texts cost, and the budgets of a day and a month that they are paid from."""

from __future__ import annotations

import math
from collections.abc import Collection

import structlog

from messenger_api.domain.limits import Period
from messenger_api.gateways.sms import Channel
from messenger_api.services.allowed import Allowed
from messenger_api.services.limits import Claim, Taking
from messenger_api.services.sms.money import MILLION, MONEY, periods
from messenger_api.services.sms.networks import Asker
from messenger_api.settings import Settings

log = structlog.get_logger(__name__)

ALARMS, FULL = (50, 80), 100


class TextBudget:
    """The prices and budgets; `channels`: by which texts are usually sent."""

    def __init__(
        self, settings: Settings, allowed: Allowed, channels: Collection[Channel] = (Channel.SMS,)
    ) -> None:
        self._allowed = allowed
        self._currency = settings.sms_currency
        self._prices = {
            Channel.SMS: (settings.sms_price, dict(settings.sms_prices)),
            Channel.VOICE: (settings.sms_price_voice, dict(settings.sms_prices_voice)),
        }
        usual = [self._prices[channel] for channel in channels]
        self.dearest = max(0.0, *(max(price, *named.values(), 0) for price, named in usual)) * MILLION
        """The dearest text, in millionths."""

    def cost(self, country: str, channel: Channel) -> int:
        """What a text or a call to a country costs, in millionths of the currency."""
        usual, by_country = self._prices[channel]
        return round(by_country.get(country, usual) * MILLION)

    def claims(self, cost: int, now: int) -> list[Claim]:
        """What so many millionths, spent now, count in the budgets."""
        return [
            Claim(limit, name, Period(self._allowed.most(limit) * MILLION, ends_at, keeps), cost)
            for limit, (name, ends_at, keeps) in zip(MONEY, periods(now), strict=True)
        ]

    def kept(self, claim: Claim, part: float) -> float:
        """So much of a shared limit is for others: whole texts, the dearest; of a small limit none."""
        unit = self.dearest if isinstance(claim.rule, Period) else 1
        return math.floor(claim.rule.most * part / unit) * unit if unit else 0

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
        ends = (most, most - self.kept(claim, Asker().leaves))
        if any(before <= max(0, end - self.dearest) < used for end in ends):
            shares.append(FULL)
        for percent in shares:
            log.error(
                "sms.budget",
                limit=claim.limit,
                period=claim.subject,
                percent=percent,
                spent=round(used / MILLION, 2),
                currency=self._currency,
                to_do="raise the budget, on the console or in the configuration, if these are your users",
            )

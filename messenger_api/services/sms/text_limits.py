"""Who may have texts sent: what must hold before one leaves that costs money.

Swindlers have numbers texted that they earn on. What stops them is counted by the network that asks
(`networks`), the range the number is from, the country, all in all, and in money (`budget`). Where many
networks ask and nobody enters a code, strangers wait (`pauses`). Each of these limits stands shut when it
cannot be counted.

What many share is no lever for one: half of it is for whoever comes, four tenths are for networks without a
code that is still to be entered, and a tenth is for networks where somebody lately logged in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from messenger_api.domain.errors import BadPhone, TooMany
from messenger_api.domain.limits import Bucket, Window
from messenger_api.domain.phone import Kind, Phone
from messenger_api.domain.pseudonyms import PhonePseudonyms
from messenger_api.gateways.sms import Channel
from messenger_api.services.allowed import Allowed
from messenger_api.services.limits import HOUR, Claim, Counts, Limits
from messenger_api.services.otp.plan import Choice
from messenger_api.services.sms.budget import TextBudget
from messenger_api.services.sms.networks import HOURLY, Asker, Network, Networks
from messenger_api.services.sms.pauses import Pauses, Watch, Watches, evidence, notice
from messenger_api.settings import EVERYWHERE, Settings

# What an app is told to wait while a country is paused. The pause ends by itself: nothing is sent meanwhile,
# so what counts against the country leaves the window.
PAUSED_SECONDS = 1800


@dataclass(frozen=True)
class TextPlan:
    """Every counter that a text may count in or is judged by, and how. See `otp.plan.Plan`.

    `pause` is what happens where codes are not entered: "enforce", "track" or "off".
    """

    networks: Networks
    pauses: Pauses
    budget: TextBudget
    pause: str
    shared: tuple[Claim, ...]
    sent: Claim
    network: Network
    watches: Watches

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The counters, which one transaction locks."""
        return (*self.shared, self.sent, *self.network.claims, *self.watches.claims)

    def choose(self, counts: Counts) -> Choice:
        """What a text counts, by who asks and what is paused."""
        asker = self.networks.look(counts, self.network, self.pause)
        paused = self._paused(counts, asker)
        refused = self.watches.of_country in paused and self.pause == "enforce"
        claims = (
            *(replace(claim, kept=self.budget.kept(claim, asker.leaves)) for claim in self.shared),
            *self.networks.counted(counts, self.network, asker),
            *([self.watches.trickle] if self.watches.of_range in paused else []),
            *evidence(counts, self.watches),
            self.sent,
        )
        return Choice(
            claims,
            asker.home,
            tuple(notice(watch, self.watches.of_country.subject) for watch in paused),
            TooMany("texts_paused", retry_after=PAUSED_SECONDS, why="country_paused") if refused else None,
        )

    def _paused(self, counts: Counts, asker: Asker) -> list[Watch]:
        """The country, or else the range, if strangers' texts to it are paused.

        A range is not stopped whole, so that it can show that its codes are entered again.
        """
        if self.pause == "off" or asker.known:
            return []
        return list(self._ignored(counts))

    def _ignored(self, counts: Counts) -> Iterator[Watch]:
        if self.pauses.is_paused(counts, self.watches.of_country):
            yield self.watches.of_country
            if self.pause == "enforce":
                return
        if self.pauses.is_paused(counts, self.watches.of_range):
            yield self.watches.of_range


class TextLimits:
    """Plans texts, and counts the codes that are entered."""

    def __init__(
        self, settings: Settings, allowed: Allowed, limits: Limits, budget: TextBudget, pauses: Pauses
    ) -> None:
        self._settings = settings
        self._allowed = allowed
        self._limits = limits
        self._budget = budget
        self._pauses = pauses
        self._networks = Networks(settings, allowed)

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

    def plan(self, names: PhonePseudonyms, channel: Channel, now: int) -> TextPlan:
        """What a text or call to this number, asked for from this network, counts."""
        return TextPlan(
            self._networks,
            self._pauses,
            self._budget,
            self._limits.mode("sms_pause"),
            self._shared(names, channel, now),
            Claim("sms_sent_country", names.country, HOURLY),
            self._networks.network(names),
            self._pauses.watches(names),
        )

    def _shared(self, names: PhonePseudonyms, channel: Channel, now: int) -> tuple[Claim, ...]:
        """What a text counts in limits that many share."""
        most = self._allowed.most
        by_country = Bucket(self._settings.sms_per_country_burst, 60 / most("sms_per_country_minute"))
        return (
            Claim("sms_per_prefix", names.prefix, Window(most("sms_per_prefix_hour"), HOUR)),
            Claim("sms_per_country", names.country, by_country),
            Claim("sms_per_hour", "all", Window(most("sms_per_hour"), HOUR)),
            *self._budget.claims(self._budget.cost(names.country, channel), now),
        )

    def entered(self, tx: Connection, now: int, names: PhonePseudonyms) -> None:
        """Count a code that was entered, on this network. Within `Limits.write`."""
        network, watches = self._networks.network(names), self._pauses.watches(names)
        claims = [*watches.entered, *network.logged_in]
        trickles = [*network.trickles, watches.trickle]
        tally = self._limits.open(tx, now, [*claims, *trickles])
        tally.add(claims)
        for trickle in trickles:
            if tally.state(trickle):
                tally.put(trickle, "")
        tally.save()

"""What the attempts at one text cost: each is booked before it is made; what sent nothing is given back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain

from sqlalchemy import Connection

from messenger_api.domain.counting import Accumulator
from messenger_api.domain.errors import ApiError
from messenger_api.domain.figures import NOWHERE, TEXTS
from messenger_api.gateways.sms import Attempt, Channel, SmsError, SmsProvider, SmsRefused
from messenger_api.services.limits import Counted, Limits
from messenger_api.services.sms.budget import TextBudget
from messenger_api.services.sms.money import MONEY

# A number that the network refuses has been asked for all the same: who asks pays with his own limit.
KEPT_WHEN_REFUSED = ("sms_per_ip",)


@dataclass(frozen=True)
class Outcome:
    """What the providers made of one text, to be noted in one transaction.

    `sent`: the attempts that sent it, or may have. `noted`: those of them that are remembered, with what each
    cost. `unused`: what was counted for nothing. `error`: what ended the sending before a provider took it.
    """

    sent: tuple[Attempt, ...]
    noted: tuple[tuple[Attempt, int], ...]
    unused: tuple[Counted, ...]
    error: ApiError | SmsError | None

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to note: it was sent, and costs nothing."""
        return bool(self.sent) and not self.noted and not self.unused

    @property
    def verification(self) -> str:
        """The last verification of a provider who made the code: "provider:id"; "" of none."""
        made = [f"{each.provider.name}:{each.id}" for each in self.sent if each.provider.makes_codes]
        return made[-1] if made else ""

    @property
    def holds_ours(self) -> bool:
        """Whether our own code left, or may have."""
        return not all(each.provider.makes_codes for each in self.sent)


class Bookings:
    """The attempts at one text or call, and the money that is booked for them.

    Every attempt of which nobody knows that it sent nothing stays booked: a second provider that is asked
    because the first was too slow costs as much again. The limits of number, country and so on count a code
    once, whoever is asked to send it.

    Args:
        country: where it is sent to, two ISO letters.
        counted: what was counted for the text, the money for the first attempt among it.
        figures: count every attempt.
    """

    def __init__(
        self, limits: Limits, budget: TextBudget, country: str, counted: Counted, figures: Accumulator
    ) -> None:
        self._figures = figures
        self._limits = limits
        self._budget = budget
        self._country = country
        self._others = counted.but(MONEY)
        money = counted.only(MONEY)
        self._free = [money] if money.claims else []
        # What strangers may not spend for the first attempt, they may not for the next.
        self._kept = {claim.limit: claim.kept for claim in money.claims}
        self._open: Counted | None = None
        self._sent: list[Attempt] = []

    def open(self, provider: SmsProvider, channel: Channel) -> None:
        """Book an attempt before it is made.

        Raises:
            TooMany: a budget has no room for it.
            TryLater: the database is down.
        """
        cost = self._cost(provider, channel)
        self._open = self._book(cost) if cost else None

    def close(self, attempt: Attempt) -> None:
        """Keep the attempt, or the money for the next one when it sent nothing."""
        self._figures.count(TEXTS, attempt.provider.name, self._country or NOWHERE, attempt.outcome)
        if attempt.may_be_sent:
            self._sent.append(attempt)
        elif self._open:
            self._free.append(self._open)
        self._open = None

    def outcome(self, error: ApiError | SmsError | None = None) -> Outcome:
        """What came of all attempts; `error` ended them."""
        unused = [booking for booking in self._free if booking.amount]
        if not self._sent:
            unused.append(self._others.but(KEPT_WHEN_REFUSED if isinstance(error, SmsRefused) else ()))
        noted = [
            (each, self._cost(each.provider, each.channel))
            for each in self._sent
            # Not those that cost nothing, but for whoever made the code.
            if each.provider.costs or each.provider.makes_codes
        ]
        return Outcome(tuple(self._sent), tuple(noted), tuple(unused), error)

    def _cost(self, provider: SmsProvider, channel: Channel) -> int:
        """What an attempt with this provider costs, in millionths."""
        return self._budget.cost(self._country, channel) if provider.costs else 0

    def _book(self, cost: int) -> Counted:
        for booking in self._free:
            if booking.amount == cost:
                self._free.remove(booking)
                return booking

        def work(tx: Connection, now: int) -> Counted:
            wanted = tuple(
                replace(claim, kept=self._kept.get(claim.limit, 0))
                for claim in self._budget.claims(cost, now)
            )
            tally = self._limits.open(tx, now, [*wanted, *chain(*(free.claims for free in self._free))])
            for free in self._free:
                tally.uncount(free.claims, free.at)
            taken = tally.take(wanted)
            tally.save()
            return Counted(wanted, now, taken)

        booking = self._limits.write(work)
        self._free = []
        self._budget.sound_alarms(booking.taken)
        return booking

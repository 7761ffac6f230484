"""What the attempts at one text cost: each is booked before it is made; what sent nothing is given back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from messenger_api.gateways.sms import Attempt, Channel, SmsProvider
from messenger_api.services.limits import Claim, Limits, Taking
from messenger_api.services.sms.budget import MONEY, TextBudget


@dataclass(frozen=True)
class _Booking:
    """Money that was counted in the second `at`."""

    claims: tuple[Claim, ...]
    at: int

    @property
    def amount(self) -> float:
        return max((claim.amount for claim in self.claims), default=0)


class Bookings:
    """The attempts at one text or call, and the money that is booked for them.

    Every attempt of which nobody knows that it sent nothing stays booked: a second provider that is asked
    because the first was too slow costs as much again. The limits of number, country and so on are no matter
    of this: they count a code once, whoever is asked to send it.

    Args:
        country: where it is sent to, two ISO letters.
        claims: what was counted for the first attempt, in the second `at`; other limits' are left alone.
    """

    def __init__(
        self, limits: Limits, budget: TextBudget, country: str, claims: Sequence[Claim] = (), at: int = 0
    ) -> None:
        self._limits = limits
        self._budget = budget
        self._country = country
        money = tuple(claim for claim in claims if claim.limit in MONEY)
        self._free = [_Booking(money, at)] if money else []
        # What strangers may not spend for the first attempt, they may not for the next.
        self._kept = {claim.limit: claim.kept for claim in money}
        self._open: _Booking | None = None
        self.sent: list[Attempt] = []
        """Those that sent it, or may have."""

    @property
    def noted(self) -> list[Attempt]:
        """Those of them that are remembered: not those that cost nothing, but for whoever made the code."""
        return [each for each in self.sent if each.provider.costs or each.provider.makes_codes]

    @property
    def owes(self) -> bool:
        """Whether money is booked for which nothing was sent."""
        return any(booking.amount for booking in self._free)

    def open(self, provider: SmsProvider, channel: Channel) -> None:
        """Book an attempt before it is made.

        Raises:
            TooMany: a budget has no room for it.
            TryLater: the database is down.
        """
        cost = self.cost(provider, channel)
        self._open = self._book(cost) if cost else None

    def close(self, attempt: Attempt) -> None:
        """Keep the attempt, or the money for the next one when it sent nothing."""
        if attempt.may_be_sent:
            self.sent.append(attempt)
        elif self._open:
            self._free.append(self._open)
        self._open = None

    def cost(self, provider: SmsProvider, channel: Channel) -> int:
        """What an attempt with this provider costs, in millionths."""
        return self._budget.cost(self._country, channel) if provider.costs else 0

    def release(self, tx: Connection, now: int) -> None:
        """Take back what is booked for nothing. Within `Limits.write`."""
        claims = [claim for booking in self._free for claim in booking.claims]
        if not self.owes:
            return
        tally = self._limits.open(tx, now, claims)
        for booking in self._free:
            tally.uncount(booking.claims, booking.at)
        tally.save()

    def _book(self, cost: int) -> _Booking:
        for booking in self._free:
            if booking.amount == cost:
                self._free.remove(booking)
                return booking

        def work(tx: Connection, now: int) -> tuple[_Booking, Taking]:
            wanted = [
                replace(claim, kept=self._kept.get(claim.limit, 0))
                for claim in self._budget.claims(cost, now)
            ]
            free = [claim for booking in self._free for claim in booking.claims]
            tally = self._limits.open(tx, now, [*free, *wanted])
            for booking in self._free:
                tally.uncount(booking.claims, booking.at)
            taken = tally.take(wanted)
            tally.save()
            return _Booking(tuple(wanted), now), taken

        booking, taken = self._limits.write(work)
        self._free = []
        self._budget.sound_alarms(taken)
        return booking

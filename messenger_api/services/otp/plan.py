"""What sending a code counts: named before anything is looked up, and chosen from what was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from messenger_api.domain.errors import TooMany
from messenger_api.services.limits import Claim, Counts, Notice


@dataclass(frozen=True)
class Choice:
    """What a code counts, as the counters stand.

    `home`: this address lately logged in where the code is asked for. `refusal`: what speaks against sending.
    """

    claims: tuple[Claim, ...] = ()
    home: bool = False
    notices: tuple[Notice, ...] = ()
    refusal: TooMany | None = None


class Plan(Protocol):
    """Every counter that a code may count in or is judged by, and how it is judged."""

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The counters, which one transaction locks."""

    def choose(self, counts: Counts) -> Choice:
        """What is counted. Pure: the same counts, the same choice."""


@dataclass(frozen=True)
class Always:
    """A plan that counts all of its claims, however the counters stand."""

    claims: tuple[Claim, ...] = ()

    def choose(self, _counts: Counts) -> Choice:
        """All of its claims; nobody is at home, and nothing speaks against it."""
        return Choice(self.claims)

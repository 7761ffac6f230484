"""The providers of texts in their order: what came of what each was asked to send. Read from the figures."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from messenger_api.domain.figures import TEXT_RECEIPTS, TEXTS
from messenger_api.services.limits import DAY
from messenger_api.services.operator.figures import Figures, Values

# More failures than this part of the texts, or of the receipts, are too many.
TOLERATED = 0.03

_FAILED = ("unavailable", "unknown")
_LOST = ("failed", "missing")


class Sendings(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider sent to one country, or with "" to all.

    `failed`: it did not take the text, or did not surely; numbers that it refused are left out. `lost`: its
    receipts say that the text did not arrive, or none came. `all_sent`: by all providers, to all countries.
    `place`: in the order in which they are asked, from 1; 0 for one that is not in SMS_PROVIDERS any more.
    """

    provider: str
    country: str
    place: int
    sent: int
    failed: int
    delivered: int
    lost: int
    all_sent: int

    @property
    def share(self) -> float:
        """The part of all texts that it sent."""
        return _part(self.sent, self.all_sent)

    @property
    def success(self) -> float:
        """The part of what it was asked to send that it took."""
        return _part(self.sent, self.sent + self.failed)

    @property
    def lost_part(self) -> float:
        """The part of the receipts that tell of a text which did not arrive."""
        return _part(self.lost, self.delivered + self.lost)

    @property
    def fails(self) -> bool:
        """Whether it fails to take too many."""
        return self.failed > TOLERATED * (self.sent + self.failed)

    @property
    def loses(self) -> bool:
        """Whether too many do not arrive."""
        return self.lost > TOLERATED * (self.delivered + self.lost)


class ProvidersSeen(msgspec.Struct, frozen=True):
    """Each provider, in their order; and each with each country, those with the most texts first."""

    whole: list[Sendings]
    by_country: list[Sendings]


class Providers:
    """Reads what came of texts, by the names of providers in the order in which they are asked."""

    def __init__(self, figures: Figures, names: Sequence[str]) -> None:
        self._figures = figures
        self._names = tuple(names)

    def of(self, days: int) -> ProvidersSeen:
        """The last so many days. Two statements. Raises TryLater."""
        texts, receipts = (self._figures.recent(figure, days * DAY) for figure in (TEXTS, TEXT_RECEIPTS))
        pairs = sorted({(provider, country) for provider, country, _ in (*texts, *receipts)})
        gone = sorted({provider for provider, _ in pairs}.difference(self._names))
        whole = [self._sendings(texts, receipts, provider) for provider in (*self._names, *gone)]
        by_country = [self._sendings(texts, receipts, *pair) for pair in pairs]
        return ProvidersSeen(whole, sorted(by_country, key=lambda each: -each.sent - each.failed))

    def _sendings(self, texts: Values, receipts: Values, provider: str, country: str = "") -> Sendings:
        def count(counts: Values, *outcomes: str) -> int:
            return sum(
                value
                for (by, to, outcome), value in counts.items()
                if by == provider and to == (country or to) and outcome in outcomes
            )

        return Sendings(
            provider=provider,
            country=country,
            place=self._names.index(provider) + 1 if provider in self._names else 0,
            sent=count(texts, "sent"),
            failed=count(texts, *_FAILED),
            delivered=count(receipts, "delivered"),
            lost=count(receipts, *_LOST),
            all_sent=sum(value for (*_, outcome), value in texts.items() if outcome == "sent"),
        )


def _part(some: int, whole: int) -> float:
    return some / whole if whole else 0.0

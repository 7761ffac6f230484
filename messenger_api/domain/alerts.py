"""The alerts: when Prometheus is to wake somebody, of which figures, and how urgently.

Every process tells the sums of all, so that of several the largest is taken, never their sum. A counter that
begins at a value other than 0 has not grown, as Prometheus sees it; where a single event matters, the second
of the last one is asked for (`Figure.last`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from messenger_api.domain import figures
from messenger_api.domain.capacity import DISK_FULL_BYTES, DISK_NEARLY_FULL_BYTES
from messenger_api.domain.figures import Figure, Kind
from messenger_api.domain.times import DAY_SECONDS

CRITICAL, WARNING = "critical", "warning"
"""People cannot log in, or soon cannot; somebody should look within a day."""


@dataclass(frozen=True)
class Alert:
    """A rule: `expr` holds for `minutes`. docs/operations/alerts.md has a section of its name."""

    name: str
    expr: str
    minutes: int
    severity: str
    summary: str

    @property
    def page(self) -> str:
        """Where it stands what it means, and what is to be done."""
        return f"docs/operations/alerts.md#{self.name.lower()}"


def grew(figure: Figure, window: str, *by: str, **labels: str) -> str:
    """By how much a figure grew in the time before, summed up but for `by`; `labels` are patterns."""
    kept = [*figure.labels, *(["le"] if figure.kind is Kind.HISTOGRAM else [])]
    one = f"max by ({', '.join(kept)}) (increase({figure.sample}{_selector(labels)}[{window}]))"
    return f"sum by ({', '.join(by)}) ({one})" if by else f"sum({one})"


def newest(figure: Figure, **labels: str) -> str:
    """The second of the last time; no value where there was none."""
    return f"max({figure.last}{_selector(labels)})"


def _selector(labels: Mapping[str, str]) -> str:
    found = ", ".join(f'{name}=~"{pattern}"' for name, pattern in labels.items())
    return f"{{{found}}}" if found else ""


def _broken(figure: Figure, bad: str, good: str, seconds: int) -> str:
    """It went wrong lately, and since then not once well."""
    wrong, right = newest(figure, outcome=bad), newest(figure, outcome=good)
    return f"{wrong} > time() - {seconds} and {wrong} > ({right} or vector(0))"


_REFUSED = grew(figures.REFUSALS, "15m", mode="enforce")
_BUDGET = f"max by (period) ({figures.BUDGET_SPENT.sample} / ({figures.BUDGET_LIMIT.sample} > 0))"
_FREE = f"min by (place) ({figures.DISK_FREE.sample})"
_TEXTS = grew(figures.TEXTS, "30m", "provider")
_FAILED = grew(figures.TEXTS, "30m", "provider", outcome="unavailable")
_RECEIPTS = grew(figures.TEXT_RECEIPTS, "2h")
_BEGUN = grew(figures.LOGINS_BEGUN, "1h")
_SECONDS = grew(figures.REQUEST_SECONDS, "10m", "le", op="getcontacts|profile")
_CALLS = grew(figures.REQUESTS, "10m")

ALERTS: tuple[Alert, ...] = (
    Alert(
        "MessengerSaysNothing",
        f"absent({figures.INFO.sample})",
        5,
        CRITICAL,
        "No process tells its figures: the server or its database is down, or /metrics is not reached.",
    ),
    Alert(
        "MessengerLoginImpossible",
        f"min({figures.LOGIN_POSSIBLE.sample}) == 0",
        1,
        CRITICAL,
        "Nobody can log in: messenger-api status says why.",
    ),
    Alert(
        "MessengerMesiboAway",
        _broken(figures.MESIBO_CALLS, "unreachable", "ok|refused", 900),
        2,
        CRITICAL,
        "mesibo does not answer: nobody can log in, and no message of ours is sent.",
    ),
    Alert(
        "MessengerAppTokenRefused",
        _broken(figures.MESIBO_CALLS, "token_refused|breached", "ok", 3600),
        1,
        CRITICAL,
        "mesibo refuses the app token: nobody can log in.",
    ),
    Alert(
        "MessengerTextsFailing",
        _broken(figures.TEXTS, "unavailable", "sent|unknown", 900),
        2,
        CRITICAL,
        "Since the last failure no text with a code has left.",
    ),
    Alert(
        "MessengerBudgetSpent",
        f"{_BUDGET} >= 0.995 or {grew(figures.REFUSALS, '15m', limit='sms_budget_.*', mode='enforce')} > 0",
        0,
        CRITICAL,
        "The budget for texts is used up: people who log in get no code.",
    ),
    Alert(
        "MessengerFaults",
        f"{grew(figures.REQUESTS, '10m', error='TRYLATER')} / {_CALLS} > 0.05 and {_CALLS} >= 20",
        5,
        CRITICAL,
        "One call in twenty, or more, is answered TRYLATER.",
    ),
    Alert(
        "MessengerDiskFull",
        f"{_FREE} < {DISK_FULL_BYTES}",
        1,
        CRITICAL,
        "The disk of {{ $labels.place }} is full: nothing can be kept there.",
    ),
    Alert(
        "MessengerDiskNearlyFull",
        f"{_FREE} < {DISK_NEARLY_FULL_BYTES}",
        10,
        WARNING,
        "The disk of {{ $labels.place }} has less than 500 MB left.",
    ),
    Alert(
        "MessengerBudgetNearlySpent",
        f"{_BUDGET} >= 0.8",
        0,
        WARNING,
        "Four fifths of the budget of the {{ $labels.period }} for texts are spent.",
    ),
    Alert(
        "MessengerProviderFailing",
        f"{_FAILED} / {_TEXTS} > 0.3 and {_TEXTS} >= 10",
        5,
        WARNING,
        "{{ $labels.provider }} fails to send a third of its texts; others are tried in its place.",
    ),
    Alert(
        "MessengerTextsNotReceived",
        f"{grew(figures.TEXT_RECEIPTS, '2h', outcome='failed|missing')} / {_RECEIPTS} > 0.3"
        f" and {_RECEIPTS} >= 20",
        10,
        WARNING,
        "A third of the texts that were sent do not arrive.",
    ),
    Alert(
        "MessengerCodesNotEntered",
        f"({grew(figures.LOGINS_COMPLETED, '1h')} or vector(0)) / {_BEGUN} < 0.3 and {_BEGUN} >= 20",
        15,
        WARNING,
        "Of ten codes that were asked for not three are entered.",
    ),
    Alert(
        "MessengerCountryPaused",
        f"max by (country) ({figures.COUNTRY_PAUSED.sample}) == 1",
        10,
        WARNING,
        "Strangers in {{ $labels.country }} get no texts: the codes that are sent there are not entered.",
    ),
    Alert(
        "MessengerManyRefused",
        f"{_REFUSED} > 200 and {_REFUSED} > 0.2 * {grew(figures.REQUESTS, '15m')}",
        10,
        WARNING,
        "Limits refuse one call in five.",
    ),
    Alert(
        "MessengerSlow",
        f"histogram_quantile(0.95, {_SECONDS}) > 1 and {_CALLS} >= 20",
        10,
        WARNING,
        "One sync in twenty takes longer than a second.",
    ),
    Alert(
        "MessengerOutboxOld",
        f"max({figures.OUTBOX_OLDEST.sample}) > 300",
        5,
        WARNING,
        "What follows answers waits for more than five minutes: no worker runs, or mesibo is away.",
    ),
    Alert(
        "MessengerOutboxDead",
        f'max({figures.OUTBOX_ITEMS.sample}{{state="dead"}}) > 0',
        5,
        WARNING,
        "Work was given up and waits for an operator.",
    ),
    Alert(
        "MessengerPushCredentialEnds",
        f"min by (kind, app, place) ({figures.PUSH_ENDS.sample} - time()) < {14 * DAY_SECONDS}",
        60,
        WARNING,
        "The credential of {{ $labels.app }} for push ends within two weeks: no phone is woken then.",
    ),
    Alert(
        "MessengerVersionsDiffer",
        f"count(count by (version) ({figures.INFO.sample})) > 1",
        60,
        WARNING,
        "Processes of two versions have run beside each other for an hour.",
    ),
)

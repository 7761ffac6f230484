"""The figures: everything that is counted or read for `/metrics`, declared once.

Labels come from closed sets: ops, error codes, ISO countries, names of providers and of limits. So there is a
bounded number of series, and none is named after a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

SUM = "sum"
"""Of a histogram, the part that is all seconds together, in millionths; beside one for each bound."""
INFINITY = "+Inf"

NOWHERE = "none"
"""The country of a number that has none: a satellite's; and of an address that is no number."""

NO_OP, UNKNOWN_OP = "none", "unknown"
"""The op of calls that name none, or one that there is not: no op may have these names."""

MILLION = 1_000_000


class Kind(StrEnum):
    """What Prometheus calls it. A gauge is read where it is shown, the others are kept in the database."""

    COUNTER = "counter"
    HISTOGRAM = "histogram"
    GAUGE = "gauge"


@dataclass(frozen=True, eq=False)
class Figure:
    """A declaration. `name` is without Prometheus' endings; `bounds` are those of a histogram, in seconds.

    Compared by identity: a look-up by it takes place in every request.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()
    counted: Figure | None = None
    """Of a histogram, the counter that grows with it, which may have more labels behind the same."""

    @property
    def sample(self) -> str:
        """The name of its values at `/metrics`."""
        return self.name + {Kind.COUNTER: "_total", Kind.HISTOGRAM: "_bucket", Kind.GAUGE: ""}[self.kind]

    @property
    def last(self) -> str:
        """Of a counter, the name of the seconds in which its series last grew: of `DATED` alone."""
        return f"{self.name}_last_timestamp_seconds"

    @cached_property
    def parts(self) -> tuple[tuple[str, ...], ...]:
        """What a series is kept as, by the labels that are added: of a histogram each place, and `SUM`."""
        if self.kind is not Kind.HISTOGRAM:
            return ((),)
        return (*((place,) for place in self.places), (SUM,))

    @property
    def places(self) -> tuple[str, ...]:
        """The name of each bucket of a histogram, as its last label tells it."""
        return (*(f"{bound:g}" for bound in self.bounds), INFINITY)


def _counter(name: str, help_: str, *labels: str) -> Figure:
    return Figure(f"messenger_{name}", Kind.COUNTER, help_, labels)


def _gauge(name: str, help_: str, *labels: str) -> Figure:
    return Figure(f"messenger_{name}", Kind.GAUGE, help_, labels)


# What processes count, and the database adds up

REQUESTS = _counter(
    "requests", 'Calls of the API; error: the code that was answered, or "none".', "op", "error"
)
REQUEST_SECONDS = Figure(
    "messenger_request_seconds",
    Kind.HISTOGRAM,
    "From the first byte of a call that is looked at to its answer.",
    ("op",),
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    REQUESTS,
)
MESIBO_CALLS = _counter(
    "mesibo_calls",
    "Calls of mesibo's backend API; outcome: ok, unreachable, refused, token_refused, breached.",
    "op",
    "outcome",
)
MESIBO_SECONDS = Figure(
    "messenger_mesibo_call_seconds",
    Kind.HISTOGRAM,
    "From a call of mesibo to its answer, or to the end of waiting for it.",
    ("op",),
    (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
TEXTS = _counter(
    "texts",
    "Texts and calls that providers were asked to send; outcome: sent, unknown, refused, fraud,"
    " wrong_channel, unavailable.",
    "provider",
    "country",
    "outcome",
)
TEXT_RECEIPTS = _counter(
    "text_receipts",
    "What became of texts that were sent; outcome: delivered, failed, missing.",
    "provider",
    "country",
    "outcome",
)
REFUSALS = _counter(
    "refusals", "Limits that were reached; mode: enforce (somebody was refused) or track.", "limit", "mode"
)
METHOD_CALLS = _counter(
    "login_method_calls",
    "Calls of the server that LOGIN_METHOD asks; outcome: ok, denied, unavailable.",
    "method",
    "outcome",
)
LOGINS_BEGUN = _counter("logins_begun", "Codes that were asked for and sent, by LOGIN_METHOD.", "method")
LOGINS_COMPLETED = _counter("logins_completed", "Sessions that a log-in opened, by LOGIN_METHOD.", "method")
SIGN_UPS = _counter("sign_ups", "Accounts that a log-in made.", "country")
USERS_ACTIVE = _counter("users_active", "Accounts that were used for the first time in 24 hours.")
SESSIONS_ENDED = _counter("sessions_ended", "Sessions that ended; why: logout, revoked, idle.", "why")
OUTBOX_DONE = _counter(
    "outbox_done", "Tasks of the outbox; outcome: done, put_back, dead.", "kind", "outcome"
)

FIGURES: tuple[Figure, ...] = (
    REQUESTS,
    REQUEST_SECONDS,
    MESIBO_CALLS,
    MESIBO_SECONDS,
    TEXTS,
    TEXT_RECEIPTS,
    REFUSALS,
    METHOD_CALLS,
    LOGINS_BEGUN,
    LOGINS_COMPLETED,
    SIGN_UPS,
    USERS_ACTIVE,
    SESSIONS_ENDED,
    OUTBOX_DONE,
)
"""All that processes count."""

DATED: tuple[Figure, ...] = (MESIBO_CALLS, TEXTS)
"""Those of which `/metrics` tells the second of the last time, too."""

# What is read when somebody asks

INFO = _gauge("info", "The program.", "version", "python", "database")
OUTBOX_ITEMS = _gauge("outbox_items", "Work that follows answers.", "state")
OUTBOX_KINDS = _gauge("outbox_kind_items", "The same by kind, of the oldest 10,000.", "kind", "state")
OUTBOX_OLDEST = _gauge("outbox_oldest_seconds", "How long the oldest item that is due has waited.")
BUDGET_SPENT = _gauge("sms_budget_spent", "What texts have cost.", "period", "currency")
BUDGET_LIMIT = _gauge("sms_budget_limit", "What texts may cost.", "period", "currency")
CODES_HOUR = _gauge("sms_codes_hour", "Codes of the last hour.", "country", "what")
COUNTRY_PAUSED = _gauge("sms_country_paused", "1 while its codes are not entered.", "country")
TEXTS_DAY = _gauge("sms_texts_day", "Texts of the last 24 hours.", "provider", "country", "outcome")
PUSH_ENDS = _gauge(
    "push_credential_ends_timestamp_seconds",
    "When a credential ends that mesibo was handed for push.",
    "kind",
    "app",
    "place",
)
LOGIN_POSSIBLE = _gauge("login_possible", "1 unless nobody can log in.")
LOGIN_LIMITED = _gauge("login_limited", "1 while some people cannot log in.")
FINDINGS = _gauge("findings", "How often each is found now: docs/operations/status.md.", "code")
DISK_FREE = _gauge("disk_free_bytes", "Room where this machine keeps things.", "place")
DISK_SIZE = _gauge("disk_size_bytes", "The size of that disk.", "place")

GAUGES: tuple[Figure, ...] = (
    INFO,
    LOGIN_POSSIBLE,
    LOGIN_LIMITED,
    FINDINGS,
    OUTBOX_ITEMS,
    OUTBOX_KINDS,
    OUTBOX_OLDEST,
    BUDGET_SPENT,
    BUDGET_LIMIT,
    CODES_HOUR,
    COUNTRY_PAUSED,
    TEXTS_DAY,
    PUSH_ENDS,
    DISK_FREE,
    DISK_SIZE,
)
"""All that is read when somebody asks."""

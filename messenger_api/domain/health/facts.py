"""What is known of an installation at a moment, from which `judgement` follows. Times are unix seconds."""

from __future__ import annotations

from typing import Literal

import msgspec

DatabaseState = Literal["ok", "read only", "away"]
# "newer": of a later version, or of another program. "incomplete": of this version, without a table.
SchemaState = Literal["current", "older", "newer", "incomplete"]


class Outcomes(msgspec.Struct, frozen=True):
    """What came of asking an outside system: when it last did its work and last failed, 0 for never, and how
    often either was in the last `judgement.RECENT_SECONDS`."""

    name: str
    worked_at: int = 0
    failed_at: int = 0
    worked: int = 0
    failed: int = 0


class Mesibo(msgspec.Struct, frozen=True):
    """What came of calls of mesibo: of all, and of those that make users (a refusal is no failure of the
    former); when the app token was last refused, and when with TOKENBREACH."""

    calls: Outcomes = Outcomes("mesibo")
    users: Outcomes = Outcomes("useradd")
    token_refused_at: int = 0
    breached_at: int = 0


class Budget(msgspec.Struct, frozen=True):
    """What a period (day, month) has cost and may cost, and the cheapest text. Only one that is enforced.

    `raised_until`: the second until which it may cost so much, where an operator has raised it; else 0.
    """

    period: str
    spent: float
    most: float
    cheapest: float
    began_at: int
    ends_at: int
    raised_until: int = 0


class Country(msgspec.Struct, frozen=True):
    """A country whose texts are paused, and its codes of the last hour."""

    country: str
    sent: int
    entered: int


class Receipts(msgspec.Struct, frozen=True):
    """What a provider's receipts say of the texts of the last 24 hours."""

    provider: str
    delivered: int
    failed: int


class Refusals(msgspec.Struct, frozen=True):
    """How often a limit that all share has refused people of late, and when last."""

    limit: str
    refused: int
    last_at: int


class Texts(msgspec.Struct, frozen=True):
    """Codes by text: who sends them, what they cost, and what holds them up."""

    currency: str = ""
    providers: tuple[Outcomes, ...] = ()
    receipts: tuple[Receipts, ...] = ()
    budgets: tuple[Budget, ...] = ()
    paused: tuple[Country, ...] = ()
    paused_ranges: int = 0


class Outbox(msgspec.Struct, frozen=True):
    """Items that wait and that were given up, and the seconds that the oldest one that is due has waited.

    `unattended`: something waits, and no worker is there. `late`: it waits longer than a delivery ever takes.
    """

    queued: int = 0
    dead: int = 0
    oldest: int = 0
    unattended: bool = False
    late: bool = False


class Disk(msgspec.Struct, frozen=True):
    """The disk of a folder, and whether the database lies on it."""

    folder: str
    free: int
    holds_database: bool = False


class Date(msgspec.Struct, frozen=True):
    """Something that runs out at a second, and what to do about it. `grave`: what it serves then fails."""

    what: str
    ends_at: int
    to_do: str
    grave: bool = True


class Activity(msgspec.Struct, frozen=True):
    """Log-ins: when one was last begun and completed, 0 for never, and how many were in the last hour."""

    begun_at: int = 0
    completed_at: int = 0
    begun: int = 0
    completed: int = 0


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known in the second `now`. Without an answer of the database only the machine is known."""

    now: int
    database: DatabaseState = "ok"
    schema: SchemaState = "current"
    missing_tables: tuple[str, ...] = ()
    mesibo: Mesibo = Mesibo()
    texts: Texts | None = None
    """None where log-ins need no texts."""
    method: Outcomes | None = None
    """Who judges log-ins, or delivers codes, where that is neither mesibo nor a provider of texts."""
    refusals: tuple[Refusals, ...] = ()
    outbox: Outbox = Outbox()
    disks: tuple[Disk, ...] = ()
    dates: tuple[Date, ...] = ()
    activity: Activity = Activity()

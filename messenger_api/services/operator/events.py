"""What the audit tells of: each event with its exact fields. Who did it and about whom stands beside them.

A uid says who was meant as long as the account stands, and nothing afterwards.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Access = Literal["open", "blocked"]
Closed = Literal["open", "acted on", "dismissed"]
Paused = Literal["country", "range"]

COMMAND = "by a command on the server"
"""The reason of what a command does, where it is given none."""


class Event(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that was done."""


class AdministratorMade(Event, frozen=True):
    """An administrator was made, with a role."""

    role: str


class AdministratorReset(Event, frozen=True):
    """An administrator was given other proofs; whoever was kept out may come in."""

    old: Literal["active", "disabled"]
    new: Literal["active"] = "active"


class AdministratorDisabled(Event, frozen=True):
    """An administrator is kept out."""

    old: Literal["active", "disabled"]
    new: Literal["disabled"] = "disabled"


class LoggedIn(Event, frozen=True):
    """An administrator came into the console."""


class LoggedOut(Event, frozen=True):
    """An administrator ended a session in the console."""


class NumberRevealed(Event, frozen=True):
    """A user's whole number was shown."""

    uid: int
    reason: str


class UserAccess(Event, frozen=True):
    """A user was kept out, or let in again."""

    uid: int
    old: Access
    new: Access
    reason: str


class UserDeleted(Event, frozen=True):
    """A user's account was deleted."""

    uid: int
    reason: str


class SessionsEnded(Event, frozen=True):
    """Sessions of a user's apps were ended: one by its sid, or, with sid 0, all."""

    uid: int
    sid: int
    reason: str


class OutboxRetried(Event, frozen=True):
    """Items that were given up were queued again: one, or, with 0, all."""

    item: int


class OutboxPurged(Event, frozen=True):
    """Items that were given up were removed for good: one, or, with 0, all."""

    item: int


class ReportClosed(Event, frozen=True):
    """A report was acted on, or dismissed."""

    report: int
    old: Closed
    new: Closed
    reason: str


class TextsResumed(Event, frozen=True):
    """A pause was ended: texts go to a country again, or to a range of numbers by its pseudonym."""

    what: Paused
    subject: str
    reason: str
    old: Literal["paused"] = "paused"
    new: Literal["open"] = "open"


class LimitRaised(Event, frozen=True):
    """A limit allows more until the second `ends_at`; `limit` is its key of the configuration."""

    limit: str
    old: str
    new: str
    ends_at: int
    reason: str


class LimitRaiseEnded(Event, frozen=True):
    """A limit that was raised is as configured before its time."""

    limit: str
    old: str
    new: str
    reason: str


class SecretKeyRotated(Event, frozen=True):
    """All data are put under another SECRET_KEY."""

    reason: str


EVENTS: dict[str, type[Event]] = {kind.__name__: kind for kind in Event.__subclasses__()}
"""By the names that stand in the rows."""

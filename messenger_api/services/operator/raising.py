"""Limits that an operator raises until a time: at night, for a campaign, for a fair behind one address."""

from __future__ import annotations

from functools import partial

import msgspec

from messenger_api.services.allowed import Allowed
from messenger_api.services.limits import DAY
from messenger_api.services.operator.audit import Audit
from messenger_api.services.operator.events import COMMAND, LimitRaised, LimitRaiseEnded
from messenger_api.settings import Settings
from messenger_api.settings.conversions import Unacceptable
from messenger_api.settings.keys import declared
from messenger_api.settings.limits import RAISABLE
from messenger_api.storage import raised
from messenger_api.storage.db import Database
from messenger_api.storage.raised import Raised

# What is to hold for longer, or be more, belongs into the configuration.
LONGEST_SECONDS = 7 * DAY


class Limit(msgspec.Struct, frozen=True):
    """A limit that may be raised, by its key of the configuration.

    `most`: allowed now. `highest`: as far as it may be raised. `raised`: by whom and why, while it holds.
    """

    key: str
    help: str
    configured: float
    most: float
    highest: float
    raised: Raised | None


class WrongAmount(ValueError):
    """A limit is not raised by that, or by too much; the text says what is accepted."""


class WrongEnd(ValueError):
    """A limit is not raised until then; the text says what is accepted."""


class Raising:
    """Raises limits for `by`, an administrator; None is a command on the server.

    Every method raises TryLater when the database does not answer.
    """

    def __init__(self, database: Database, allowed: Allowed, audit: Audit) -> None:
        self._database = database
        self._allowed = allowed
        self._audit = audit

    def limits(self) -> list[Limit]:
        """All that may be raised, in the order of `RAISABLE`."""
        self._allowed.refresh()
        return [self._limit(name) for name in RAISABLE]

    def now(self) -> int:
        """The second by which an end is judged."""
        return self._database.now()

    def raise_until(
        self, key: str, most: float, ends_at: int, *, by: str | None = None, reason: str = COMMAND
    ) -> Limit:
        """Let a limit allow more until a second, in the place of what was said of it before.

        Raises:
            LookupError: it is none of those that may be raised.
            WrongAmount, WrongEnd: not so much, not until then.
        """
        limit, now = self._known(key), self.now()
        most = _checked(limit, most)
        if not now < ends_at <= now + LONGEST_SECONDS:
            raise WrongEnd(f"accepted is a time from now on, within {LONGEST_SECONDS // DAY} days")
        event = LimitRaised(
            limit=limit.key, old=told(limit.most), new=told(most), ends_at=ends_at, reason=reason
        )
        self._audit.note(event, by=by)
        row = Raised(limit.key.lower(), most, now, ends_at, by or "", reason)
        self._database.run(partial(raised.put, raised=row))
        return self._known(key)

    def end(self, key: str, *, by: str | None = None, reason: str = COMMAND) -> bool:
        """Let a limit be as it is configured. Whether it was raised. Raises LookupError as `raise_until`."""
        limit = self._known(key)
        if limit.raised is None:
            return False
        event = LimitRaiseEnded(
            limit=limit.key, old=told(limit.most), new=told(limit.configured), reason=reason
        )
        self._audit.note(event, by=by)
        self._database.run(partial(raised.end, name=limit.key.lower()))
        self._allowed.refresh()
        return True

    def _known(self, key: str) -> Limit:
        self._allowed.refresh()
        if key.lower() not in RAISABLE:
            raise LookupError(f"{key} is none of {', '.join(RAISABLE).upper()}")
        return self._limit(key.lower())

    def _limit(self, name: str) -> Limit:
        return Limit(
            name.upper(),
            declared(Settings)[name].help,
            self._allowed.configured(name),
            self._allowed.most(name),
            self._allowed.highest(name),
            self._allowed.raised(name),
        )


def told(most: float) -> str:
    """An amount in digits: without a fraction where it has none."""
    return f"{most:.10g}"


def _checked(limit: Limit, most: float) -> float:
    """As the key accepts it. Raises WrongAmount."""
    whole = int(most) if most == most // 1 else most
    if not limit.configured < whole <= limit.highest:
        raise WrongAmount(
            f"accepted is more than {told(limit.configured)}, which is configured,"
            f" up to {told(limit.highest)}"
        )
    try:
        declared(Settings)[limit.key.lower()].convert(whole)
    except Unacceptable as error:
        raise WrongAmount(f"accepted is {error}") from None
    return whole

"""How a task fails, and what mesibo's failures mean to it.

Failure
├── NotReady        done again, as if never tried
│   └── UnderWay    the same, and soon
├── NotUnderstood   left to the version that queued it
├── NotRemoved      tried for as long as OUTBOX_MAX_ATTEMPTS
└── Impossible      never tried again
Lost                another worker has it
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import structlog

from messenger_api.gateways.mesibo import MesiboError, MesiboRefused, MesiboUnreachable
from messenger_api.outbox.retry import Outcome

log = structlog.get_logger(__name__)


class Failure(Exception):
    """A task could not be done; its text is what an operator reads."""

    outcome: ClassVar[Outcome]


class NotReady(Failure):
    """What the task is about changed meanwhile, or is not ready."""

    outcome = Outcome.NOT_READY


class UnderWay(NotReady):
    """Somebody is about to need what the task would remove; a login takes a moment."""

    outcome = Outcome.UNDER_WAY


class NotUnderstood(Failure):
    """Another version of this program queued the task, in a shape that this one does not know."""

    outcome = Outcome.NOT_UNDERSTOOD


class NotRemoved(Failure):
    """mesibo refuses to remove something, and does not say that it is not there: it may be there for ever."""

    outcome = Outcome.NOT_REMOVED


class Impossible(Failure):
    """No try can bring it off."""

    outcome = Outcome.IMPOSSIBLE


class Lost(Exception):
    """The claim ran out and another worker has the task."""


def ask_to_remove(call: Callable[[], None]) -> None:
    """Remove something at mesibo; when mesibo says that it is not there, both sides agree.

    Raises:
        NotRemoved: mesibo refuses for another reason.
        MesiboError: there is no answer, or our app token is refused.
    """
    try:
        call()
    except MesiboRefused as error:
        if not is_about_the_task(error):
            raise
        if not error.is_not_there:
            raise NotRemoved(str(error)) from error
        log.info("outbox.not_there", op=error.op, error=error.label)


def is_about_the_task(error: MesiboError) -> bool:
    """Whether mesibo means this task: a refusal, unless of our app token, or a body longer than it takes."""
    if isinstance(error, MesiboRefused):
        return not error.about_app_token
    return isinstance(error, MesiboUnreachable) and error.reason == "http 413"

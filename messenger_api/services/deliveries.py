"""What the kinds of work in the outbox share: how they fail, and how an update message reaches many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
import structlog

from messenger_api.gateways.mesibo import (
    MesiboClient,
    MesiboError,
    MesiboRefused,
    MesiboUnreachable,
    Message,
)
from messenger_api.services.update_messages import smaller
from messenger_api.storage.outbox import Item

log = structlog.get_logger(__name__)

# What mesibo refuses, it refuses again; two more tries cover a refusal that was a passing fault.
REFUSALS = 3
# Recipients that one request may name at the most, whatever its size.
RECIPIENTS = 500

NoteProgress = Callable[[Item, msgspec.Struct], None]
"""Keeps the claim on an item, and what is left to do of it. Raises Lost."""


class Kind(NamedTuple):
    """A kind of work: its payload, what does it, and whether it needs mesibo."""

    payload: type[Any]
    run: Callable[[Item, Any], None]
    asks_mesibo: bool = True


class Changed(Exception):
    """What the item is about changed meanwhile, or is not ready; the item is done again."""


class UnderWay(Changed):
    """Somebody is about to need what the item would remove; a login takes a moment."""


class Lost(Exception):
    """The claim ran out and another worker has the item."""


class NotRemoved(Exception):
    """mesibo refuses to remove something and does not say that it is not there: it may be there for ever,
    so it is tried for as long as an outage of one item's own, and then lies among the dead."""


class TooLong(Exception):
    """An update message for one person alone is more than a request may hold."""


class Messages:
    """Sends update messages, each to as many people as fit into a request."""

    def __init__(self, mesibo: MesiboClient, max_body: int) -> None:
        self._mesibo = mesibo
        self._max_body = max_body

    def send(self, sender: str, to: Sequence[str], text: str) -> int:
        """Send one update message to as many of `to` as fit into one request; returns how many."""
        for shown in smaller(text):
            if told := self._how_many_fit(sender, to, shown):
                self._mesibo.send_message(Message(sender, to[:told], shown))
                return told
        raise TooLong("longer than MESIBO_MAX_BODY")

    def _how_many_fit(self, sender: str, to: Sequence[str], text: str) -> int:
        if self._fits(Message(sender, to, text)):
            return len(to)
        fits, too_many = 0, len(to)
        while too_many - fits > 1:
            middle = (fits + too_many) // 2
            if self._fits(Message(sender, to[:middle], text)):
                fits = middle
            else:
                too_many = middle
        return fits

    def _fits(self, message: Message) -> bool:
        return self._mesibo.fits(message, self._max_body)


def ask_to_remove(call: Callable[[], None]) -> None:
    """Remove something at mesibo; when mesibo says that it is not there, both sides agree.

    Raises:
        NotRemoved: mesibo refuses for another reason.
        MesiboError: there is no answer, or our app token is refused.
    """
    try:
        call()
    except MesiboRefused as error:
        if not is_about_the_item(error):
            raise
        if not error.is_not_there:
            raise NotRemoved(str(error)) from error
        log.info("outbox.not_there", op=error.op, error=error.label)


def is_about_the_item(error: MesiboError) -> bool:
    """Whether mesibo means this item: a refusal, unless of our app token, or a body longer than it takes."""
    if isinstance(error, MesiboRefused):
        return not error.about_app_token
    return isinstance(error, MesiboUnreachable) and error.reason == "http 413"

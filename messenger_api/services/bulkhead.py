"""Outside systems: how many may be waited for at a time, and what mesibo's failures mean to an app."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from messenger_api.domain.errors import Refused, TryLater
from messenger_api.gateways.mesibo import MesiboRefused, MesiboUnreachable

# On-premise refuses bodies over 8 KiB; a form writes the comma between two addresses in three bytes.
MEMBERS_BYTES = 5000
COMMA_BYTES = 3


# A server process has 32 threads (`cli.serve`). So many of them may wait for outside systems at a time, and
# the rest go on answering what needs none: one that hangs must not silence the whole process.
MOST_OUTSIDE = 24
_outbound = threading.BoundedSemaphore(MOST_OUTSIDE)
# Of these, so many may wait for what another request does outside; it needs a place more than once.
MOST_WAITING = 16
_waiting = threading.BoundedSemaphore(MOST_WAITING)
FULL_SECONDS = 2


@contextmanager
def outbound_slot() -> Iterator[None]:
    """Wait for an outside system in here: mesibo, the SMS network, a mail server, a directory.

    Raises:
        TryLater: too many others do already; at once, for waiting would take a thread as well.
    """
    with _one_of(_outbound):
        yield


@contextmanager
def waiting_slot() -> Iterator[None]:
    """Wait in here for another request that is outside. Within `outbound_slot`.

    Raises:
        TryLater: too many others do already.
    """
    with _one_of(_waiting):
        yield


@contextmanager
def _one_of(bound: threading.BoundedSemaphore) -> Iterator[None]:
    if not bound.acquire(blocking=False):
        raise TryLater(retry_after=FULL_SECONDS)
    try:
        yield
    finally:
        bound.release()


@contextmanager
def translated() -> Iterator[None]:
    """Raise what the app shall read instead of what mesibo's client raised. Includes `outbound_slot`.

    Raises:
        TryLater: mesibo is unreachable, or our app token is refused, which the app's user cannot help.
        Refused: mesibo said no, with its own code.
    """
    try:
        with outbound_slot():
            yield
    except MesiboUnreachable as error:
        raise TryLater from error
    except MesiboRefused as error:
        # Passed on, mesibo's AUTHFAIL would log the app's user out.
        if error.about_app_token:
            raise TryLater(retry_after=60) from error
        raise Refused(error.label) from error


def chunks(addresses: Sequence[str]) -> list[list[str]]:
    """Addresses in lists that each fit into one request to mesibo."""
    lists: list[list[str]] = []
    size = MEMBERS_BYTES
    for address in addresses:
        size += len(address) + COMMA_BYTES
        if size > MEMBERS_BYTES:
            lists.append([])
            size = len(address)
        lists[-1].append(address)
    return lists

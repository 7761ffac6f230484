"""mesibo's failures, translated where they enter: unreachable is `TryLater`, a refusal keeps its code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from messenger_api.domain.errors import Refused, TryLater
from messenger_api.gateways.mesibo import MesiboRefused, MesiboUnreachable

# On-premise refuses bodies over 8 KiB; a form writes the comma between two addresses in three bytes.
MEMBERS_BYTES = 5000
COMMA_BYTES = 3


@contextmanager
def translated() -> Iterator[None]:
    """Raise what the app shall read instead of what mesibo's client raised.

    Raises:
        TryLater: mesibo is unreachable, or our app token is refused, which the app's user cannot help.
        Refused: mesibo said no, with its own code.
    """
    try:
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

"""What is remembered of a credential that mesibo is handed, wherever the command is run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from messenger_api.cli.common import is_to_be_made, say, settings
from messenger_api.cli.credentials import Credential
from messenger_api.composition import Parts
from messenger_api.domain.errors import TryLater
from messenger_api.services.operator.push import PushCredentials


@contextmanager
def _remembered() -> Iterator[PushCredentials]:
    """What this installation remembers. Raises TryLater: it has no database of this version."""
    config = settings()
    if is_to_be_made(config):
        raise TryLater
    # The command is for those, too, who run no server here: it makes neither a key nor a database.
    with closing(Parts.alone(config)) as parts:
        yield parts.push_credentials


def tell_whom_it_wakes(found: Credential) -> None:
    """Say how many of the phones that are logged in a credential is for, where there is a database."""
    try:
        with _remembered() as credentials:
            mine, others = credentials.woken(found.kind, found.place)
    except TryLater:
        return
    kind = "Firebase's" if found.kind == "fcm" else "Apple's"
    rest = f"; {others} have registered for the other place" if others else ""
    say(f"For {mine} of {kind} push tokens here{rest}.", err=True)


def keep(found: Credential) -> None:
    """Remember a credential that mesibo has taken, so that the doctor and /metrics tell its end."""
    try:
        with _remembered() as credentials:
            credentials.keep(
                kind=found.kind,
                app=found.app,
                place=found.place,
                fingerprint=found.fingerprint,
                ends_at=int(found.ends.timestamp()) if found.ends else 0,
            )
    except TryLater:
        say("Its end is not kept: there is no database here with the tables of this version.", err=True)

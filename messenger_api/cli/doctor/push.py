"""What the doctor says of the credentials with which mesibo wakes sleeping phones."""

from __future__ import annotations

from collections.abc import Iterator

from messenger_api.cli.common import is_to_be_made, local_time
from messenger_api.cli.doctor.verdicts import Verdict
from messenger_api.composition import Parts
from messenger_api.domain.errors import TryLater
from messenger_api.services.operator.push import WARNED_SECONDS, KeptCredential, PushCredentials
from messenger_api.settings import Settings

RENEW = "make a new one and hand it over: messenger-api mesibo pushupload --file FILE"


def push(settings: Settings, parts: Parts) -> Iterator[Verdict]:
    """Until when the credentials are good that mesibo was handed, and whether they fit the phones."""
    if is_to_be_made(settings):
        yield "ok", "mesibo was handed no credential from here", ""
        return
    credentials = parts.push_credentials
    try:
        kept, asleep = credentials.kept(), credentials.asleep()
    except TryLater:
        yield "ok", "not looked at: the database does not answer, or lacks its tables", ""
        return
    if not kept:
        yield "ok", "mesibo was handed no credential from here", ""
    yield from (_state(each, credentials) for each in kept)
    for place, phones in asleep.items():
        found = f"{phones} iPhones have registered for {place}, and no credential is for that"
        yield "warning", found, "hand mesibo one: messenger-api mesibo pushupload --file FILE"


def _state(kept: KeptCredential, credentials: PushCredentials) -> Verdict:
    left = credentials.seconds_left(kept)
    named = " ".join(filter(None, ("Firebase" if kept.kind == "fcm" else "Apple", kept.app, kept.place)))
    if left is None:
        return "ok", f"{named}, without end", ""
    day = local_time(kept.ends_at).partition(" ")[0]
    if left < 0:
        return "fault", f"{named} ended on {day}: mesibo can wake no phone with it", RENEW
    if left < WARNED_SECONDS:
        return "warning", f"{named} ends on {day}", RENEW
    return "ok", f"{named}, until {day}", ""

"""`getcontacts`, `delcontacts`."""

from __future__ import annotations

from typing import Literal, TypedDict

from msgspec import Struct

from messenger_api.ops import answers
from messenger_api.ops.answers import Entry, Nothing, OwnProfile
from messenger_api.ops.call import Call
from messenger_api.ops.fields import Flag, Ignored, Seconds
from messenger_api.storage import syncs


class GetContactsParameters(Struct):
    """Match a phone book, or ask what changed among the contacts and groups."""

    ts: Seconds = 0
    """The largest `ts` that the app has seen; 0 the first time."""
    phones: list[str] = []
    """Numbers to put into the phone book and to match now."""
    reset: Flag = 0
    """1 forgets the phone book sent earlier."""
    hidden: Ignored = ""
    """Ignored."""


class DelContactsParameters(Struct):
    """Forget numbers of the phone book."""

    phones: list[str] = []
    """The numbers."""


class OwnSynced(OwnProfile):
    """One's own profile in a sync."""

    ts: str
    """When it changed last, in unix seconds."""
    connection_status: Literal[""]
    """Always ""."""


class Synced(TypedDict):
    """What changed, or who was found."""

    contacts: list[Entry]
    """With `phones`: everyone of them who has an account. Without: contacts that changed since `ts`, then
    groups, the oldest change first. The app keeps the largest `ts` of them for its next call."""
    u: OwnSynced
    """One's own profile."""


def getcontacts(call: Call, given: GetContactsParameters) -> Synced:
    """The contacts that changed, then the groups; or the accounts behind the numbers given."""
    contacts, reset = call.services.contacts, bool(given.reset)
    if given.phones:
        own = call.find_with(syncs.own)
        sync = contacts.add(call.caller, own, given.phones, given.ts, reset=reset)
    else:
        sync = contacts.changes(call.request.token, given.ts, reset=reset)
    profile: OwnSynced = {
        **answers.profile(sync.own),
        "ts": str(sync.ts(sync.own.changed_at)),
        "connection_status": "",
    }
    entries = [answers.contact_entry(contact, sync) for contact in sync.contacts]
    entries += [answers.group_entry(group, sync) for group in sync.groups]
    return {"contacts": entries, "u": profile}


def delcontacts(call: Call, given: DelContactsParameters) -> Nothing:
    """Forget numbers."""
    call.services.contacts.forget(call.caller, given.phones)
    return {}

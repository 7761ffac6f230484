"""What answers have: the shapes that ops share, in the wire's names and types, and how they are filled.

A shape is a `TypedDict` with a line of text below each member, as the records of parameters have them. What
an op answers is what its function returns (`Operation.answers`); types prove that it does.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from messenger_api.ops.call import Call
from messenger_api.services.people.contacts import Sync
from messenger_api.storage.groups import GroupState
from messenger_api.storage.syncs import GroupEntry
from messenger_api.storage.users import Profile

# The envelope


class Success(TypedDict):
    """What every success has."""

    op: str
    """The op, in lower case."""
    ts: int
    """The server's time, in unix seconds."""
    result: Literal["OK"]
    """Always "OK"."""


class Failure(TypedDict):
    """What every failure has."""

    op: str
    """The op as asked, in lower case; "" where it could not be read."""
    ts: int
    """The server's time, in unix seconds."""
    result: Literal["FAIL"]
    """Always "FAIL"; in answers to `upload` it may be false."""
    error: str
    """The code of the error."""
    errtitle: NotRequired[str]
    """Where a person can act on it: a title for an alert, in the language of the request."""
    errmsg: NotRequired[str]
    """The alert's text, in the language of the request."""
    properties: NotRequired[list[str]]
    """The fields at fault; "body" where the whole body cannot be read."""
    retry_after: NotRequired[int]
    """Seconds after which another try makes sense."""


class NoOp(TypedDict):
    """The answer to a request that names no op."""

    code: Literal["NOOP"]
    """Always "NOOP"."""
    result: Literal["FAIL"]
    """Always "FAIL"."""


class Share(TypedDict):
    """How to invite a friend."""

    text: str
    """What the friend is sent."""
    subject: str
    """The subject, where that is sent by mail."""
    title: str
    """The title of the dialog that asks how to send it."""


class Urls(TypedDict):
    """Where files go and come from."""

    upload: str
    """Where files are posted to (`upload`)."""
    download: str
    """The address of a file, but for its name."""


class LoggedIn(TypedDict):
    """What every success of whoever is logged in has besides."""

    share: Share
    """How to invite a friend."""
    invite: str
    """The same as `share.text`."""
    urls: Urls
    """Where files go and come from."""
    fileurl: str
    """The same as `urls.download`."""
    downloadurl: str
    """The same as `urls.download`."""
    uploadurl: str
    """The same as `urls.upload`."""


# What several ops answer


class Nothing(TypedDict):
    """Nothing of its own."""


class CodeSent(TypedDict):
    """To a call without a code: one is on its way."""

    retry_after: NotRequired[int]
    """Seconds until another code may be asked for; absent where no code is sent."""


# People and groups


class Named(TypedDict):
    """A user or a group."""

    name: str
    """The name; "" for a user who has none."""
    status: str
    """A user's status; "" for none, and for a group."""
    photo: str
    """The photo's name, to be put behind `urls.download`; "" for none."""
    tn: NotRequired[str]
    """A JPEG of 100 x 100 pixels in base64; only with a photo."""


class OwnProfile(Named):
    """A user's own profile."""

    phone: str
    """The user's number: digits of E.164 without +."""


class Members(TypedDict):
    """Who is in a group."""

    gid: int
    """The group."""
    members: str
    """Number of admins, a colon, then the numbers of the members, the owner first, then the other admins."""


class GroupShown(Named, Members):
    """A group, for its members."""


class Entry(Named):
    """A user or a group in `contacts`; its numbers are texts."""

    phone: str
    """The user's number; "" for a group."""
    gid: str
    """The group; "0" for a user."""
    ts: str
    """When it changed last, in unix seconds."""
    members: NotRequired[str]
    """Only of a group: number of admins, a colon, then the numbers of the members."""


def profile(found: Profile) -> OwnProfile:
    """A user's own profile."""
    answer: OwnProfile = {
        "name": found.name,
        "status": found.status,
        "phone": found.address,
        "photo": found.photo,
    }
    if found.tn:
        answer["tn"] = found.tn
    return answer


def group(found: GroupState | GroupEntry) -> GroupShown:
    """A group, as every op answers it; `gid` is a number here."""
    answer: GroupShown = {
        "gid": found.gid,
        "name": found.name,
        "status": "",
        "photo": found.photo,
        "members": found.members,
    }
    if found.tn:
        answer["tn"] = found.tn
    return answer


def contact_entry(found: Profile, sync: Sync) -> Entry:
    """A user in `contacts`; the apps know its numbers as texts."""
    entry: Entry = {
        "name": found.name,
        "status": found.status,
        "phone": found.address,
        "photo": found.photo,
        "gid": "0",
        "ts": str(sync.ts(found.changed_at)),
    }
    if found.tn:
        entry["tn"] = found.tn
    return entry


def group_entry(found: GroupEntry, sync: Sync) -> Entry:
    """A group in `contacts`."""
    entry: Entry = {
        "name": found.name,
        "status": "",
        "phone": "",
        "photo": found.photo,
        "gid": str(found.gid),
        "ts": str(sync.ts(found.changed_at)),
        "members": found.members,
    }
    if found.tn:
        entry["tn"] = found.tn
    return entry


def invitations(call: Call) -> LoggedIn:
    """What every authenticated success carries: how to invite friends, and where files go."""
    settings, base = call.services.settings, call.base_url
    upload, download = settings.upload_url or f"{base}/api.php", settings.files_url(base)
    return {
        "share": {
            "text": settings.invite_text,
            "subject": settings.invite_subject,
            "title": settings.invite_title,
        },
        "invite": settings.invite_text,
        "urls": {"upload": upload, "download": download},
        "fileurl": download,
        "downloadurl": download,
        "uploadurl": upload,
    }

"""The shapes that answers share, in the wire's names and types."""

from __future__ import annotations

from messenger_api.ops.call import Call, JsonObject
from messenger_api.services.people.contacts import Sync
from messenger_api.storage.groups import GroupState
from messenger_api.storage.syncs import GroupEntry
from messenger_api.storage.users import Profile


def profile(found: Profile) -> JsonObject:
    """A user's own profile."""
    answer: JsonObject = {
        "name": found.name,
        "status": found.status,
        "phone": found.address,
        "photo": found.photo,
    }
    return _with_thumbnail(answer, found.tn)


def group(found: GroupState | GroupEntry) -> JsonObject:
    """A group, as every op answers it; `gid` is a number here."""
    answer: JsonObject = {
        "gid": found.gid,
        "name": found.name,
        "status": "",
        "photo": found.photo,
        "members": found.members,
    }
    return _with_thumbnail(answer, found.tn)


def contact_entry(found: Profile, sync: Sync) -> JsonObject:
    """A user in `contacts`; the apps know its numbers as texts."""
    entry: JsonObject = {
        "name": found.name,
        "status": found.status,
        "phone": found.address,
        "photo": found.photo,
        "gid": "0",
        "ts": str(sync.ts(found.changed_at)),
    }
    return _with_thumbnail(entry, found.tn)


def group_entry(found: GroupEntry, sync: Sync) -> JsonObject:
    """A group in `contacts`."""
    entry: JsonObject = {
        "name": found.name,
        "status": "",
        "phone": "",
        "photo": found.photo,
        "gid": str(found.gid),
        "ts": str(sync.ts(found.changed_at)),
        "members": found.members,
    }
    return _with_thumbnail(entry, found.tn)


def _with_thumbnail(answer: JsonObject, tn: str) -> JsonObject:
    if tn:
        answer["tn"] = tn
    return answer


def invitations(call: Call) -> JsonObject:
    """What every authenticated success carries: how to invite friends, and where files go."""
    settings = call.services.settings
    upload = settings.upload_url or f"{call.base_url}/api.php"
    share = {
        "text": settings.invite_text,
        "subject": settings.invite_subject,
        "title": settings.invite_title,
    }
    return {
        "share": share,
        "invite": settings.invite_text,
        "urls": {"upload": upload, "download": call.download_url},
        "fileurl": call.download_url,
        "downloadurl": call.download_url,
        "uploadurl": upload,
    }

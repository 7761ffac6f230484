"""`upload`: photos of profiles and groups, and what is sent in chats."""

from __future__ import annotations

from msgspec import Struct

from messenger_api.domain.errors import MissingFile
from messenger_api.ops import answers
from messenger_api.ops.call import Call, JsonObject
from messenger_api.ops.fields import Flag, Gid, Ignored


class UploadParameters(Struct):
    """Upload a file, or with `profile` 1 a photo of oneself or of a group that one is admin of."""

    profile: Flag = 0
    """1 for a profile photo."""
    gid: Gid = 0
    """The group whose photo it is, or 0 for one's own."""
    delete: Flag = 0
    """1 removes the profile photo."""
    mid: Ignored = ""
    """The message that it belongs to; ignored."""


def upload(call: Call, given: UploadParameters) -> JsonObject:
    """Store the file and answer where it is."""
    file = call.request.file
    if given.profile:
        return _photo(call, given)
    if file is None:
        raise MissingFile(properties=("file",))
    name = call.services.media.keep_attachment(file.data, file.filename)
    return {"phone": "", "gid": given.gid, "profile": 0, **_location(call, name)}


def _photo(call: Call, given: UploadParameters) -> JsonObject:
    file = call.request.file
    if file is None and not given.delete:
        raise MissingFile(properties=("photo",))
    photo = None if given.delete or file is None else file.data
    remove = bool(given.delete)
    if given.gid:
        group = call.services.groups.change(call.caller, given.gid, photo=photo, remove_photo=remove)
        answer = {"phone": "", **answers.group(group)}
    else:
        own = call.services.profiles.change(call.caller, photo=photo, remove_photo=remove)
        answer = {**answers.profile(own), "gid": 0}
    return {**answer, "profile": 1, **_location(call, str(answer["photo"]))}


def _location(call: Call, name: str) -> JsonObject:
    address = call.download_url + name if name else ""
    return {"file": address, "url": address}

"""`upload`: photos of profiles and groups, and what is sent in chats."""

from __future__ import annotations

from typing import Literal, TypedDict

from msgspec import Struct

from messenger_api.domain.errors import MissingFile
from messenger_api.ops import answers
from messenger_api.ops.answers import GroupShown, OwnProfile
from messenger_api.ops.call import Call
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


class Stored(TypedDict):
    """Where a file is."""

    file: str
    """Its address; "" for a photo that was removed."""
    url: str
    """The same."""


class ChatFile(Stored):
    """With `profile` 0: a file for a chat."""

    phone: Literal[""]
    """Always ""."""
    gid: int
    """As it was sent."""
    profile: Literal[0]
    """As it was sent."""


class OwnPhoto(OwnProfile, Stored):
    """With `profile` 1: one's own profile as it is now."""

    gid: Literal[0]
    """As it was sent."""
    profile: Literal[1]
    """As it was sent."""


class GroupPhoto(GroupShown, Stored):
    """With `profile` 1 and `gid`: the group as it is now."""

    phone: Literal[""]
    """Always ""."""
    profile: Literal[1]
    """As it was sent."""


def upload(call: Call, given: UploadParameters) -> ChatFile | OwnPhoto | GroupPhoto:
    """Store the file and answer where it is."""
    file = call.request.file
    if given.profile:
        return _group_photo(call, given) if given.gid else _own_photo(call, given)
    if file is None:
        raise MissingFile(properties=("file",))
    name = call.services.media.keep_attachment(file.data, file.filename)
    return {"phone": "", "gid": given.gid, "profile": 0, **_stored(call, name)}


def _own_photo(call: Call, given: UploadParameters) -> OwnPhoto:
    photo = _photo(call, given)
    own = call.services.profiles.change(call.caller, photo=photo, remove_photo=photo is None)
    return {**answers.profile(own), "gid": 0, "profile": 1, **_stored(call, own.photo)}


def _group_photo(call: Call, given: UploadParameters) -> GroupPhoto:
    photo = _photo(call, given)
    group = call.services.groups.change(call.caller, given.gid, photo=photo, remove_photo=photo is None)
    return {"phone": "", **answers.group(group), "profile": 1, **_stored(call, group.photo)}


def _photo(call: Call, given: UploadParameters) -> bytes | None:
    """The new photo; None where it shall be removed. Raises MissingFile."""
    if given.delete:
        return None
    if call.request.file is None:
        raise MissingFile(properties=("photo",))
    return call.request.file.data


def _stored(call: Call, name: str) -> Stored:
    address = call.download_url + name if name else ""
    return {"file": address, "url": address}

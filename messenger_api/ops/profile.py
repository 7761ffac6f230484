"""`profile`: one's own, or a group's name."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from messenger_api.ops import answers
from messenger_api.ops.answers import GroupShown, OwnProfile
from messenger_api.ops.call import Call
from messenger_api.ops.fields import Gid, Name, Status


class ProfileParameters(Struct):
    """Change one's own profile, or a group's name as its admin. A file is the new photo."""

    name: Name | None = None
    """The new name; absent leaves it, "" clears it (a group keeps its name)."""
    status: Status | None = None
    """The new status; absent leaves it, "" clears it."""
    gid: Gid = 0
    """A group, or 0 for one's own profile."""


class OwnChanged(OwnProfile):
    """With `gid` 0: one's own profile as it is now."""

    gid: Literal[0]
    """Always 0."""


class GroupChanged(GroupShown):
    """With `gid`: the group as it is now."""


def profile(call: Call, given: ProfileParameters) -> OwnChanged | GroupChanged:
    """Change what is given and answer how it is now."""
    file = call.request.file
    photo = file.data if file else None
    if given.gid:
        changed = call.services.groups.change(call.caller, given.gid, name=given.name or "", photo=photo)
        return {**answers.group(changed)}
    own = call.services.profiles.change(call.caller, name=given.name, status=given.status, photo=photo)
    return {**answers.profile(own), "gid": 0}

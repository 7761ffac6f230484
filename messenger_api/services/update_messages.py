"""Update messages: their texts, and how one reaches many.

The texts are JSON that older apps parse strictly: the members, their order and their types are the
contract's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from messenger_api.gateways.mesibo import MesiboClient, Message
from messenger_api.outbox.failures import Impossible
from messenger_api.storage.db import SETTLE_SECONDS
from messenger_api.storage.groups import GroupState
from messenger_api.storage.users import Profile

# Recipients that one request may name at the most, whatever its size.
RECIPIENTS = 500


class UpdateText(msgspec.Struct, kw_only=True):
    """The text of an update message; `members` only about a group, `tn` only with a photo."""

    subject: str
    """The title of a notice that a person sees; "" for none. The app puts the name that its phone book has in
    the place of %NAME%."""
    msg: str
    """The notice's text, with %NAME% as above."""
    type: int = 0
    """Always 0."""
    action: int = 0
    """Always 0."""
    name: str
    """The name of the user or group."""
    gid: int
    """The group; 0 for a user."""
    phone: str
    """The user's number; "" for a group."""
    status: str
    """The user's status; "" for a group."""
    members: str | msgspec.UnsetType = msgspec.UNSET
    """Only of a group: number of admins, a colon, then the numbers of the members. Who is not among them is
    in the group no more."""
    photo: str
    """The photo's name, to be put behind `urls.download`; "" for none."""
    ts: int
    """When it changed, in unix seconds."""
    tn: str | msgspec.UnsetType = msgspec.UNSET
    """A JPEG of 100 x 100 pixels in base64; only with a photo, and left out where the message is too long."""


def user_text(profile: Profile, *, subject: str = "", msg: str = "") -> str:
    """The JSON that tells an app how a contact's profile is now."""
    text = UpdateText(
        subject=subject,
        msg=msg,
        name=profile.name,
        gid=0,
        phone=profile.address,
        status=profile.status,
        photo=profile.photo,
        ts=settled(profile.changed_at),
        tn=profile.tn or msgspec.UNSET,
    )
    return msgspec.json.encode(text).decode()


def added_to(group: GroupState) -> str:
    """The `subject` that tells members of a group that was made or edited, in mesibo's words."""
    return f"You have been added to group {group.name}"


def group_text(group: GroupState, now: int, subject: str) -> str:
    """The JSON that tells an app how a group is now."""
    text = UpdateText(
        subject=subject,
        msg="",
        name=group.name,
        gid=group.gid,
        phone="",
        status="",
        members=group.members,
        photo=group.photo,
        ts=settled(now),
        tn=group.tn or msgspec.UNSET,
    )
    return msgspec.json.encode(text).decode()


def smaller(text: str) -> Iterator[str]:
    """The text of an update message, then smaller ones that say the same.

    First the thumbnail goes: the app fetches the photo by its name. Then the notice that a person sees.
    """
    yield text
    members = msgspec.json.decode(text, type=dict[str, object])
    members.pop("tn", None)
    yield msgspec.json.encode(members).decode()
    yield msgspec.json.encode({**members, "subject": "", "msg": ""}).decode()


def settled(changed_at: int) -> int:
    """The `ts` under which a change is reported at once.

    An app that stores it and asks for what came later is told of everything that was committed about
    the same time (see `storage.db.SETTLE_SECONDS`).
    """
    return changed_at - SETTLE_SECONDS


class UpdateMessages:
    """Sends update messages, each to as many people as fit into a request."""

    def __init__(self, mesibo: MesiboClient, max_body: int) -> None:
        self._mesibo = mesibo
        self._max_body = max_body

    def send(self, sender: str, to: Sequence[str], text: str) -> int:
        """Send one update message to as many of `to` as fit into one request; returns how many.

        Raises:
            Impossible: the message is too long for one person alone.
            MesiboError: mesibo refuses it, or does not answer.
        """
        for shown in smaller(text):
            if told := self._how_many_fit(sender, to, shown):
                self._mesibo.send_message(Message(sender, to[:told], shown))
                return told
        raise Impossible("cannot be done: longer than MESIBO_MAX_BODY")

    def _how_many_fit(self, sender: str, to: Sequence[str], text: str) -> int:
        if self._fits(Message(sender, to, text)):
            return len(to)
        fits, too_many = 0, len(to)
        while too_many - fits > 1:
            middle = (fits + too_many) // 2
            if self._fits(Message(sender, to[:middle], text)):
                fits = middle
            else:
                too_many = middle
        return fits

    def _fits(self, message: Message) -> bool:
        return self._mesibo.fits(message, self._max_body)

"""What must follow a commit, as items of the outbox, and the texts of the update messages.

The texts are JSON that older apps parse strictly: the members, their order and their types are the
contract's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from messenger_api.storage.closing import AccountIds
from messenger_api.storage.db import SETTLE_SECONDS
from messenger_api.storage.groups import GroupState
from messenger_api.storage.outbox import Draft
from messenger_api.storage.sessions import AppOfUser
from messenger_api.storage.users import Profile

# A request that was killed between its intention and its commit is put right after this long. It must be
# longer than any request lives, and than mesibo may take for a call that nobody waits for any more.
INTENT_SECONDS = 120
# Within the hour nothing is left of a person; a message that mesibo never takes must not hold that up.
FAREWELL_SECONDS = 1800


class UserChanged(msgspec.Struct):
    """Tell everyone who has `uid` in the phone book, beyond the uid `after`, how the profile is now."""

    uid: int
    subject: str = ""
    msg: str = ""
    after: int = 0


class TellMembers(msgspec.Struct):
    """Send one text about a group to these addresses."""

    sender: str
    to: list[str]
    text: str


class MirrorGroup(msgspec.Struct):
    """Make mesibo's copy of a group agree with ours: whether these addresses are in it, and its name.

    `again`: a call to mesibo was not answered in time and may yet be carried out.
    """

    gid: int
    addresses: list[str]
    rename: bool = False
    again: bool = False


class GroupGone(msgspec.Struct):
    """Delete a group at mesibo."""

    gid: int


class TokenGone(msgspec.Struct):
    """Delete a user's token at mesibo, unless whoever has the address has logged in to that app again.

    `again`: as in `MirrorGroup`.
    """

    uid: int
    address: str
    mesibo_uid: int
    appid: str
    again: bool = False


class FileGone(msgspec.Struct):
    """Delete a file that no profile or group shows any more."""

    name: str


class WatchText(msgspec.Struct):
    """Look whether a text arrived, and send it once more when it did not; what it held is sealed."""

    text_id: int
    sealed: str
    code_hash: str


class AccountClosed(msgspec.Struct):
    """Let a closed account leave its groups, and delete it."""

    uid: int


class UserGone(msgspec.Struct):
    """Tell everyone who has this number in the phone book, beyond the uid `after`, that nobody has it.

    The account's row is gone by then. `but`: whom it had blocked.
    """

    address: str
    contact_key: str
    at: int
    but: list[int] = []
    after: int = 0


class MesiboUserGone(msgspec.Struct):
    """Delete a user at mesibo when no message in the user's name waits any more, or it is past `latest`.

    `renewed_for`: the app of somebody who has taken the address over, for whom mesibo then makes the user
    anew. `again`: as in `MirrorGroup`.
    """

    uid: int
    address: str
    mesibo_uid: int
    latest: int
    renewed_for: str = ""
    again: bool = False


class GroupNews(msgspec.Struct):
    """Tell the members of a group, but `uid` and in that user's name, how it is by then.

    `sender`: in whose name, where that user is a member no more.
    """

    gid: int
    uid: int
    sender: str = ""


class UpdateText(msgspec.Struct, kw_only=True):
    """The text of an update message; `members` only about a group, `tn` only with a photo."""

    subject: str
    msg: str
    type: int = 0
    action: int = 0
    name: str
    gid: int
    phone: str
    status: str
    members: str | msgspec.UnsetType = msgspec.UNSET
    photo: str
    ts: int
    tn: str | msgspec.UnsetType = msgspec.UNSET


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


def group_text(group: GroupState, now: int, subject: str) -> str:
    """The JSON that tells an app how a group is now."""
    text = UpdateText(
        subject=subject,
        msg="",
        name=group.name,
        gid=group.gid,
        phone="",
        status="",
        members=group.roster.wire(),
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


def user_changed(uid: int, subject: str = "", msg: str = "") -> Draft:
    """Tell a user's followers, after the commit."""
    return Draft(f"user:{uid}", "user_changed", UserChanged(uid, subject, msg))


def tell(gid: int, sender: str, to: Sequence[str], text: str) -> list[Draft]:
    """Tell people about a group, after the commit; nothing when there is nobody to tell."""
    return [Draft(f"group:{gid}", "tell_members", TellMembers(sender, list(to), text))] if to else []


def mirror(gid: int, addresses: Iterable[str] = (), *, rename: bool = False) -> Draft:
    """Bring mesibo's copy of a group in line, after the commit."""
    return Draft(f"group:{gid}", "mirror_group", MirrorGroup(gid, list(addresses), rename))


def mirror_later(gid: int, addresses: Iterable[str], *, rename: bool) -> Draft:
    """Bring mesibo's copy of a group in line when whatever is under way now has come to its end.

    The intention of a request that changes the group at mesibo, which withdraws it when it is finished.
    """
    task = MirrorGroup(gid, list(addresses), rename)
    return Draft(f"intent:{gid}", "mirror_group", task, delay=INTENT_SECONDS)


def group_gone(gid: int) -> Draft:
    """Delete a group at mesibo, after the commit."""
    return Draft(f"group:{gid}", "group_gone", GroupGone(gid))


def group_news(gid: int, uid: int, sender: str = "") -> Draft:
    """Tell a group's members how it is, after the commit and what else is queued for the group."""
    return Draft(f"group:{gid}", "group_news", GroupNews(gid, uid, sender))


def account_closed(uid: int) -> Draft:
    """Let a closed account leave its groups and delete it, after the commit."""
    return Draft(f"user:{uid}", "account_closed", AccountClosed(uid))


def gone_lane(contact_key: bytes) -> str:
    """The lane of what is left to do about whoever had this number or its tokens; a login waits for it."""
    return f"gone:{contact_key.hex()}"


def intent_lane(contact_key: bytes) -> str:
    """The lane of intentions to make a user of this number at mesibo."""
    return f"intent:{contact_key.hex()}"


def user_gone(gone: AccountIds, now: int, but: Sequence[int]) -> Draft:
    """Tell those who have a number that its account is gone, after the commit."""
    task = UserGone(gone.address, gone.contact_key.hex(), now, list(but))
    return Draft(gone_lane(gone.contact_key), "user_gone", task)


def mesibo_user_gone(gone: AccountIds, now: int) -> Draft:
    """Delete a user at mesibo, after the messages in the user's name."""
    task = MesiboUserGone(gone.uid, gone.address, gone.mesibo_uid, now + FAREWELL_SECONDS)
    return Draft(gone_lane(gone.contact_key), "mesibo_user_gone", task)


def mesibo_user_unused(address: str, contact_key: bytes, now: int) -> Draft:
    """Delete a user whom mesibo is being asked to make, unless the account gets that address meanwhile.

    The intention of a login and of a change of number, which withdraw it when they are finished.
    """
    task = MesiboUserGone(0, address, 0, now)
    return Draft(intent_lane(contact_key), "mesibo_user_gone", task, delay=INTENT_SECONDS)


def mesibo_user_renewed(gone: AccountIds, appid: str) -> Draft:
    """Delete a user at mesibo, and make one anew for the account that has the address now."""
    task = MesiboUserGone(gone.uid, gone.address, gone.mesibo_uid, 0, renewed_for=appid)
    return Draft(gone_lane(gone.contact_key), "mesibo_user_gone", task)


def token_gone(app: AppOfUser) -> Draft:
    """Delete a user's token at mesibo, after the commit."""
    task = TokenGone(app.uid, app.address, app.mesibo_uid, app.appid)
    return Draft(gone_lane(app.contact_key), "token_gone", task)


def file_gone(name: str) -> list[Draft]:
    """Delete a replaced photo, after the commit; nothing when there was none."""
    return [Draft(f"file:{name}", "file_gone", FileGone(name))] if name else []


def watch_text(task: WatchText, seconds: int) -> Draft:
    """Look after a text in so many seconds."""
    return Draft(watch_lane(task.text_id), "watch_text", task, delay=seconds)


def watch_lane(text_id: int) -> str:
    """The lane of what looks after a text."""
    return f"text:{text_id}"

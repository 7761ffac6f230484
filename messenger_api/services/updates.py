"""What must follow a commit, as items of the outbox."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from messenger_api.storage.closing import AccountIds
from messenger_api.storage.intentions import INTENT_SECONDS
from messenger_api.storage.outbox import Draft
from messenger_api.storage.sessions import AppOfUser

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

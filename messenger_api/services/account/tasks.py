"""What follows the end or the move of an account: its groups, its rows, its contacts' apps, mesibo.

An account that was closed leaves its groups one by one, each in a transaction with its messages. Then one
transaction deletes the row and queues what is left: telling those who have the number, and, last of all,
deleting the user at mesibo, in whose name the messages go out. Whatever is cut short is taken up again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace as with_changes
from functools import partial
from typing import ClassVar

import msgspec
import structlog
from msgspec.structs import replace
from sqlalchemy import Connection

from messenger_api.gateways.mesibo import MesiboClient, MesiboUnreachable
from messenger_api.outbox.failures import NotReady, UnderWay, ask_to_remove
from messenger_api.outbox.run import Run
from messenger_api.outbox.tasks import Task
from messenger_api.services.groups.changes import GroupChanges
from messenger_api.services.groups.tasks import MirrorGroup
from messenger_api.services.people.tasks import file_gone
from messenger_api.services.update_messages import RECIPIENTS, UpdateMessages, user_text
from messenger_api.storage import blocks, closing, contacts, groups, intentions, lanes, outbox, sessions
from messenger_api.storage.closing import AccountIds
from messenger_api.storage.db import Database
from messenger_api.storage.intentions import INTENT_SECONDS
from messenger_api.storage.outbox import Draft
from messenger_api.storage.sessions import AppOfUser, Caller
from messenger_api.storage.users import Profile

log = structlog.get_logger(__name__)

# How often a group is left anew because somebody changed it meanwhile.
LEAVE_ATTEMPTS = 4
# After so many failures of one message, while mesibo answers otherwise, people learn it when they next look:
# the number is kept from its next owner meanwhile.
FAREWELL_ATTEMPTS = 8
# Within the hour nothing is left of a person; a message that mesibo never takes must not hold that up.
FAREWELL_SECONDS = 1800
# Entries of a phone book that one statement removes.
CONTACTS_AT_ONCE = 2000


class AccountClosed(Task):
    """Let a closed account leave its groups, and delete it."""

    kind: ClassVar[str] = "account_closed"
    needs_mesibo: ClassVar[bool] = False

    uid: int

    def draft(self) -> Draft:
        """Behind what else follows from the account."""
        return self.in_lane(lanes.user(self.uid))


class UserGone(Task):
    """Tell everyone who has this number in the phone book, beyond the uid `after`, that nobody has it.

    The account's row is gone by then. `but`: whom it had blocked.
    """

    kind: ClassVar[str] = "user_gone"

    address: str
    contact_key: str
    at: int
    but: list[int] = msgspec.field(default_factory=list)
    after: int = 0

    def draft(self) -> Draft:
        """Before the user at mesibo goes, in whose name people are told."""
        return self.in_lane(lanes.gone(bytes.fromhex(self.contact_key)))


class MesiboUserGone(Task):
    """Delete a user at mesibo when no message in the user's name waits any more, or it is past `latest`.

    `renewed_for`: the app of somebody who has taken the address over, for whom mesibo then makes the user
    anew. `again`: a call to mesibo was not answered in time and may yet be carried out.
    """

    kind: ClassVar[str] = "mesibo_user_gone"

    uid: int
    address: str
    mesibo_uid: int
    latest: int
    renewed_for: str = ""
    again: bool = False

    def draft(self, contact_key: bytes) -> Draft:
        """Before anybody logs in with the number."""
        return self.in_lane(lanes.gone(contact_key))

    def intention(self, contact_key: bytes) -> Draft:
        """For a login or a change of number, which withdraws it when it is finished."""
        return self.in_lane(lanes.intent(contact_key), delay=INTENT_SECONDS)


class TokenGone(Task):
    """Delete a user's token at mesibo, unless whoever has the address has logged in to that app again.

    `again`: as in `MesiboUserGone`.
    """

    kind: ClassVar[str] = "token_gone"

    uid: int
    address: str
    mesibo_uid: int
    appid: str
    again: bool = False

    def draft(self, contact_key: bytes) -> Draft:
        """Before anybody logs in with the number."""
        return self.in_lane(lanes.gone(contact_key))


def user_gone(gone: AccountIds, now: int, but: Sequence[int]) -> Draft:
    """Tell those who have a number that its account is gone."""
    return UserGone(gone.address, gone.contact_key.hex(), now, list(but)).draft()


def mesibo_user_gone(gone: AccountIds, now: int) -> Draft:
    """Delete a user at mesibo, after the messages in the user's name."""
    task = MesiboUserGone(gone.uid, gone.address, gone.mesibo_uid, now + FAREWELL_SECONDS)
    return task.draft(gone.contact_key)


def mesibo_user_unused(address: str, contact_key: bytes, now: int) -> Draft:
    """Delete a user whom mesibo is being asked to make, unless the account gets that address meanwhile."""
    return MesiboUserGone(0, address, 0, now).intention(contact_key)


def mesibo_user_renewed(gone: AccountIds, appid: str) -> Draft:
    """Delete a user at mesibo, and make one anew for the account that has the address now."""
    return MesiboUserGone(gone.uid, gone.address, gone.mesibo_uid, 0, appid).draft(gone.contact_key)


def token_gone(app: AppOfUser) -> Draft:
    """Delete a user's token at mesibo."""
    return TokenGone(app.uid, app.address, app.mesibo_uid, app.appid).draft(app.contact_key)


class AccountTasks:
    """Does these tasks."""

    def __init__(
        self, database: Database, mesibo: MesiboClient, messages: UpdateMessages, changes: GroupChanges
    ) -> None:
        self._database = database
        self._mesibo = mesibo
        self._messages = messages
        self._changes = changes

    def account_closed(self, task: AccountClosed, run: Run) -> None:
        """Leave the groups, forget the phone book, delete the row; another try takes up what is left."""
        found = self._database.run(lambda tx: closing.closed(tx, task.uid))
        if found is None:
            return
        for gid in self._database.run(lambda tx: groups.gids(tx, task.uid)):
            self._leave(_leaver(found), gid)
            run.note_progress(task)
        while self._database.run(lambda tx: closing.forget_contacts(tx, task.uid, CONTACTS_AT_ONCE)):
            run.note_progress(task)
        self._database.write(lambda tx, now: closing.forget_texts(tx, now, found.contact_key))
        if not self._database.write(partial(_erase, task.uid)):
            raise NotReady("somebody added the person to a group meanwhile")

    def _leave(self, leaver: Caller, gid: int) -> None:
        for _ in range(LEAVE_ATTEMPTS):
            before = self._database.run(lambda tx: groups.find(tx, gid))
            if before is None or before.roster.role(leaver.uid) is None:
                return
            after = with_changes(before, roster=before.roster.left_by(leaver.uid))
            if not after.roster.members:
                left = self._changes.delete(leaver, before)
            else:
                mirror = MirrorGroup(gid, [leaver.address]).draft()
                left = self._changes.save(leaver, before, after, "", mirror)
            if left is not None:
                return
        raise NotReady("the group changed meanwhile")

    def user_gone(self, task: UserGone, run: Run) -> None:
        """Tell them part by part."""
        if run.attempts >= FAREWELL_ATTEMPTS:
            log.warning("account.farewell_given_up", id=run.id)
            return
        gone = Profile(0, task.address, "", "", "", "", task.at)
        key, unheard = bytes.fromhex(task.contact_key), set(task.but)
        while True:
            taken, found = self._database.run(
                lambda tx: (
                    closing.has_account(tx, task.address),
                    contacts.holders(tx, key, after=task.after, most=RECIPIENTS),
                )
            )
            # Somebody new has the number by now, and was announced.
            if taken or not found:
                return
            listening = [(uid, address) for uid, address in found if uid not in unheard]
            task.after = found[-1][0]
            if listening:
                told = self._messages.send(
                    task.address, [address for _uid, address in listening], user_text(gone)
                )
                task.after = listening[told - 1][0] if told < len(listening) else task.after
            run.note_progress(task)

    def mesibo_user_gone(self, task: MesiboUserGone, run: Run) -> None:
        """Delete the user unless somebody has come in with the number, and make one anew for whom it is."""
        self._let_others_in(run, task.address)
        waiting, taken, used = self._database.run(
            lambda tx: (
                outbox.waits_before(tx, run.id, lanes.tokens(task.uid)),
                closing.has_account(tx, task.address),
                sessions.count_at(tx, task.address),
            )
        )
        if waiting and self._database.now() < task.latest:
            raise NotReady("messages in this user's name still wait")
        if taken and (used or not task.renewed_for):
            return
        self._remove(run, task, partial(self._mesibo.delete_user, task.address, uid=task.mesibo_uid or None))
        if taken:
            self._mesibo.add_user(task.address, appid=task.renewed_for)
            self._database.write(partial(_back_into_groups, task.address))

    def token_gone(self, task: TokenGone, run: Run) -> None:
        """Delete the token unless somebody has logged in to the app again."""
        self._let_others_in(run, task.address)
        if not self._database.run(lambda tx: sessions.count_at(tx, task.address, task.appid)):
            uid = task.mesibo_uid or None
            call = partial(self._mesibo.delete_token, task.address, uid=uid, appid=task.appid)
            self._remove(run, task, call)

    def _let_others_in(self, run: Run, address: str) -> None:
        """Wait while somebody is about to log in with this number: what they get must not be ended.

        Whoever begins only now waits for this item.
        """

        def look(tx: Connection) -> bool:
            key = lanes.key_of(run.lane) or closing.contact_key(tx, address)
            lane = lanes.intent(key) if key else ""
            return intentions.stands(tx, self._database.now(), lane, but=run.id)

        if self._database.run(look):
            raise UnderWay("a login is under way")

    def _remove(self, run: Run, task: TokenGone | MesiboUserGone, call: Callable[[], None]) -> None:
        """Have mesibo remove something; nobody logs in before a call without an answer is surely over."""
        try:
            ask_to_remove(call)
        except MesiboUnreachable as error:
            # A connection that broke has come to its end, whatever was done.
            if error.maybe_done and error.reason != "broken" and not task.again:
                task.again = True
                run.note_progress(task)
            raise
        if task.again:
            later = replace(task, again=False).in_lane(run.lane, delay=INTENT_SECONDS)
            self._database.run(lambda tx: outbox.add(tx, self._database.now(), [later]))


def _leaver(found: AccountIds) -> Caller:
    """Who is gone, as the one in whose name groups are told."""
    return Caller(
        sid=0,
        uid=found.uid,
        address=found.address,
        name="",
        country="",
        appid="",
        mesibo_uid=found.mesibo_uid,
        synced_to=0,
    )


def _back_into_groups(address: str, tx: Connection, now: int) -> None:
    """Have mesibo's groups take in a user again who was deleted there and made anew."""
    outbox.add(tx, now, [MirrorGroup(gid, [address]).draft() for gid in groups.gids_at(tx, address)])


def _erase(uid: int, tx: Connection, now: int) -> bool:
    """Delete a closed account that has left its groups; False when it is in one again."""
    found = closing.closed(tx, uid, lock=True)
    if found is None:
        return True
    if groups.gids(tx, uid):
        return False
    if found.displaced:
        closing.erase(tx, found)
        outbox.add(tx, now, file_gone(found.photo))
        return True
    unheard = [each for each, _address in blocks.accounts(tx, uid)]
    closing.erase(tx, found)
    outbox.add(
        tx, now, [user_gone(found, now, unheard), mesibo_user_gone(found, now), *file_gone(found.photo)]
    )
    return True

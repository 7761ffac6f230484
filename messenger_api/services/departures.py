"""What the outbox does when an account ends or moves: its groups, its rows, its contacts' apps, mesibo.

An account that was closed leaves its groups one by one, each in a transaction with its messages. Then one
transaction deletes the row and queues what is left: telling those who have the number, and, last of all,
deleting the user at mesibo, in whose name the messages go out. Whatever is cut short is taken up again.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import structlog
from sqlalchemy import Connection

from messenger_api.gateways.mesibo import MesiboClient
from messenger_api.services.deliveries import (
    RECIPIENTS,
    Changed,
    Kind,
    Messages,
    NoteProgress,
    ask_to_remove,
)
from messenger_api.services.group_changes import GroupChanges
from messenger_api.services.updates import (
    AccountClosed,
    GroupNews,
    MesiboUserGone,
    UserGone,
    file_gone,
    group_text,
    mesibo_user_gone,
    mirror,
    tell,
    user_gone,
    user_text,
)
from messenger_api.storage import blocks, closing, contacts, groups, outbox
from messenger_api.storage.closing import Identity
from messenger_api.storage.db import Database
from messenger_api.storage.outbox import Item
from messenger_api.storage.sessions import Caller
from messenger_api.storage.users import Profile

log = structlog.get_logger(__name__)

# How often a group is left anew because somebody changed it meanwhile.
LEAVE_ATTEMPTS = 4
# After so many failures of one message, while mesibo answers otherwise, people learn it when they next look:
# the number is kept from its next owner meanwhile.
FAREWELL_ATTEMPTS = 8
# Entries of a phone book that one statement removes.
CONTACTS_AT_ONCE = 2000


class Departures:
    """Does what follows the end or the move of an account."""

    def __init__(
        self, database: Database, mesibo: MesiboClient, messages: Messages, note_progress: NoteProgress
    ) -> None:
        self._database = database
        self._mesibo = mesibo
        self._messages = messages
        self._note_progress = note_progress
        self._changes = GroupChanges(database, mesibo)

    def kinds(self) -> dict[str, Kind]:
        """The kinds of work that are done here."""
        return {
            "account_closed": Kind(AccountClosed, self._account_closed, asks_mesibo=False),
            "user_gone": Kind(UserGone, self._user_gone),
            "mesibo_user_gone": Kind(MesiboUserGone, self._mesibo_user_gone),
            "group_news": Kind(GroupNews, self._group_news, asks_mesibo=False),
        }

    def _account_closed(self, item: Item, task: AccountClosed) -> None:
        found = self._database.run(lambda tx: closing.closed(tx, task.uid))
        if found is None:
            return
        for gid in self._database.run(lambda tx: groups.gids(tx, task.uid)):
            self._leave(_leaver(found), gid)
            self._note_progress(item, task)
        while self._database.run(lambda tx: closing.forget_contacts(tx, task.uid, CONTACTS_AT_ONCE)):
            self._note_progress(item, task)
        self._database.run(lambda tx: closing.forget_texts(tx, found.contact_key))
        if not self._database.write(partial(_erase, task.uid)):
            raise Changed("somebody added the person to a group meanwhile")

    def _leave(self, leaver: Caller, gid: int) -> None:
        for _ in range(LEAVE_ATTEMPTS):
            before = self._database.run(lambda tx: groups.find(tx, gid))
            if before is None or before.roster.role(leaver.uid) is None:
                return
            after = replace(before, roster=before.roster.left_by(leaver.uid))
            if not after.roster.members:
                left = self._changes.delete(leaver, before)
            else:
                left = self._changes.save(leaver, before, after, "", mirror(gid, [leaver.address]))
            if left is not None:
                return
        raise Changed("the group changed meanwhile")

    def _user_gone(self, item: Item, task: UserGone) -> None:
        if item.attempts >= FAREWELL_ATTEMPTS:
            log.warning("account.farewell_given_up", id=item.id)
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
            self._note_progress(item, task)

    def _mesibo_user_gone(self, item: Item, task: MesiboUserGone) -> None:
        waiting, taken = self._database.run(
            lambda tx: (
                outbox.waits_before(tx, item.id, f"token:{task.uid}"),
                closing.has_account(tx, task.address),
            )
        )
        if waiting and self._database.now() < task.latest:
            raise Changed("messages in this user's name still wait")
        if not taken:
            uid = task.mesibo_uid or None
            ask_to_remove(partial(self._mesibo.delete_user, task.address, uid=uid))

    def _group_news(self, _item: Item, task: GroupNews) -> None:
        group = self._database.run(lambda tx: groups.find(tx, task.gid))
        member = group.roster.get(task.uid) if group else None
        if group is None or member is None:
            return
        text = group_text(group, self._database.now(), "")
        drafts = tell(task.gid, member.address, group.roster.addresses(but=task.uid), text)
        self._database.write(lambda tx, now: outbox.add(tx, now, drafts))


def _leaver(found: Identity) -> Caller:
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


def _erase(uid: int, tx: Connection, now: int) -> bool:
    """Delete a closed account that has left its groups; False when it is in one again."""
    found = closing.closed(tx, uid, lock=True)
    if found is None:
        return True
    if groups.gids(tx, uid):
        return False
    unheard = [each for each, _address in blocks.accounts(tx, uid)]
    closing.erase(tx, found)
    outbox.add(
        tx, now, [user_gone(found, now, unheard), mesibo_user_gone(found, now), *file_gone(found.photo)]
    )
    return True

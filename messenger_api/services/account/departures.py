"""What the outbox does when an account ends or moves: its groups, its rows, its contacts' apps, mesibo.

An account that was closed leaves its groups one by one, each in a transaction with its messages. Then one
transaction deletes the row and queues what is left: telling those who have the number, and, last of all,
deleting the user at mesibo, in whose name the messages go out. Whatever is cut short is taken up again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace as with_changes
from functools import partial

import structlog
from msgspec.structs import replace
from sqlalchemy import Connection

from messenger_api.gateways.mesibo import MesiboClient, MesiboUnreachable
from messenger_api.services.deliveries import (
    RECIPIENTS,
    Changed,
    Kind,
    Messages,
    NoteProgress,
    UnderWay,
    ask_to_remove,
)
from messenger_api.services.groups.changes import GroupChanges
from messenger_api.services.update_messages import group_text, user_text
from messenger_api.services.updates import (
    AccountClosed,
    GroupNews,
    MesiboUserGone,
    TokenGone,
    UserGone,
    file_gone,
    mesibo_user_gone,
    mirror,
    tell,
    user_gone,
)
from messenger_api.storage import blocks, closing, contacts, groups, intentions, outbox, sessions
from messenger_api.storage.closing import AccountIds
from messenger_api.storage.db import Database
from messenger_api.storage.intentions import INTENT_SECONDS
from messenger_api.storage.outbox import Draft, Item
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
            "token_gone": Kind(TokenGone, self._token_gone),
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
            after = with_changes(before, roster=before.roster.left_by(leaver.uid))
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
        self._let_others_in(item, task.address)
        waiting, taken, used = self._database.run(
            lambda tx: (
                outbox.waits_before(tx, item.id, f"token:{task.uid}"),
                closing.has_account(tx, task.address),
                sessions.count_at(tx, task.address),
            )
        )
        if waiting and self._database.now() < task.latest:
            raise Changed("messages in this user's name still wait")
        if taken and (used or not task.renewed_for):
            return
        self._remove(item, task, partial(self._mesibo.delete_user, task.address, uid=task.mesibo_uid or None))
        if taken:
            self._mesibo.add_user(task.address, appid=task.renewed_for)
            self._database.write(partial(_back_into_groups, task.address))

    def _token_gone(self, item: Item, task: TokenGone) -> None:
        self._let_others_in(item, task.address)
        if not self._database.run(lambda tx: sessions.count_at(tx, task.address, task.appid)):
            uid = task.mesibo_uid or None
            call = partial(self._mesibo.delete_token, task.address, uid=uid, appid=task.appid)
            self._remove(item, task, call)

    def _let_others_in(self, item: Item, address: str) -> None:
        """Wait while somebody is about to log in with this number: what they get must not be ended.

        Whoever begins only now waits for this item.
        """

        def look(tx: Connection) -> bool:
            kind, _, key = item.lane.partition(":")
            lane = f"intent:{key}" if kind != "token" else closing.intentions_of(tx, address)
            return intentions.stands(tx, self._database.now(), lane, but=item.id)

        if self._database.run(look):
            raise UnderWay("a login is under way")

    def _remove(self, item: Item, task: TokenGone | MesiboUserGone, call: Callable[[], None]) -> None:
        """Have mesibo remove something; nobody logs in before a call without an answer is surely over."""
        try:
            ask_to_remove(call)
        except MesiboUnreachable as error:
            # A connection that broke has come to its end, whatever was done.
            if error.maybe_done and error.reason != "broken" and not task.again:
                task.again = True
                self._note_progress(item, task)
            raise
        if task.again:
            later = Draft(item.lane, item.kind, replace(task, again=False), delay=INTENT_SECONDS)
            self._database.run(lambda tx: outbox.add(tx, self._database.now(), [later]))

    def _group_news(self, _item: Item, task: GroupNews) -> None:
        group = self._database.run(lambda tx: groups.find(tx, task.gid))
        member = group.roster.get(task.uid) if group else None
        sender = task.sender or (member.address if member else "")
        if group is None or not sender:
            return
        text = group_text(group, self._database.now(), "")
        to = [address for address in group.roster.addresses() if address != sender]
        drafts = tell(task.gid, sender, to, text)
        self._database.write(lambda tx, now: outbox.add(tx, now, drafts))


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
    outbox.add(tx, now, [mirror(gid, [address]) for gid in groups.gids_at(tx, address)])


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

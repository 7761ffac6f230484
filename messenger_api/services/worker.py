"""The worker: does what the outbox holds, after the answer, until it is done.

One thread of the server by default; at scale `messenger-api worker` on as many machines as wanted.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec
import structlog

from messenger_api.domain.errors import TryLater
from messenger_api.gateways.mesibo import (
    MesiboClient,
    MesiboError,
    MesiboRefused,
    MesiboUnreachable,
    Message,
)
from messenger_api.services.updates import (
    FileGone,
    GroupGone,
    MirrorGroup,
    TellMembers,
    TokenGone,
    UserChanged,
    mirror_later,
    smaller,
    user_text,
)
from messenger_api.services.upstream import chunks
from messenger_api.settings import Settings
from messenger_api.storage import codes, contacts, groups, outbox, sessions, users
from messenger_api.storage.db import Database
from messenger_api.storage.files import FileStore
from messenger_api.storage.groups import GroupState
from messenger_api.storage.outbox import Item

log = structlog.get_logger(__name__)

BATCH = 20
IDLE_SECONDS = 1.0
DOWN_SECONDS = 3
LONGEST_BACKOFF = 300
# What mesibo refuses, it refuses again; two more tries cover a refusal that was a passing fault.
REFUSALS = 3
# Recipients that one request may name at the most, whatever its size.
RECIPIENTS = 500
CODES_KEPT_SECONDS = 24 * 3600
HOUSEKEEPING_SECONDS = 3600


class _Kind(NamedTuple):
    payload: type[Any]
    run: Callable[[Item, Any], None]
    asks_mesibo: bool = True


class Changed(Exception):
    """The group changed while it was being mirrored; the item is done again."""


class Lost(Exception):
    """The claim ran out and another worker has the item."""


class TooLong(Exception):
    """An update message for one person alone is more than a request may hold."""


class Worker:
    """Delivers the items of the outbox."""

    def __init__(
        self, settings: Settings, database: Database, mesibo: MesiboClient, files: FileStore
    ) -> None:
        self._settings = settings
        self._database = database
        self._mesibo = mesibo
        self._files = files
        self._woken = threading.Event()
        self._stopped = threading.Event()
        self._cleaned_at = 0.0
        self._kinds = {
            "user_changed": _Kind(UserChanged, self._user_changed),
            "tell_members": _Kind(TellMembers, self._tell_members),
            "mirror_group": _Kind(MirrorGroup, self._mirror_group),
            "group_gone": _Kind(GroupGone, self._group_gone),
            "token_gone": _Kind(TokenGone, self._token_gone),
            "file_gone": _Kind(FileGone, self._file_gone, asks_mesibo=False),
        }

    def start(self) -> threading.Thread:
        """Run in a thread of this process, which finishes the item at hand before the process ends."""
        thread = threading.Thread(target=self.run, name="outbox")
        thread.start()
        return thread

    def wake(self) -> None:
        """Say that something was queued, so that it leaves now."""
        self._woken.set()

    def stop(self) -> None:
        """Let `run` return after the item at hand."""
        self._stopped.set()
        self._woken.set()

    def run(self) -> None:
        """Work until `stop` is called or the process comes to its end."""
        while self._goes_on():
            if self._pass():
                self._woken.wait(IDLE_SECONDS)
            else:
                # Something is down: being woken by every request would only hammer it.
                self._stopped.wait(DOWN_SECONDS)
            self._woken.clear()

    def drain(self) -> bool:
        """Deliver everything that is due now; False as soon as mesibo is unreachable.

        Raises:
            TryLater: the database is down.
        """
        while self._goes_on():
            items = self._database.run(
                lambda tx: outbox.claim(
                    tx, self._database.now(), most=BATCH, lease=self._settings.outbox_lease
                )
            )
            if not items:
                return True
            if not self._work_off(items):
                return False
        return True

    def _work_off(self, items: Sequence[Item]) -> bool:
        """Do claimed items. False when mesibo is down; then those that need it wait."""
        reachable = True
        for item in items:
            if not self._goes_on():
                # To whoever works next, without waiting for the claim to run out.
                self._database.run(lambda tx: outbox.release(tx, items[0].claim))
                break
            # Others may have taken over what stood behind a slow one.
            if self._hold(item):
                reachable = self._deliver(item, reachable)
        return reachable

    def _goes_on(self) -> bool:
        # When the main thread has ended, the process only waits for this one.
        return not self._stopped.is_set() and threading.main_thread().is_alive()

    def _pass(self) -> bool:
        try:
            self._keep_house()
            return self.drain()
        except TryLater:
            return False
        except Exception:
            log.exception("outbox.fault")
            return False

    def _keep_house(self) -> None:
        if time.monotonic() - self._cleaned_at > HOUSEKEEPING_SECONDS:
            self._cleaned_at = time.monotonic()
            before = self._database.now() - CODES_KEPT_SECONDS
            self._database.run(lambda tx: codes.purge(tx, before))

    # One item

    def _deliver(self, item: Item, reachable: bool) -> bool:
        """Do one item and remove it, or put it back. Returns whether mesibo is `reachable`."""
        try:
            kind = self._kinds[item.kind]
            if kind.asks_mesibo and not reachable:
                raise MesiboUnreachable("down")
            kind.run(item, msgspec.json.decode(item.payload, type=kind.payload))
        except MesiboError as error:
            if _is_about_the_item(error):
                self._put_back(item, str(error), most=REFUSALS)
                return reachable
            # An outage is nobody's fault and is waited out, however long it lasts. When mesibo answers
            # everything but this item, the item is what silences it, and is counted.
            reachable = reachable and self._mesibo_answers()
            self._put_back(item, str(error), counts=reachable, most=self._settings.outbox_max_attempts)
        except Changed as error:
            self._put_back(item, str(error), counts=False)
        except Lost:
            log.warning("outbox.claim_lost", kind=item.kind, id=item.id)
        except (KeyError, msgspec.DecodeError, TooLong) as error:
            self._put_back(item, f"cannot be done: {error}", most=1)
        except Exception as error:
            # One item's fault must not keep the others waiting.
            log.exception("outbox.fault", kind=item.kind, id=item.id)
            self._put_back(item, type(error).__name__, most=self._settings.outbox_max_attempts)
        else:
            self._database.run(lambda tx: outbox.done(tx, item.id))
        return reachable

    def _mesibo_answers(self) -> bool:
        try:
            self._mesibo.ping()
        except MesiboError:
            return False
        return True

    def _put_back(self, item: Item, reason: str, *, counts: bool = True, most: int = 0) -> None:
        """Queue an item again, or among the dead when this try `counts` and was the last of `most`."""
        attempts = item.attempts + counts
        dead = counts and attempts >= most
        wait = min(LONGEST_BACKOFF, 2**attempts) if counts else DOWN_SECONDS
        due_at = int(self._database.now() + wait)
        log.warning("outbox.put_back", kind=item.kind, id=item.id, reason=reason, dead=dead)
        self._database.run(
            lambda tx: outbox.put_back(tx, item, attempts=attempts, due_at=due_at, error=reason, dead=dead)
        )

    def _hold(self, item: Item, left: msgspec.Struct | None = None) -> bool:
        """Claim an item anew, with what is `left` of it; False when another worker has it by now."""
        until = self._database.now() + self._settings.outbox_lease
        return self._database.run(lambda tx: outbox.hold(tx, item, claimed_until=until, left=left))

    # What the items mean

    def _user_changed(self, item: Item, task: UserChanged) -> None:
        while True:
            found = self._database.run(
                lambda tx: (
                    users.find_profile(tx, task.uid),
                    contacts.followers(tx, task.uid, after=task.after, most=RECIPIENTS),
                )
            )
            profile, followers = found
            if profile is None or not followers:
                return
            text = user_text(profile, subject=task.subject, msg=task.msg)
            told = self._send(profile.address, [address for _uid, address in followers], text)
            task.after = followers[told - 1][0]
            self._note_progress(item, task)

    def _tell_members(self, item: Item, task: TellMembers) -> None:
        while task.to:
            told = self._send(task.sender, task.to[:RECIPIENTS], task.text)
            task.to = task.to[told:]
            if task.to:
                self._note_progress(item, task)

    def _mirror_group(self, item: Item, task: MirrorGroup) -> None:
        group = self._database.run(lambda tx: groups.find(tx, task.gid))
        if group is None:
            return
        try:
            self._bring_in_line(item, task, group)
        except MesiboUnreachable as error:
            if error.maybe_done and not task.again:
                task.again = True
                self._note_progress(item, task)
            raise
        # Whoever read the group before this and asks mesibo meanwhile shall start over.
        if not self._database.run(lambda tx: groups.touch(tx, group)):
            raise Changed("the group changed meanwhile")
        if task.again:
            look = mirror_later(task.gid, task.addresses, rename=task.rename)
            self._database.run(lambda tx: outbox.add(tx, self._database.now(), [look]))

    def _bring_in_line(self, item: Item, task: MirrorGroup, group: GroupState) -> None:
        present = set(group.roster.addresses())
        for gone in chunks([address for address in task.addresses if address not in present]):
            self._ask_to_remove(item, partial(self._mesibo.edit_members, task.gid, gone, remove=True))
        for here in chunks([address for address in task.addresses if address in present]):
            self._mesibo.edit_members(task.gid, here)
        if task.rename:
            self._mesibo.set_group(task.gid, group.name)

    def _group_gone(self, item: Item, task: GroupGone) -> None:
        # It is here after all when the connection to the database broke just as the group was saved.
        if self._database.run(lambda tx: groups.find(tx, task.gid)) is None:
            self._ask_to_remove(item, partial(self._mesibo.delete_group, task.gid))

    def _token_gone(self, item: Item, task: TokenGone) -> None:
        if not self._database.run(lambda tx: sessions.count(tx, task.uid, task.appid)):
            uid = task.mesibo_uid or None
            self._ask_to_remove(
                item, partial(self._mesibo.delete_token, task.address, uid=uid, appid=task.appid)
            )

    def _file_gone(self, _item: Item, task: FileGone) -> None:
        self._files.remove(task.name)
        self._database.run(lambda tx: users.remove_thumbnail(tx, task.name))

    def _ask_to_remove(self, item: Item, call: Callable[[], None]) -> None:
        """mesibo may refuse to remove what is not there. When it goes on refusing, both sides agree."""
        try:
            call()
        except MesiboRefused as error:
            if not _is_about_the_item(error) or item.attempts + 1 < REFUSALS:
                raise
            log.warning("outbox.refused", op=error.op, error=error.label)

    # Sending

    def _send(self, sender: str, to: Sequence[str], text: str) -> int:
        """Send one update message to as many of `to` as fit into one request; returns how many."""
        for shown in smaller(text):
            if told := self._how_many_fit(sender, to, shown):
                self._mesibo.send_message(Message(sender, to[:told], shown))
                return told
        raise TooLong("longer than MESIBO_MAX_BODY")

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
        return self._mesibo.fits(message, self._settings.mesibo_max_body)

    def _note_progress(self, item: Item, task: msgspec.Struct) -> None:
        if not self._hold(item, task):
            raise Lost


def _is_about_the_item(error: MesiboError) -> bool:
    """Whether mesibo means this item: a refusal, unless of our app token, or a body longer than it takes."""
    if isinstance(error, MesiboRefused):
        return not error.about_app_token
    return isinstance(error, MesiboUnreachable) and error.reason == "http 413"

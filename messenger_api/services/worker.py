"""The worker: does what the outbox holds, after the answer, until it is done.

One thread of the server by default; at scale `messenger-api worker` on as many machines as wanted.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec
import structlog

from messenger_api.domain.errors import TryLater
from messenger_api.gateways.mesibo import MesiboClient, MesiboError, MesiboRefused, MesiboUnreachable
from messenger_api.services.account.departures import Departures
from messenger_api.services.bulkhead import chunks
from messenger_api.services.claims import Claims
from messenger_api.services.deliveries import (
    RECIPIENTS,
    REFUSALS,
    Changed,
    Kind,
    Lost,
    Messages,
    NotRemoved,
    TooLong,
    UnderWay,
    ask_to_remove,
    is_about_the_item,
)
from messenger_api.services.housekeeping import Housekeeping
from messenger_api.services.sms.delivery import TextDelivery
from messenger_api.services.update_messages import user_text
from messenger_api.services.updates import (
    FileGone,
    GroupGone,
    MirrorGroup,
    TellMembers,
    UserChanged,
    WatchText,
    mirror_later,
)
from messenger_api.settings import Settings
from messenger_api.storage import contacts, groups, outbox, users
from messenger_api.storage.db import Database
from messenger_api.storage.files import FileStore
from messenger_api.storage.groups import GroupState
from messenger_api.storage.outbox import Item

log = structlog.get_logger(__name__)

BATCH = 20
IDLE_SECONDS = 1.0
# What this version does not understand is left to others for so long.
OTHERS_SECONDS = 30
# An item that waited so long was held up by an outage, or by a long list before it.
LATE_SECONDS = 3
DOWN_SECONDS = 3
LOGIN_SECONDS = 1
LONGEST_BACKOFF = 300


class Worker:
    """Delivers the items of the outbox."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        mesibo: MesiboClient,
        files: FileStore,
        text_delivery: TextDelivery,
    ) -> None:
        self._settings = settings
        self._database = database
        self._mesibo = mesibo
        self._files = files
        self._messages = Messages(mesibo, settings.mesibo_max_body)
        self._claims = Claims(settings, database)
        self._woken = threading.Event()
        self._stopped = threading.Event()
        self._house = Housekeeping(settings, database, mesibo)
        self._kinds = {
            "user_changed": Kind(UserChanged, self._user_changed),
            "tell_members": Kind(TellMembers, self._tell_members),
            "mirror_group": Kind(MirrorGroup, self._mirror_group),
            "group_gone": Kind(GroupGone, self._group_gone),
            "file_gone": Kind(FileGone, self._file_gone, asks_mesibo=False),
            "watch_text": Kind(
                WatchText, lambda _item, task: text_delivery.look_after(task), asks_mesibo=False
            ),
            **Departures(database, mesibo, self._messages, self._note_progress).kinds(),
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

    def drain(self, lanes: Sequence[str] = (), *, seconds: float = math.inf) -> bool:
        """Deliver everything that is due now; False as soon as mesibo is unreachable.

        Of all lanes, or of these alone; nothing is begun after so many seconds.

        Raises:
            TryLater: the database is down.
        """
        until = time.monotonic() + seconds
        while self._goes_on() and time.monotonic() < until:
            items = self._database.run(
                lambda tx: outbox.claim(
                    tx, self._database.now(), most=BATCH, lease=self._settings.outbox_lease, lanes=lanes
                )
            )
            if not items:
                return True
            if not self._work_off(items, until):
                return False
        return True

    def _work_off(self, items: Sequence[Item], until: float) -> bool:
        """Do claimed items. False when mesibo is down; then those that need it wait."""
        reachable = True
        waiting: set[str] = set()
        left: list[Item] = []
        for item in items:
            if item.lane in waiting or not self._goes_on() or time.monotonic() >= until:
                left.append(item)
                continue
            removed = False
            # Others may have taken over what stood behind a slow one.
            if self._is_still_ours(item):
                removed, reachable = self._deliver(item, reachable)
            if not removed:
                waiting.add(item.lane)
        if left:
            # To whoever works next, without waiting for the claim to run out.
            self._database.run(lambda tx: outbox.release(tx, left))
        return reachable

    def _is_still_ours(self, item: Item) -> bool:
        """Whether the claim holds; it is made longer when little is left of it."""
        return self._claims.is_long(item) or self._hold(item)

    def _goes_on(self) -> bool:
        # When the main thread has ended, the process only waits for this one.
        return not self._stopped.is_set() and threading.main_thread().is_alive()

    def _pass(self) -> bool:
        try:
            self._files.sweep()
            self._house.keep()
            return self.drain()
        except TryLater:
            return False
        except Exception:
            log.exception("outbox.fault")
            return False

    # One item

    def _deliver(self, item: Item, reachable: bool) -> tuple[bool, bool]:
        """Do one item and remove it, or put it back; returns whether it is gone, and mesibo `reachable`."""
        understood = self._understood(item)
        return (False, reachable) if understood is None else self._do(item, *understood, reachable)

    def _do(self, item: Item, kind: Kind, task: Any, reachable: bool) -> tuple[bool, bool]:
        try:
            if kind.asks_mesibo and not reachable:
                raise MesiboUnreachable("down")
            with self._claims.bounding(item):
                kind.run(item, task)
        except MesiboError as error:
            if is_about_the_item(error):
                self._put_back(item, str(error), most=REFUSALS)
                return False, reachable
            # An outage is nobody's fault and is waited out, however long it lasts. When mesibo answers
            # everything but this item, the item is what silences it, and is counted.
            reachable = reachable and self._mesibo_answers()
            self._put_back(item, str(error), counts=reachable, most=self._settings.outbox_max_attempts)
        except NotRemoved as error:
            self._put_back(item, str(error), most=self._settings.outbox_max_attempts)
        except (Changed, TryLater) as error:
            # The group changed, or the database or the bucket is away: nobody's fault, and waited out.
            wait = LOGIN_SECONDS if isinstance(error, UnderWay) else DOWN_SECONDS
            self._put_back(item, str(error), counts=False, wait=wait)
        except Lost:
            log.warning("outbox.claim_lost", kind=item.kind, id=item.id)
        except Exception as error:
            # One item's fault must not keep the others waiting.
            too_long = isinstance(error, TooLong)
            if not too_long:
                log.exception("outbox.fault", kind=item.kind, id=item.id)
            reason = f"cannot be done: {error}" if too_long else type(error).__name__
            self._put_back(item, reason, most=1 if too_long else self._settings.outbox_max_attempts)
        else:
            self._database.run(lambda tx: outbox.done(tx, item.id))
            return True, reachable
        return False, reachable

    def _understood(self, item: Item) -> tuple[Kind, Any] | None:
        """What to do; None for what another version of this program queued, which is left to its workers."""
        kind = self._kinds.get(item.kind)
        try:
            if kind is not None:
                return kind, msgspec.json.decode(item.payload, type=kind.payload)
        except msgspec.DecodeError:
            pass
        reason = "this version does not know it; a worker of the version that queued it does"
        self._put_back(item, reason, counts=False, wait=OTHERS_SECONDS)
        return None

    def _mesibo_answers(self) -> bool:
        try:
            self._mesibo.ping()
        except MesiboError:
            return False
        return True

    def _put_back(
        self, item: Item, reason: str, *, counts: bool = True, most: int = 0, wait: int = DOWN_SECONDS
    ) -> None:
        """Queue an item again, or among the dead when this try `counts` and was the last of `most`."""
        attempts = item.attempts + counts
        dead = counts and attempts >= most
        wait = min(LONGEST_BACKOFF, 2**attempts) if counts else wait
        due_at = int(self._database.now() + wait)
        log.warning("outbox.put_back", kind=item.kind, id=item.id, reason=reason, dead=dead)
        self._database.run(
            lambda tx: outbox.put_back(tx, item, attempts=attempts, due_at=due_at, error=reason, dead=dead)
        )

    def _hold(self, item: Item, left: msgspec.Struct | None = None) -> bool:
        """Claim an item anew, with what is `left` of it; False when another worker has it by now."""
        until = self._database.now() + self._settings.outbox_lease
        held = self._database.run(lambda tx: outbox.hold(tx, item, claimed_until=until, left=left))
        if held:
            self._claims.note(item, until)
        return held

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
            if profile is None or not followers or self._is_outdated(item, task):
                return
            text = user_text(profile, subject=task.subject, msg=task.msg)
            told = self._messages.send(profile.address, [address for _uid, address in followers], text)
            if told == len(followers) < RECIPIENTS:
                return
            task.after = followers[told - 1][0]
            self._note_progress(item, task)

    def _is_outdated(self, item: Item, task: UserChanged) -> bool:
        """Whether a newer change of the user, which tells everything again, waits behind one that is late.

        One that is not late has nothing behind it, and is not worth the question.
        """
        if task.subject or self._database.now() - item.created_at < LATE_SECONDS:
            return False
        return self._database.run(lambda tx: outbox.waits_behind(tx, item))

    def _tell_members(self, item: Item, task: TellMembers) -> None:
        while task.to:
            told = self._messages.send(task.sender, task.to[:RECIPIENTS], task.text)
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
        if not self._database.run(lambda tx: groups.touch(tx, group, life_told=task.rename)):
            raise Changed("the group changed meanwhile")
        if task.again:
            look = mirror_later(task.gid, task.addresses, rename=task.rename)
            self._database.run(lambda tx: outbox.add(tx, self._database.now(), [look]))

    def _bring_in_line(self, item: Item, task: MirrorGroup, group: GroupState) -> None:
        present = set(group.roster.addresses())
        for gone in chunks([address for address in task.addresses if address not in present]):
            self._keep(item)
            self._remove_members(task.gid, gone)
        for here in chunks([address for address in task.addresses if address in present]):
            self._keep(item)
            self._mesibo.edit_members(task.gid, here)
        if task.rename:
            self._mesibo.set_group(task.gid, group.name)

    def _remove_members(self, gid: int, addresses: Sequence[str]) -> None:
        """Remove members; one whom mesibo does not know must not keep the others in."""
        remove = partial(self._mesibo.edit_members, gid, remove=True)
        if len(addresses) == 1:
            ask_to_remove(partial(remove, addresses))
            return
        try:
            remove(addresses)
        except MesiboRefused as error:
            if not is_about_the_item(error):
                raise
            for address in addresses:
                ask_to_remove(partial(remove, [address]))

    def _group_gone(self, _item: Item, task: GroupGone) -> None:
        # It is here after all when the connection to the database broke just as the group was saved.
        if self._database.run(lambda tx: groups.find(tx, task.gid)) is None:
            ask_to_remove(partial(self._mesibo.delete_group, task.gid))

    def _file_gone(self, _item: Item, task: FileGone) -> None:
        self._files.remove(task.name)
        self._database.run(lambda tx: users.remove_thumbnail(tx, task.name))

    def _keep(self, item: Item) -> None:
        if not self._is_still_ours(item):
            raise Lost

    def _note_progress(self, item: Item, task: msgspec.Struct) -> None:
        if not self._hold(item, task):
            raise Lost

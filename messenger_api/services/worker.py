"""The worker: does what the outbox holds, after the answer, until it is done.

One thread of the server by default; at scale `messenger-api worker` on as many machines as wanted.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
import structlog

from messenger_api.domain.errors import TryLater
from messenger_api.gateways.mesibo import MesiboClient, MesiboRefused, MesiboUnreachable, Message
from messenger_api.services.updates import (
    FileGone,
    GroupGone,
    MirrorGroup,
    TellMembers,
    TokenGone,
    UserChanged,
    user_text,
    without_thumbnail,
)
from messenger_api.services.upstream import chunks
from messenger_api.settings import Settings
from messenger_api.storage import codes, contacts, groups, outbox, sessions, users
from messenger_api.storage.db import Database
from messenger_api.storage.files import FileStore
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
        while not self._stopped.is_set() and threading.main_thread().is_alive():
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
        while not self._stopped.is_set():
            items = self._database.run(
                lambda tx: outbox.claim(
                    tx, self._database.now(), most=BATCH, lease=self._settings.outbox_lease
                )
            )
            if not items:
                return True
            reachable = True
            for item in items:
                reachable = self._deliver(item, reachable) and reachable
            if not reachable:
                return False
        return True

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
        """Do one item and remove it, or put it back. False when mesibo is not `reachable`."""
        try:
            kind = self._kinds[item.kind]
            if kind.asks_mesibo and not reachable:
                raise MesiboUnreachable("down", maybe_done=False)
            kind.run(item, msgspec.json.decode(item.payload, type=kind.payload))
        except MesiboUnreachable as error:
            # Unreachable is nobody's fault but the network's and is waited out. An item after which
            # mesibo fell silent may be what silences it, and is counted.
            self._put_back(
                item, error.reason, counts=error.maybe_done, most=self._settings.outbox_max_attempts
            )
            return False
        except (MesiboRefused, Changed) as error:
            self._put_back(item, str(error), counts=True, most=REFUSALS)
        except (KeyError, msgspec.DecodeError) as error:
            self._put_back(item, f"cannot be read: {error}", counts=True, most=1)
        else:
            self._database.run(lambda tx: outbox.done(tx, item.id))
        return True

    def _put_back(self, item: Item, reason: str, *, counts: bool, most: int) -> None:
        attempts = item.attempts + counts
        dead = attempts >= most
        wait = min(LONGEST_BACKOFF, 2**attempts) if counts else DOWN_SECONDS
        due_at = int(self._database.now() + wait)
        log.warning("outbox.put_back", kind=item.kind, id=item.id, reason=reason, dead=dead)
        self._database.run(
            lambda tx: outbox.put_back(tx, item.id, attempts=attempts, due_at=due_at, error=reason, dead=dead)
        )

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

    def _mirror_group(self, _item: Item, task: MirrorGroup) -> None:
        group = self._database.run(lambda tx: groups.find(tx, task.gid))
        if group is None:
            return
        present = set(group.roster.addresses())
        if task.rename:
            self._mesibo.set_group(task.gid, group.name)
        for part in chunks([address for address in task.addresses if address in present]):
            self._ask_gently(lambda part=part: self._mesibo.edit_members(task.gid, part))  # type: ignore[misc]
        for part in chunks([address for address in task.addresses if address not in present]):
            self._ask_gently(
                lambda part=part: self._mesibo.edit_members(task.gid, part, remove=True)  # type: ignore[misc]
            )
        # Whoever read the group before this and asks mesibo meanwhile shall start over.
        if not self._database.run(lambda tx: groups.touch(tx, group)):
            raise Changed("the group changed meanwhile")

    def _group_gone(self, _item: Item, task: GroupGone) -> None:
        self._ask_gently(lambda: self._mesibo.delete_group(task.gid))

    def _token_gone(self, _item: Item, task: TokenGone) -> None:
        if not self._database.run(lambda tx: sessions.count(tx, task.uid, task.appid)):
            uid = task.mesibo_uid or None
            self._ask_gently(lambda: self._mesibo.delete_token(task.address, uid=uid, appid=task.appid))

    def _file_gone(self, _item: Item, task: FileGone) -> None:
        self._files.remove(task.name)
        self._database.run(lambda tx: users.remove_thumbnail(tx, task.name))

    def _ask_gently(self, call: Callable[[], None]) -> None:
        """mesibo refuses to remove what is not there; then both sides agree already."""
        try:
            call()
        except MesiboRefused as error:
            if error.error == "AUTHFAIL":
                raise
            log.info("outbox.refused", op=error.op, error=error.error)

    # Sending

    def _send(self, sender: str, to: Sequence[str], text: str) -> int:
        """Send one update message to as many of `to` as fit into one request; returns how many."""
        if not self._fits(Message(sender, to[:1], text)):
            text = without_thumbnail(text)
        told = max(1, self._how_many_fit(sender, to, text))
        self._mesibo.send_message(Message(sender, to[:told], text))
        return told

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
        return self._mesibo.size(message) <= self._settings.mesibo_max_body

    def _note_progress(self, item: Item, task: msgspec.Struct) -> None:
        until = self._database.now() + self._settings.outbox_lease
        self._database.run(lambda tx: outbox.progress(tx, item.id, task, claimed_until=until))

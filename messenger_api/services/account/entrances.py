"""The way into an account: mesibo is asked for a token, and a session is opened with it.

Nothing may come in between that ends the token again: what the number's past has left to do at mesibo, the
account's end, or its move to another number. So the intention stands in the outbox before anybody looks, and
whoever would end a token or a user of the number waits while it does (`tasks`); whoever comes in waits
for what was queued before. The transaction that opens the session withdraws the intention: where that cannot
be, or the account is not as it was seen, nothing is opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import NamedTuple

import structlog
from sqlalchemy import Connection

from messenger_api.domain.errors import BadUser, Refused, TryLater
from messenger_api.domain.phone import masked
from messenger_api.domain.secrets import token_hash
from messenger_api.gateways.mesibo import MesiboClient, MesiboUnreachable, UserToken
from messenger_api.services.account.closing import Closing
from messenger_api.services.account.tasks import mesibo_user_unused
from messenger_api.services.bulkhead import translated
from messenger_api.services.otp.requests import Device
from messenger_api.settings import Settings
from messenger_api.storage import closing, intentions, outbox, sessions
from messenger_api.storage.db import Database
from messenger_api.storage.gone_push_tokens import Why

log = structlog.get_logger(__name__)

TOKEN_MINUTES = 365 * 24 * 60
RETRY_SECONDS = 2


@dataclass
class Entrance:
    """A number whose owner wants in: the account that was seen (`uid`; 0: none), and the intention.

    `asked`: mesibo may have made a user of it.
    """

    key: bytes
    address: str = field(repr=False)
    uid: int
    intent: int
    asked: bool = False


class Opened(NamedTuple):
    """A session that was opened. `ended_oldest`: for there may be no more than MAX_SESSIONS of this app."""

    sid: int
    ended_oldest: bool


class Entrances:
    """Asks mesibo for tokens, and opens sessions that hold what was seen."""

    def __init__(
        self, settings: Settings, database: Database, mesibo: MesiboClient, closing: Closing
    ) -> None:
        self._settings = settings
        self._database = database
        self._mesibo = mesibo
        self._closing = closing

    @contextmanager
    def to(
        self, key: bytes, address: str, *, recycles: bool = True, keeps: bool = False
    ) -> Iterator[Entrance]:
        """Whether there is an account with this key, and that nothing of its past is left to do.

        `address`: of an account that is made new. `recycles`: see `Closing.make_room`. `keeps`: whether the
        intention stays after a failure, where mesibo was asked: nobody may come back to this number. Two
        statements where there is nothing to finish first.

        Raises:
            BadUser: the operator keeps the account out.
            TryLater: the number's past is not over, or the database is down.
        """
        entrance = self._look(key, address, recycles) or self._look_again(key, address, recycles)
        try:
            yield entrance
        except BaseException:
            # A user who has come to no account is deleted when the intention is due.
            if not (keeps and entrance.asked):
                self._withdraw(entrance.intent)
            raise

    def mint(self, entrance: Entrance, appid: str, name: str = "", *, address: str = "") -> UserToken:
        """A token of the number for an app; `address`: in another spelling. Raises TryLater, BadUser."""
        address = address or entrance.address
        entrance.asked = True
        try:
            with translated():
                return self._mesibo.add_user(address, appid=appid, name=name, expiry=TOKEN_MINUTES)
        except Refused as error:
            entrance.asked = False
            log.error("login.mesibo_refused", error=error.code, phone=masked(address))
            raise BadUser from error
        except TryLater as error:
            entrance.asked = _is_maybe_done(error)
            raise

    def make_user(self, entrance: Entrance, name: str) -> int:
        """mesibo's id of the number's user, who is made unless known and gets no token.

        Raises:
            TryLater: mesibo is away. Refused: it refuses the user.
        """
        entrance.asked = True
        with translated():
            return self._mesibo.make_user(entrance.address, name)

    def finish(self, key: bytes) -> None:
        """Have nothing left to do about a number's past. Raises TryLater."""
        self._closing.finish_past(key)

    def confirm(self, tx: Connection, now: int, entrance: Entrance, mesibo_uid: int) -> None:
        """Make sure, until the transaction ends, that the account that was seen is as it was.

        Raises:
            TryLater: it is not, or somebody may have ended its tokens meanwhile.
        """
        if entrance.uid and not closing.enter(
            tx, now, entrance.uid, contact_key=entrance.key, mesibo_uid=mesibo_uid
        ):
            raise TryLater(retry_after=RETRY_SECONDS)
        self.settle(tx, now, entrance)

    def settle(self, tx: Connection, now: int, entrance: Entrance) -> None:
        """Withdraw the intention inside a transaction. Raises TryLater, see `confirm`."""
        if not intentions.withdraw(tx, now, entrance.intent):
            raise TryLater(retry_after=RETRY_SECONDS)

    def open(self, tx: Connection, now: int, uid: int, device: Device, token: str) -> Opened:
        """Open a session in an account inside a transaction, in the place of those that it ends."""
        hashed = token_hash(token)
        same, oldest = sessions.superseded(
            tx,
            uid=uid,
            appid=device.appid,
            device=device.name,
            token_hash=hashed,
            keep=self._settings.max_sessions,
        )
        sessions.remove(tx, now, same + oldest, Why.SUPERSEDED)
        sid = sessions.add(
            tx,
            now,
            uid=uid,
            token_hash=hashed,
            appid=device.appid,
            device=device.name,
            device_type=device.type,
        )
        return Opened(sid, bool(oldest))

    def _look(self, key: bytes, address: str, recycles: bool) -> Entrance | None:
        draft = mesibo_user_unused(address, key, self._database.now())
        [intent] = self._database.run(lambda tx: outbox.add(tx, self._database.now(), [draft]))
        try:
            found, ready = self._closing.entrance(key, recycles=recycles)
        except BaseException:
            self._withdraw(intent)
            raise
        if not ready:
            self._withdraw(intent)
            return None
        return Entrance(key, found.address if found else address, found.uid if found else 0, intent)

    def _look_again(self, key: bytes, address: str, recycles: bool) -> Entrance:
        """Finish the past, which the intention would hold up, and look once more."""
        staying = self._closing.make_room(key, recycles=recycles)
        if staying is not None:
            self._closing.finish_past(key, staying.uid)
        entrance = self._look(key, address, recycles)
        if entrance is None:
            raise TryLater(retry_after=RETRY_SECONDS)
        return entrance

    def _withdraw(self, intent: int) -> None:
        """Where the database is away it becomes due, and is found to be of no use."""
        with suppress(TryLater):
            self._database.run(lambda tx: intentions.withdraw(tx, self._database.now(), intent))


def _is_maybe_done(error: TryLater) -> bool:
    return isinstance(error.__cause__, MesiboUnreachable) and error.__cause__.maybe_done

"""An account that moves to another number: with its name, its groups and its phone book.

Everything here comes after the new number is proven. mesibo is asked first; then one transaction changes
the account and queues what follows from it. At mesibo the new number is another user: every group
exchanges the old one for it, and the old one is deleted last.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from messenger_api.domain.errors import AuthFail, BadPhone, BadUser, Refused, TryLater
from messenger_api.domain.phone import masked
from messenger_api.domain.secrets import token_hash
from messenger_api.gateways.mesibo import MesiboClient, UserToken
from messenger_api.services.blocks import Allow, always
from messenger_api.services.closing import Closing
from messenger_api.services.updates import (
    group_news,
    mesibo_user_gone,
    mesibo_user_unused,
    mirror,
    user_changed,
    user_gone,
)
from messenger_api.services.upstream import translated
from messenger_api.storage import blocks, closing, groups, outbox, users
from messenger_api.storage.closing import Identity
from messenger_api.storage.db import Database
from messenger_api.storage.outbox import Draft
from messenger_api.storage.sessions import Caller
from messenger_api.storage.users import Profile

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class NewLogin:
    """The account under its new number. `token` goes to the app, in place of the old one."""

    token: str = field(repr=False)
    profile: Profile = field(repr=False)


@dataclass(frozen=True)
class _Wanted:
    """The number that was proven."""

    address: str = field(repr=False)
    contact_key: bytes = field(repr=False)
    country: str


class NumberChange:
    """Moves accounts to other numbers."""

    def __init__(
        self, database: Database, mesibo: MesiboClient, rooms: Closing, allow: Allow = always
    ) -> None:
        self._database = database
        self._allow = allow
        self._mesibo = mesibo
        self._closing = rooms

    def change(self, caller: Caller, identity_address: str, contact_key: bytes, country: str) -> NewLogin:
        """Move the caller's account to a number whose owner the caller has proven to be.

        Whoever had the number loses that account. All other sessions of the caller end.

        Raises:
            BadPhone: it is the caller's number already.
            TooMany: the caller has changed numbers too often of late.
            BadUser: mesibo refuses the number, or the operator keeps its account out.
            AuthFail: the session ended meanwhile.
            TryLater: mesibo or the database is down, or the former account of that number is not gone yet.
        """
        if contact_key == caller.contact_key:
            raise BadPhone("phone_same", properties=("phone",))
        wanted = _Wanted(identity_address, contact_key, country)
        self._make_room(contact_key)
        draft = mesibo_user_unused(wanted.address, contact_key, self._database.now())
        [intent] = self._database.run(lambda tx: outbox.add(tx, self._database.now(), [draft]))
        minted = self._mint(caller, wanted)
        self._allow(caller)  # counted only now: an outage of mesibo's must not use it up
        try:
            profile = self._database.write(lambda tx, now: _move(tx, now, caller, wanted, minted, intent))
        except IntegrityError:
            # Somebody logged in with the number at this very moment.
            raise TryLater from None
        return NewLogin(minted.token, profile)

    def _make_room(self, contact_key: bytes) -> None:
        """End the account that has the number, if there is one and mesibo can follow."""
        if self._closing.has_account(contact_key):
            with translated():
                self._mesibo.ping()
            self._closing.make_room(contact_key, force=True)

    def _mint(self, caller: Caller, wanted: _Wanted) -> UserToken:
        try:
            with translated():
                return self._mesibo.add_user(wanted.address, appid=caller.appid, name=caller.name)
        except Refused as error:
            log.error("number.mesibo_refused", error=error.code, phone=masked(wanted.address))
            raise BadUser from error


def _move(
    tx: Connection, now: int, caller: Caller, wanted: _Wanted, minted: UserToken, intent: int
) -> Profile:
    before = closing.alive(tx, caller.uid)
    if before is None or not closing.hand_over(tx, caller.uid, caller.sid, token_hash(minted.token)):
        raise AuthFail
    gids = groups.gids(tx, caller.uid)
    closing.move(
        tx,
        now,
        before,
        address=wanted.address,
        contact_key=wanted.contact_key,
        country=wanted.country,
        mesibo_uid=minted.uid,
    )
    groups.renumber(tx, now, gids, before.address, wanted.address)
    unheard = [caller.uid, *(uid for uid, _address in blocks.accounts(tx, caller.uid))]
    outbox.add(tx, now, _what_follows(before, wanted, gids, unheard, now))
    outbox.done(tx, intent)
    return users.profile(tx, caller.uid)


def _what_follows(
    before: Identity, wanted: _Wanted, gids: list[int], unheard: list[int], now: int
) -> list[Draft]:
    drafts = [user_changed(before.uid)]
    for gid in gids:
        drafts += [mirror(gid, [before.address, wanted.address]), group_news(gid, before.uid)]
    return [*drafts, user_gone(before, now, unheard), mesibo_user_gone(before, now)]

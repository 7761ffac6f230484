"""An account that moves to another number: with its name, its groups and its phone book.

Everything here comes after the new number is proven. Whatever can refuse is asked first: the limit of the
day, the operator's block, mesibo, the session. Then one transaction changes the account and queues what
follows from it. At mesibo the new number is another user: every group exchanges the old one for it, and the
old one is deleted last.

A number that has an account loses it in the same transaction. That account's user at mesibo, with its tokens
and messages, is deleted and made anew before the caller gets a token: so the caller's session ends with the
transaction, and another is opened as a login does it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from messenger_api.domain.errors import AuthFail, BadPhone, BadUser, TryLater
from messenger_api.domain.secrets import token_hash
from messenger_api.services.account.daily import Daily
from messenger_api.services.account.entrances import RETRY_SECONDS, Entrance, Entrances
from messenger_api.services.account.sessions import end_sessions
from messenger_api.services.account.tasks import (
    AccountClosed,
    mesibo_user_gone,
    mesibo_user_renewed,
    user_gone,
)
from messenger_api.services.groups.tasks import GroupGone, GroupNews, MirrorGroup
from messenger_api.services.otp.requests import Device
from messenger_api.services.people.tasks import UserChanged, file_gone
from messenger_api.storage import blocks, closing, groups, outbox, sessions, users
from messenger_api.storage.closing import AccountIds
from messenger_api.storage.db import Database
from messenger_api.storage.gone_push_tokens import Why
from messenger_api.storage.models import Session
from messenger_api.storage.outbox import Draft
from messenger_api.storage.sessions import Caller, LeftBehind
from messenger_api.storage.users import Profile

CHANGES_A_DAY = 2


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

    def __init__(self, database: Database, entrances: Entrances, limit: Daily) -> None:
        self._database = database
        self._entrances = entrances
        self._limit = limit

    def change(self, caller: Caller, identity_address: str, contact_key: bytes, country: str) -> NewLogin:
        """Move the caller's account to a number whose owner the caller has proven to be.

        Whoever had the number loses that account, in the transaction that moves the caller's: whatever can
        refuse has agreed by then. All other sessions of the caller end.

        Raises:
            BadPhone: it is the caller's number already.
            TooMany: the caller has changed numbers too often of late.
            BadUser: mesibo refuses the number, or the operator keeps its account out.
            AuthFail: the session ended meanwhile.
            TryLater: mesibo or the database is down, the former account of that number is just going, or
                somebody logs in with it. Where the number had an account, the caller's may have moved all
                the same, and takes a login with the new number.
        """
        if contact_key == caller.contact_key:
            raise BadPhone("phone_same", properties=("phone",))
        wanted = _Wanted(identity_address, contact_key, country)
        self._limit.look(caller)
        moved = self._move(caller, wanted)
        return moved if isinstance(moved, NewLogin) else self._enter(wanted, moved)

    def _move(self, caller: Caller, wanted: _Wanted) -> NewLogin | LeftBehind:
        way = self._entrances.to(wanted.contact_key, wanted.address, recycles=False, keeps=True)
        with way as entrance:
            minted = self._entrances.mint(entrance, caller.appid, caller.name, address=wanted.address)

            def work(tx: Connection, now: int) -> NewLogin | LeftBehind:
                self._limit.count(tx, now, caller)
                self._entrances.settle(tx, now, entrance)
                if not entrance.uid:
                    profile = _move(tx, now, caller, wanted, minted.uid)
                    if not sessions.hand_over(tx, now, caller.uid, caller.sid, token_hash(minted.token)):
                        raise AuthFail
                    return NewLogin(minted.token, profile)
                return _take_over(tx, now, caller, wanted, entrance)

            try:
                return self._database.write(work)
            except IntegrityError:
                # Somebody logged in with the number at this very moment.
                raise TryLater from None

    def _enter(self, wanted: _Wanted, left: LeftBehind) -> NewLogin:
        """Log in to the account that has moved, when mesibo has deleted the number's former user."""
        self._entrances.finish(wanted.contact_key)
        with self._entrances.to(wanted.contact_key, wanted.address, recycles=False) as entrance:
            minted = self._entrances.mint(entrance, left.appid)

            def work(tx: Connection, now: int) -> NewLogin:
                self._entrances.confirm(tx, now, entrance, minted.uid)
                device = Device(left.appid, left.device, left.device_type)
                opened = self._entrances.open(tx, now, entrance.uid, device, minted.token)
                sessions.take_up(tx, opened.sid, left)
                return NewLogin(minted.token, users.profile(tx, entrance.uid))

            return self._database.write(work)


def _take_over(tx: Connection, now: int, caller: Caller, wanted: _Wanted, entrance: Entrance) -> LeftBehind:
    """Move an account to a number that has one, which ends; the caller has no session afterwards."""
    # In one order, whoever takes over whom.
    locked = {uid: closing.alive(tx, uid) for uid in sorted((caller.uid, entrance.uid))}
    former = locked[entrance.uid]
    if former is None or former.contact_key != wanted.contact_key:
        raise TryLater(retry_after=RETRY_SECONDS)
    if closing.is_blocked(tx, former.uid):
        raise BadUser
    left = sessions.left_behind(tx, caller.uid, caller.sid)
    if left is None:
        raise AuthFail
    going_on, ended = groups.leave_all(tx, now, former.uid)
    end_sessions(tx, now, Session.uid == former.uid, Why.CLOSED)
    closing.displace(tx, now, former)
    _move(tx, now, caller, wanted, 0)
    sessions.remove_where(tx, now, Session.uid == caller.uid, Why.NUMBER_CHANGED)
    follow = [AccountClosed(former.uid).draft(), mesibo_user_renewed(former, caller.appid)]
    for gid in going_on:
        follow += [MirrorGroup(gid, [former.address]).draft(), GroupNews(gid, 0, wanted.address).draft()]
    for group in ended:
        follow += [GroupGone(group.gid).draft(), *file_gone(group.photo)]
    outbox.add(tx, now, follow)
    return left


def _move(tx: Connection, now: int, caller: Caller, wanted: _Wanted, mesibo_uid: int) -> Profile:
    before = closing.alive(tx, caller.uid)
    if before is None:
        raise AuthFail
    gids = groups.gids(tx, caller.uid)
    closing.move(
        tx,
        now,
        before,
        address=wanted.address,
        contact_key=wanted.contact_key,
        country=wanted.country,
        mesibo_uid=mesibo_uid,
    )
    groups.outdate(tx, now, gids)
    unheard = [caller.uid, *(uid for uid, _address in blocks.accounts(tx, caller.uid))]
    outbox.add(tx, now, _what_follows(before, wanted, gids, unheard, now))
    return users.profile(tx, caller.uid)


def _what_follows(
    before: AccountIds, wanted: _Wanted, gids: list[int], unheard: list[int], now: int
) -> list[Draft]:
    drafts = [UserChanged(before.uid).draft()]
    for gid in gids:
        drafts += [
            MirrorGroup(gid, [before.address, wanted.address]).draft(),
            GroupNews(gid, before.uid).draft(),
        ]
    return [*drafts, user_gone(before, now, unheard), mesibo_user_gone(before, now)]

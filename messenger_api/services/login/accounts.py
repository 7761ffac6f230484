"""The end of every login: mesibo's token, the account, the session."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from messenger_api.domain.counting import Accumulator
from messenger_api.domain.errors import AuthFail, BadCode, BadUser, TryLater
from messenger_api.domain.figures import LOGINS_BEGUN, LOGINS_COMPLETED, NOWHERE, SIGN_UPS, USERS_ACTIVE
from messenger_api.domain.identity import Identity
from messenger_api.domain.phone import masked
from messenger_api.domain.trace import Step
from messenger_api.gateways.mesibo import UserToken
from messenger_api.services.account.entrances import RETRY_SECONDS, Entrance, Entrances, Opened
from messenger_api.services.callers import Callers
from messenger_api.services.login.flow import LoginFlow, Proof
from messenger_api.services.otp.requests import CodeRequest, Device
from messenger_api.services.people.tasks import UserChanged
from messenger_api.settings import Settings
from messenger_api.storage import outbox, users
from messenger_api.storage.db import Database
from messenger_api.storage.users import Profile

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Login:
    """A login that succeeded. `token` goes to the app and rests nowhere in clear.

    `ended_oldest`: see `Opened`.
    """

    token: str
    who: Identity
    profile: Profile
    ended_oldest: bool = False

    def __repr__(self) -> str:
        return f"Login(uid={self.profile.uid})"


class Accounts:
    """Logs people in."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        figures: Accumulator,
        flow: LoginFlow,
        callers: Callers,
        entrances: Entrances,
    ) -> None:
        self._settings = settings
        self._database = database
        self._figures = figures
        # A class of one's own has a path that may be long.
        self._method = settings.login_method.rpartition(".")[2]
        self._flow = flow
        self._callers = callers
        self._entrances = entrances

    def begin(self, entry: str, name: str, request: CodeRequest) -> int:
        """The first step of a login: `LoginFlow.request_code`."""
        wait = self._flow.request_code(entry, name, request)
        self._figures.count(LOGINS_BEGUN, self._method)
        return wait

    def login(self, entry: str, secret: str, device: Device, name: str = "") -> Login:
        """Prove a number or address by its code or secret, mint mesibo's token and open a session.

        Raises:
            BadPhone, BadCode, TooMany: see the texts they carry.
            BadUser: mesibo refused to make the token, or the operator keeps this user out.
            TryLater: mesibo, the database or who must judge is down; a code is still good.
        """
        proof = self._flow.verify(entry, secret, device)
        if token := proof.earlier_token():
            return self.again(proof.who, token)
        try:
            return self._enter(proof, device, name or proof.name)
        except (TryLater, BadUser):
            proof.reopen()
            raise

    def again(self, who: Identity, token: str) -> Login:
        """The answer that this login had before, for the phone that did not get it. Raises BadCode."""
        try:
            caller = self._callers.find(token)
        except AuthFail:
            raise BadCode(why=Step.USED) from None
        profile = self._database.run(lambda tx: users.find_profile(tx, caller.uid))
        if profile is None:
            raise BadCode(why=Step.USED)
        return Login(token, who, profile)

    def _enter(self, proof: Proof, device: Device, name: str) -> Login:
        with self._entrances.to(proof.key, proof.who.address) as entrance:
            minted = self._entrances.mint(entrance, device.appid, "" if entrance.uid else name)
            entry = _Entry(proof, device, entrance, minted, name)
            try:
                profile, opened = self._open_or_again(entry)
            except IntegrityError:
                raise self._taken(entry) from None
        self._figures.count(LOGINS_COMPLETED, self._method)
        self._figures.count(USERS_ACTIVE)
        if not entrance.uid:
            self._figures.count(SIGN_UPS, proof.who.region or NOWHERE)
        return Login(minted.token, proof.who, profile, opened.ended_oldest)

    def _open_or_again(self, entry: _Entry) -> tuple[Profile, Opened]:
        try:
            return self._open(entry)
        except IntegrityError:
            # Somebody may have made the same counter of a limit first.
            return self._open(entry)

    def _taken(self, entry: _Entry) -> TryLater:
        """Why no account could be made: somebody else was first, or the keys do not fit."""
        if self._database.run(lambda tx: users.accounts(tx, [entry.proof.key])):
            return TryLater(retry_after=RETRY_SECONDS)
        # The address is taken under another contact key: they were made with another SECRET_KEY. The
        # database's own words hold the number and go no further.
        log.error("login.secret_key_changed", phone=masked(entry.entrance.address))
        return TryLater()

    def _open(self, entry: _Entry) -> tuple[Profile, Opened]:
        def work(tx: Connection, now: int) -> tuple[Profile, Opened]:
            uid = entry.entrance.uid or self._add(tx, now, entry)
            self._entrances.confirm(tx, now, entry.entrance, entry.minted.uid)
            opened = self._entrances.open(tx, now, uid, entry.device, entry.minted.token)
            entry.proof.finish(tx, now, entry.minted.token, entry.device.network)
            return users.profile(tx, uid), opened

        return self._database.write(work)

    def _add(self, tx: Connection, now: int, entry: _Entry) -> int:
        uid = users.add(
            tx,
            now,
            address=entry.entrance.address,
            contact_key=entry.proof.key,
            mesibo_uid=entry.minted.uid,
            name=entry.name,
            country=entry.proof.who.region,
        )
        settings = self._settings
        outbox.add(tx, now, [UserChanged(uid, settings.join_subject, settings.join_message).draft()])
        return uid


@dataclass(frozen=True)
class _Entry:
    """A login on its way to a session."""

    proof: Proof
    device: Device
    entrance: Entrance
    minted: UserToken
    name: str

"""Accounts: the way in by a one-time code, sessions, and the way out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from messenger_api.domain import secrets
from messenger_api.domain.errors import AuthFail, BadCode, BadPhone, BadUser, Refused, TooMany, TryLater
from messenger_api.domain.phone import Phone, masked, read
from messenger_api.domain.secrets import Keys, token_hash
from messenger_api.domain.texts import say
from messenger_api.gateways.mesibo import MesiboClient, UserToken
from messenger_api.gateways.sms import SmsRefused, SmsSender, SmsUnavailable, TextMessage
from messenger_api.services.updates import token_gone, user_changed
from messenger_api.services.upstream import translated
from messenger_api.settings import Settings
from messenger_api.storage import codes, outbox, sessions, users
from messenger_api.storage.db import Database
from messenger_api.storage.sessions import Caller
from messenger_api.storage.users import Profile

log = structlog.get_logger(__name__)

# The contract: at login a number has at least nine digits.
SHORTEST_PHONE = 9
TOKEN_MINUTES = 365 * 24 * 60


@dataclass(frozen=True)
class Device:
    """The app that logs in."""

    appid: str
    name: str = ""
    type: int = 0


@dataclass(frozen=True)
class Login:
    """A login that succeeded. `token` goes to the app and is stored nowhere."""

    token: str
    phone: Phone
    profile: Profile

    def __repr__(self) -> str:
        return f"Login(uid={self.profile.uid})"


@dataclass(frozen=True)
class _Proven:
    """A number whose owner showed the right code."""

    phone: Phone
    key: bytes
    code_hash: bytes
    name: str


class Accounts:
    """Login, session check, logout."""

    def __init__(
        self, settings: Settings, database: Database, keys: Keys, mesibo: MesiboClient, sms: SmsSender
    ) -> None:
        self._settings = settings
        self._database = database
        self._keys = keys
        self._mesibo = mesibo
        self._sms = sms
        self._test_codes = _test_codes(settings)

    def request_code(self, entry: str, name: str = "", language: str = "en") -> int:
        """Send a one-time code to a number, the same way whether or not it has an account.

        Returns:
            Seconds until another code may be asked for.

        Raises:
            BadPhone: the number is unusable, or the network refuses it.
            TooMany: a code was sent a moment ago.
            TryLater: the code could not be sent; it is forgotten.
        """
        phone = self._phone(entry)
        test_code = self._test_code(phone)
        if test_code:
            self._put_test_code(phone, test_code, name)
            return 0
        self._check_country(phone)
        code = secrets.new_code(self._settings.otp_length)
        gap = 0 if self._settings.limits == "off" else self._settings.otp_resend_after
        self._put_code(phone, code, name, gap)
        self._send(phone, code, language)
        return gap

    def login(self, entry: str, code: str, device: Device, name: str = "") -> Login:
        """Prove a number by its code, mint mesibo's token and open a session.

        Raises:
            BadPhone, BadCode, TooMany: see the texts they carry.
            BadUser: mesibo refused to make the token.
            TryLater: mesibo or the database is down; the code is still good.
        """
        proven = self._prove(self._phone(entry), code)
        try:
            return self._enter(proven, device, name or proven.name)
        except (TryLater, BadUser):
            self._database.run(lambda tx: codes.give_back(tx, proven.key, proven.code_hash))
            raise

    def caller(self, token: str) -> Caller:
        """The session of a request. One statement.

        Raises:
            AuthFail: there is no such session.
        """
        hashed = token_hash(token)
        caller = self._database.run(lambda tx: sessions.caller(tx, hashed)) if token else None
        if caller is None:
            raise AuthFail
        return caller

    def logout(self, caller: Caller) -> None:
        """End a session with its push token; mesibo's token follows when no other session needs it."""

        def work(tx: Connection, now: int) -> None:
            sessions.remove(tx, [caller.sid])
            # mesibo's tokens belong to a user and an app, not to a device.
            if not sessions.count(tx, caller.uid, caller.appid):
                outbox.add(tx, now, [token_gone(caller.uid, caller.address, caller.mesibo_uid, caller.appid)])

        self._database.write(work)

    def _phone(self, entry: str) -> Phone:
        phone = read(entry, self._settings.default_country)
        if phone is None or len(phone.digits) < SHORTEST_PHONE:
            raise BadPhone(properties=("phone",))
        return phone

    def _test_code(self, phone: Phone) -> str:
        until = self._settings.otp_test_numbers_until
        today = dt.datetime.fromtimestamp(self._database.clock(), dt.UTC).date()
        if until is None or today > until:
            return ""
        return self._test_codes.get(phone.digits, "")

    def _put_code(self, phone: Phone, code: str, name: str, gap: int) -> None:
        settings, key = self._settings, self._keys.contact_key(phone)
        now = self._database.now()

        def put(gap: int) -> bool:
            return self._database.run(
                lambda tx: codes.put(
                    tx,
                    now,
                    key,
                    code_hash=self._keys.code_hash(key, code),
                    name=name,
                    ttl=settings.otp_ttl,
                    gap=gap,
                )
            )

        if put(gap):
            return
        log.info("login.resend_gap", phone=masked(phone.digits), mode=settings.limits)
        if settings.limits == "track":
            put(0)
            return
        raise self._too_soon(key, gap)

    def _too_soon(self, key: bytes, gap: int) -> TooMany:
        live = self._database.run(lambda tx: codes.find(tx, key))
        sent_at = live.sent_at if live else self._database.now()
        return TooMany(retry_after=max(1, sent_at + gap - self._database.now()))

    def _check_country(self, phone: Phone) -> None:
        if self._settings.sms_countries and phone.region not in self._settings.sms_countries:
            raise BadPhone("phone_country", properties=("phone",))

    def _send(self, phone: Phone, code: str, language: str) -> None:
        text, app = self._settings.sms_text, self._settings.sms_app_name
        text = text.format(code=code, app=app) if text else say("sms_code", language, code=code, app=app)
        try:
            self._sms.send(TextMessage(to=phone.digits, text=text))
        except SmsRefused as error:
            self._forget_code(phone, code)
            raise BadPhone(properties=("phone",)) from error
        except SmsUnavailable as error:
            self._forget_code(phone, code)
            raise TryLater(retry_after=30) from error

    def _forget_code(self, phone: Phone, code: str) -> None:
        """A code that nobody received must not make its owner wait for the next one."""
        key = self._keys.contact_key(phone)
        hashed = self._keys.code_hash(key, code)
        self._database.run(lambda tx: codes.forget(tx, key, hashed))

    def _prove(self, phone: Phone, code: str) -> _Proven:
        key = self._keys.contact_key(phone)
        hashed = self._keys.code_hash(key, code)
        if test_code := self._test_code(phone):
            # Reviewers of the app stores type the fixed code without having asked for one.
            self._put_test_code(phone, test_code)

        def work(tx: Connection, now: int) -> codes.Code | None:
            claimed = codes.claim_attempt(tx, now, key, most=self._settings.otp_max_attempts)
            live = codes.find(tx, key)
            if claimed and live and secrets.same(live.code_hash, hashed) and codes.use(tx, key, hashed):
                return live
            if live and not claimed and not live.used and live.expires_at > now:
                raise TooMany("code_dead", retry_after=self._wait(live, now))
            return None

        live = self._database.write(work)
        if live is None:
            raise BadCode
        return _Proven(phone, key, hashed, live.name)

    def _wait(self, live: codes.Code, now: int) -> int:
        return max(1, live.sent_at + self._settings.otp_resend_after - now)

    def _put_test_code(self, phone: Phone, code: str, name: str = "") -> None:
        """Make a fixed code live unless it is. Made anew at every request, it could be guessed for ever."""
        key = self._keys.contact_key(phone)

        def work(tx: Connection) -> None:
            now, live = self._database.now(), codes.find(tx, key)
            if live is None or live.used or live.expires_at <= now:
                hashed = self._keys.code_hash(key, code)
                codes.put(tx, now, key, code_hash=hashed, name=name, ttl=self._settings.otp_ttl, gap=0)

        self._database.run(work)

    def _enter(self, proven: _Proven, device: Device, name: str) -> Login:
        known = self._database.run(lambda tx: users.accounts(tx, [proven.key]))
        address = known[0].address if known else proven.phone.digits
        minted = self._mint(address, device, "" if known else name)
        try:
            profile = self._open(proven, address, minted, device, name)
        except IntegrityError:
            # Two first logins of one number at the same moment: by now the account is there.
            profile = self._open_again(proven, address, minted, device, name)
        return Login(minted.token, proven.phone, profile)

    def _open_again(
        self, proven: _Proven, address: str, minted: UserToken, device: Device, name: str
    ) -> Profile:
        try:
            return self._open(proven, address, minted, device, name)
        except IntegrityError:
            # The address is taken under another contact key: they were made with another SECRET_KEY. The
            # database's own words hold the number and go no further.
            log.error("login.secret_key_changed", phone=masked(address))
            raise TryLater from None

    def _mint(self, address: str, device: Device, name: str) -> UserToken:
        try:
            with translated():
                return self._mesibo.add_user(address, appid=device.appid, name=name, expiry=TOKEN_MINUTES)
        except Refused as error:
            log.error("login.mesibo_refused", error=error.code, phone=masked(address))
            raise BadUser from error

    def _open(self, proven: _Proven, address: str, minted: UserToken, device: Device, name: str) -> Profile:
        settings, hashed = self._settings, token_hash(minted.token)

        def work(tx: Connection, now: int) -> Profile:
            known = users.accounts(tx, [proven.key])
            if known:
                uid = known[0].uid
                users.note_mesibo_uid(tx, uid, minted.uid)
            else:
                uid = users.add(
                    tx,
                    now,
                    address=address,
                    contact_key=proven.key,
                    mesibo_uid=minted.uid,
                    name=name,
                    country=proven.phone.region,
                )
                outbox.add(tx, now, [user_changed(uid, settings.join_subject, settings.join_message)])
            ended = sessions.superseded(
                tx,
                uid=uid,
                appid=device.appid,
                device=device.name,
                token_hash=hashed,
                keep=settings.max_sessions,
            )
            sessions.remove(tx, ended)
            sessions.add(
                tx,
                now,
                uid=uid,
                token_hash=hashed,
                appid=device.appid,
                device=device.name,
                device_type=device.type,
            )
            return users.profile(tx, uid)

        return self._database.write(work)


def _test_codes(settings: Settings) -> dict[str, str]:
    """The fixed codes by normal form, so that an operator may write the numbers as people do."""
    phones = ((read(number, settings.default_country), code) for number, code in settings.otp_test_numbers)
    return {phone.digits: code for phone, code in phones if phone}

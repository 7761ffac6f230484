"""Why a code did not arrive: what is known of one number, as the operator asks for it."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection

from messenger_api.domain.causes import Cause
from messenger_api.domain.errors import BadPhone
from messenger_api.domain.identity import Identity
from messenger_api.domain.phone import Phone
from messenger_api.domain.timeline import Moment, timeline
from messenger_api.domain.trace import HELD_SECONDS, Step
from messenger_api.domain.why import Fate, Known, KnownAccount, KnownCode, KnownStep, KnownText, explain
from messenger_api.gateways.sms import SmsSender
from messenger_api.services.identities import Identities
from messenger_api.services.limits import DAY
from messenger_api.services.operator.health import Health
from messenger_api.services.sms.text_limits import TextLimits
from messenger_api.settings import Settings
from messenger_api.storage import codes, sessions, steps, texts, users
from messenger_api.storage.codes import Code
from messenger_api.storage.db import Database

MOST_STEPS = 100
_WORDS = frozenset(step.value for step in Step)
_REFUSED = {"phone_country": "country", "phone_kind": "kind"}


class Explained(msgspec.Struct, frozen=True):
    """A number, as it is read at the login, with its last 24 hours and what they mean.

    `noted_until`: steps of later seconds may not be noted yet.
    """

    number: str
    account: KnownAccount | None
    noted_until: int
    timeline: list[Moment]
    cause: Cause


class Why:
    """Answers for one number. Every method raises TryLater when the database does not answer."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        identities: Identities,
        text_limits: TextLimits,
        sms: SmsSender,
        health: Health,
    ) -> None:
        self._settings = settings
        self._database = database
        self._identities = identities
        self._text_limits = text_limits
        self._sms = sms
        self._health = health

    def of(self, typed: str) -> Explained:
        """What became of log-ins with this number or address. Raises BadPhone: it is none."""
        who = self._identities.at_login(typed)
        key, now = self._identities.contact_key(who), self._database.now()
        known = self._database.run(lambda tx: self._known(tx, now, who, key))
        known = msgspec.structs.replace(known, writable=self._health.is_writable())
        return Explained(who.address, known.account, now - HELD_SECONDS, timeline(known), explain(known))

    def _known(self, tx: Connection, now: int, who: Identity, key: bytes) -> Known:
        since, code = now - DAY, codes.look(tx, key)
        return Known(
            now=now,
            steps=tuple(
                KnownStep(each.step, each.detail, each.times, each.at, each.last_at)
                for each in steps.of(tx, key, since, MOST_STEPS)
                if each.step in _WORDS  # a newer version may have others
            ),
            texts=tuple(self._text(each) for each in texts.of(tx, key, since)),
            code=self._code(code) if code and code.sent_at >= since else None,
            account=_account(tx, key),
            no_texts=self._no_texts(who),
        )

    def _text(self, text: texts.NamedText) -> KnownText:
        provider = self._sms.get(text.provider)
        receipts = bool(provider and provider.receipts)
        fate = Fate(text.state.name.lower())
        return KnownText(text.sent_at, text.provider, text.channel, fate, bool(text.provider_id), receipts)

    def _code(self, code: Code) -> KnownCode:
        dead = code.attempts >= self._settings.otp_max_attempts
        times = (code.sent_at, code.expires_at, code.used_at)
        fixed = not code.sends
        return KnownCode(*times, code.attempts, code.wait_until, dead and not code.used_at, fixed)

    def _no_texts(self, who: Identity) -> str:
        if not isinstance(who, Phone):
            return ""
        try:
            self._text_limits.check(who, costs=self._sms.costs)
        except BadPhone as error:
            return _REFUSED.get(error.message, "kind")
        return ""


def _account(tx: Connection, key: bytes) -> KnownAccount | None:
    for account in users.accounts(tx, [key]):
        record, rows = users.record(tx, account.uid), sessions.of_user(tx, account.uid)
        last = max((row.created_at for row in rows), default=0)
        return KnownAccount(bool(record.blocked), len(rows), last)
    return None

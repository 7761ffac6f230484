"""Texting: codes by text message or voice, paid for, followed, and sent once more when they do not arrive."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace

import msgspec
import structlog
from sqlalchemy import Connection

from messenger_api.domain.errors import BadPhone, TooMany, TryLater
from messenger_api.domain.identity import Identity
from messenger_api.domain.phone import Kind, Phone
from messenger_api.domain.secrets import Keys
from messenger_api.domain.sms import code_text
from messenger_api.domain.texts import say
from messenger_api.gateways.sms import (
    Channel,
    Receipt,
    Sent,
    SmsRefused,
    SmsSender,
    SmsUnavailable,
    SmsWrongChannel,
    State,
    TextMessage,
)
from messenger_api.services.codes import Issued, OneTimeCodes, Plan
from messenger_api.services.limits import Limits, Taking
from messenger_api.services.spending import Spending
from messenger_api.services.updates import WatchText, watch_lane, watch_text
from messenger_api.services.upstream import outside
from messenger_api.settings import Settings
from messenger_api.storage import outbox, texts
from messenger_api.storage.db import Database
from messenger_api.storage.texts import Delivery, Text

log = structlog.get_logger(__name__)

# A number that the network refuses has been asked for all the same: who asks pays with his own limit.
KEPT_WHEN_REFUSED = ("sms_per_ip",)
UNAVAILABLE_SECONDS = 30

OUTCOMES = {State.DELIVERED: Delivery.DELIVERED, State.FAILED: Delivery.FAILED}


@dataclass(frozen=True)
class Asking:
    """How a code is asked for: from which network, in which language, by which channel, on iOS?"""

    network: str = ""
    language: str = "en"
    channel: str = Channel.SMS
    ios: bool = False


class Letter(msgspec.Struct):
    """What a text that may have to be sent again held; it rests sealed."""

    phone: str
    code: str
    text: str
    language: str
    channel: str


class Texting:
    """Sends codes to phone numbers."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        keys: Keys,
        limits: Limits,
        codes: OneTimeCodes,
        sms: SmsSender,
    ) -> None:
        self._settings = settings
        self._database = database
        self._keys = keys
        self._limits = limits
        self._codes = codes
        self._sms = sms
        self.spending = Spending(settings, keys, limits)

    def send_code(self, phone: Phone, name: str, asked: Asking) -> int:
        """Make a code and send it; returns the seconds until another may be asked for.

        Raises:
            BadPhone: the number, its kind or its country gets no codes.
            TooMany: a code was sent a moment ago, or a limit was reached.
            TryLater: the code could not be sent; it is forgotten.
        """
        channel = self._channel(phone, asked.channel)
        self.spending.check(phone, costs=self._sms.costs)
        issued = self._codes.issue(phone, name, self._plan(phone, asked.network))
        letter = self._letter(phone, issued.code, asked, channel)
        sent = self._deliver(issued, letter)
        self._note(phone, issued, letter, sent)
        return issued.wait

    def entered(self, tx: Connection, now: int, phone: Phone, network: str) -> None:
        """A code that was sent to this number was entered, on this network. Within `Limits.write`."""
        if self._sms.costs:
            self.spending.entered(tx, now, phone, network)

    def verify(self, who: Identity, verification: str, shown: str) -> bool:
        """Ask the provider who made a code whether this is it. Raises TryLater."""
        provider, _, theirs = verification.partition(":")
        try:
            with outside():
                return self._sms.check_code(provider, who.address, theirs, shown)
        except SmsUnavailable as error:
            raise TryLater(retry_after=UNAVAILABLE_SECONDS) from error

    # Planning

    def _channel(self, phone: Phone, wanted: str) -> Channel:
        """A landline is called where somebody can; otherwise what was asked for."""
        channel = Channel.VOICE if wanted == Channel.VOICE or phone.kind is Kind.LANDLINE else Channel.SMS
        return channel if channel in self._sms.channels else Channel.SMS

    def _plan(self, phone: Phone, network: str) -> Plan:
        return self.spending.plan(phone, network, self._database.now()) if self._sms.costs else Plan()

    # Sending

    def _letter(self, phone: Phone, code: str, asked: Asking, channel: Channel) -> Letter:
        voice = channel is Channel.VOICE
        text = self._spoken(code, asked.language) if voice else self._text(code, asked)
        return Letter(phone.digits, code, text, asked.language, channel.value)

    def _text(self, code: str, asked: Asking) -> str:
        settings = self._settings
        return code_text(
            code,
            settings.sms_app_name,
            asked.language,
            template=settings.sms_text,
            android_hash=settings.sms_android_hash,
            ios_domain=settings.sms_ios_domain,
            ios=asked.ios,
        )

    def _deliver(self, issued: Issued, letter: Letter) -> Sent:
        try:
            with outside():
                return self._hand_over(letter, issued.avoid)
        except TryLater:
            self._codes.recall(issued)
            raise
        except SmsRefused as error:
            self._codes.recall(issued, but=KEPT_WHEN_REFUSED)
            raise BadPhone(properties=("phone",)) from error
        except SmsUnavailable as error:
            self._codes.recall(issued)
            raise TryLater(retry_after=UNAVAILABLE_SECONDS) from error

    def _hand_over(self, letter: Letter, avoid: tuple[str, ...]) -> Sent:
        message = _message(letter)
        try:
            return self._sms.send(message, avoid=avoid)
        except SmsWrongChannel:
            # A landline that the numbering plan did not show: it hears what it cannot read.
            if message.channel is Channel.VOICE or Channel.VOICE not in self._sms.channels:
                raise
        spoken = self._spoken(letter.code, letter.language)
        return self._sms.send(replace(message, text=spoken, channel=Channel.VOICE), avoid=avoid)

    def _spoken(self, code: str, language: str) -> str:
        return say("voice_code", language, code=" ".join(code), app=self._settings.sms_app_name)

    def _note(self, phone: Phone, issued: Issued, letter: Letter, sent: Sent) -> None:
        """Remember who sent it, what it cost, and to look after it."""
        provider = self._sms.get(sent.provider)
        if not (provider and provider.costs) and not sent.makes_codes:
            return

        def work(tx: Connection, now: int) -> None:
            self._codes.note_sent(tx, issued, sent.provider, sent.id if sent.makes_codes else "")
            text_id = self._record(tx, now, phone, issued.key, sent)
            if self._is_watched(sent):
                task = WatchText(text_id, self._seal(letter, issued.code_hash), issued.code_hash.hex())
                outbox.add(tx, now, [watch_text(task, self._settings.sms_delivery_wait)])

        self._database.write(work)

    def _record(self, tx: Connection, now: int, phone: Phone, key: bytes, sent: Sent) -> int:
        return texts.add(
            tx,
            now,
            contact_key=key,
            provider=sent.provider[:64],
            provider_id=sent.id[:128],
            channel=sent.channel.value,
            country=phone.region,
            cost=self.spending.cost(phone),
        )

    def _is_watched(self, sent: Sent) -> bool:
        """Whether somebody else can send it again when no receipt comes."""
        others = [p for p in self._sms.providers if p.name != sent.provider and sent.channel in p.channels]
        return bool(self._settings.sms_delivery_wait and sent.receipts and others and not sent.makes_codes)

    # What became of it

    def receive(self, provider: str, receipt: Receipt) -> None:
        """Take a delivery receipt whose signature was right; one of an unknown text is passed over."""
        outcome = OUTCOMES.get(receipt.state)
        if outcome is None:
            return

        def work(tx: Connection, now: int) -> None:
            text = texts.by_provider(tx, provider, receipt.id)
            if text is None or not texts.settle(tx, text.id, outcome):
                return
            log.info("sms.receipt", provider=provider, outcome=outcome.name.lower(), reason=receipt.reason)
            if outcome is Delivery.FAILED:
                outbox.hurry(tx, now, watch_lane(text.id))

        self._database.write(work)

    def look_after(self, task: WatchText) -> None:
        """Send a text that did not arrive once more, by the next provider, while its code is of use."""
        text = self._database.run(lambda tx: texts.find(tx, task.text_id))
        if text is None or text.state is Delivery.DELIVERED:
            return
        if text.state is Delivery.SENT:
            self._sms.distrust(text.provider)
        code_hash = bytes.fromhex(task.code_hash)
        letter = self._unseal(task.sealed, code_hash)
        phone = Phone(letter.phone)
        if self._take_again(phone, text, code_hash):
            self._send_again(phone, letter, text)

    def _take_again(self, phone: Phone, text: Text, code_hash: bytes) -> bool:
        """Whether the code is still waited for, and the limits let another text go."""
        plan = self._plan(phone, network="")
        own = self._codes.of_address(phone)

        def work(tx: Connection, now: int) -> Taking | None:
            if not self._codes.is_live(tx, now, text.contact_key, code_hash):
                return None
            tally = self._limits.open(tx, now, [*own, *plan.claims])
            taken = tally.take([*own, *plan.chosen(tally)])
            tally.save()
            return taken

        try:
            taken = self._limits.write(work)
        except TooMany:
            return False
        plan.taken(taken or [])
        return taken is not None

    def _send_again(self, phone: Phone, letter: Letter, text: Text) -> None:
        try:
            sent = self._sms.send(_message(letter), avoid=(text.provider,), ours=True)
        except (SmsRefused, SmsUnavailable) as error:
            log.warning("sms.not_sent_again", provider=error.provider, reason=error.reason)
            return
        log.info("sms.sent_again", first=text.provider, then=sent.provider)
        self._database.write(lambda tx, now: self._record(tx, now, phone, text.contact_key, sent))

    def _seal(self, letter: Letter, about: bytes) -> str:
        return base64.b64encode(self._keys.seal(msgspec.json.encode(letter), about)).decode()

    def _unseal(self, sealed: str, about: bytes) -> Letter:
        return msgspec.json.decode(self._keys.unseal(base64.b64decode(sealed), about), type=Letter)


def _message(letter: Letter) -> TextMessage:
    return TextMessage(letter.phone, letter.text, letter.code, letter.language, Channel(letter.channel))

"""Codes by text message or voice, paid for, followed, and sent once more when they do not arrive."""

from __future__ import annotations

from dataclasses import replace

import structlog
from sqlalchemy import Connection

from messenger_api.domain.counting import Accumulator
from messenger_api.domain.errors import ApiError, BadPhone, TooMany, TryLater
from messenger_api.domain.figures import NOWHERE, TEXT_RECEIPTS
from messenger_api.domain.phone import Kind, Phone
from messenger_api.domain.pseudonyms import PhonePseudonyms, of_phone
from messenger_api.domain.secrets import Keys
from messenger_api.gateways.sms import (
    Attempt,
    Channel,
    Receipt,
    Sent,
    SmsError,
    SmsRefused,
    SmsSender,
    SmsUnavailable,
    SmsWrongChannel,
    State,
    TextMessage,
)
from messenger_api.outbox.run import Run
from messenger_api.services.bulkhead import outbound_slot
from messenger_api.services.limits import Counted, Limits
from messenger_api.services.otp.codes import Issued, OneTimeCodes
from messenger_api.services.otp.plan import Always, Plan
from messenger_api.services.otp.requests import CodeRequest
from messenger_api.services.sms.bookings import Bookings, Outcome
from messenger_api.services.sms.budget import TextBudget
from messenger_api.services.sms.mesibo_codes import MesiboCodes
from messenger_api.services.sms.messages import CodeMessage, CodeMessages
from messenger_api.services.sms.tasks import WatchText
from messenger_api.services.sms.text_limits import TextLimits
from messenger_api.settings import Settings
from messenger_api.storage import lanes, outbox, texts
from messenger_api.storage.db import Database
from messenger_api.storage.texts import Delivery, Text
from messenger_api.throttle import Throttle

log = structlog.get_logger(__name__)
_seldom = Throttle()

UNAVAILABLE_SECONDS = 30

OUTCOMES = {State.DELIVERED: Delivery.DELIVERED, State.FAILED: Delivery.FAILED}


class TextDelivery:
    """Sends codes to phone numbers."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        keys: Keys,
        limits: Limits,
        codes: OneTimeCodes,
        text_limits: TextLimits,
        budget: TextBudget,
        sms: SmsSender,
        figures: Accumulator,
        made_by: MesiboCodes | None = None,
    ) -> None:
        self._settings = settings
        self._database = database
        self._keys = keys
        self._messages = CodeMessages(settings, keys)
        self._limits = limits
        self._codes = codes
        self._sms = sms
        self._text_limits = text_limits
        self._budget = budget
        self._figures = figures
        self._made_by = made_by

    def send_code(self, phone: Phone, names: PhonePseudonyms, name: str, request: CodeRequest) -> int:
        """Make a code and send it; returns the seconds until another may be asked for.

        Raises:
            BadPhone: the number, its kind or its country gets no codes.
            TooMany: a code was sent a moment ago, or a limit was reached.
            TryLater: the code could not be sent; it is forgotten.
        """
        channel = self._channel(phone, request.channel)
        self._text_limits.check(phone, costs=self._sms.costs)
        plan = self._plan(names, channel)
        maker = self._made_by
        fresh = self._codes.draft(names, name, maker.verification if maker else "")
        issued = self._codes.issue(fresh, plan)
        code = maker.make(phone.address, issued) if maker else fresh.code
        message = self._messages.compose(phone, code, request, channel)
        outcome = self._dispatch(message, issued.avoid, self._bookings(names, issued.counted))
        if not outcome.is_nothing:
            self._note(names, issued, message, outcome)
        if outcome.error and not outcome.sent:
            _complain(outcome.error)
            raise _told(outcome.error) from outcome.error
        return issued.wait

    def send_test(self, phone: Phone, message: TextMessage, sender: SmsSender) -> Sent:
        """Send an operator's message as codes are sent: to the same countries and kinds, and for money.

        Raises:
            BadPhone: the number's country or kind gets no codes.
            TooMany: a budget is spent.
            SmsError: as `SmsSender.send` does.
        """
        self._text_limits.check(phone, costs=sender.costs)
        names = of_phone(self._keys, phone, "")
        bookings = self._bookings(names, Counted((), 0))
        try:
            return sender.send(message, book=bookings)
        finally:
            if sender.costs:
                outcome = bookings.outcome()
                self._limits.write(lambda tx, now: self._settle(tx, now, names, outcome))

    def entered(self, tx: Connection, now: int, phone: Phone, network: str) -> None:
        """A code that was sent to this number was entered, on this network. Within `Limits.write`."""
        if self._sms.costs:
            self._text_limits.entered(tx, now, of_phone(self._keys, phone, network))

    # Planning

    def _channel(self, phone: Phone, wanted: str) -> Channel:
        """A landline is called where somebody can; otherwise what was asked for."""
        channel = Channel.VOICE if wanted == Channel.VOICE or phone.kind is Kind.LANDLINE else Channel.SMS
        return channel if channel in self._sms.channels else Channel.SMS

    def _plan(self, names: PhonePseudonyms, channel: Channel) -> Plan:
        """Where texts cost nothing, nothing but the codes of the number is counted."""
        return self._text_limits.plan(names, channel, self._database.now()) if self._sms.costs else Always()

    def _bookings(self, names: PhonePseudonyms, counted: Counted) -> Bookings:
        self._budget.sound_alarms(counted.taken)
        return Bookings(self._limits, self._budget, names.country, counted, self._figures)

    # Sending

    def _dispatch(self, message: CodeMessage, avoid: tuple[str, ...], bookings: Bookings) -> Outcome:
        """Returns when a provider took it, or may have: who waits for a text may then get it."""
        try:
            with outbound_slot():
                self._hand_over(message, avoid, bookings)
        except (ApiError, SmsError) as error:
            outcome = bookings.outcome(error)
            if outcome.sent:
                log.warning("sms.may_be_sent", providers=[each.provider.name for each in outcome.sent])
            return outcome
        return bookings.outcome()

    def _hand_over(self, message: CodeMessage, avoid: tuple[str, ...], bookings: Bookings) -> None:
        text = message.text_message
        try:
            self._sms.send(text, avoid=avoid, ours=bool(self._made_by), book=bookings)
        except SmsWrongChannel:
            # A landline that the numbering plan did not show: it hears what it cannot read.
            if text.channel is Channel.VOICE or Channel.VOICE not in self._sms.channels:
                raise
        else:
            return
        spoken = self._messages.spoken(message.code, message.language)
        call = replace(text, text=spoken, channel=Channel.VOICE)
        self._sms.send(call, avoid=avoid, ours=bool(self._made_by), book=bookings)

    # What came of it

    def _note(self, names: PhonePseudonyms, issued: Issued, message: CodeMessage, outcome: Outcome) -> None:
        """Remember who sent a code, or may have, and look after it; forget one that nobody received."""

        def work(tx: Connection, now: int) -> None:
            if not outcome.sent:
                self._codes.take_back(tx, issued)
            elif outcome.noted:
                providers = [sent.provider.name for sent, _cost in outcome.noted]
                verification, ours = outcome.verification, outcome.holds_ours
                self._codes.note_sent(tx, issued, providers, verification, ours=ours)
            for sent, text_id in self._settle(tx, now, names, outcome):
                if self._is_watched(sent):
                    code_hash = issued.fresh.code_hash
                    task = WatchText(text_id, self._messages.seal(message, code_hash), code_hash.hex())
                    outbox.add(tx, now, [task.draft(self._settings.sms_delivery_wait)])

        try:
            self._limits.write(work)
        except TryLater:
            # It is sent, and its code is good; not so one that a provider made, whose verification got lost.
            if not outcome.sent or outcome.verification:
                raise
            log.error("sms.not_noted")

    def _settle(
        self, tx: Connection, now: int, names: PhonePseudonyms, outcome: Outcome
    ) -> list[tuple[Attempt, int]]:
        """Give back what was counted for nothing, and note each attempt that sent something or may have.

        Returns:
            These attempts, each with the id of its row.
        """
        self._limits.uncount(tx, now, outcome.unused)
        return [
            (
                each,
                texts.add(
                    tx,
                    now,
                    contact_key=names.key,
                    provider=each.provider.name[:64],
                    provider_id=each.id,
                    channel=each.channel.value,
                    country=names.country,
                    cost=cost,
                ),
            )
            for each, cost in outcome.noted
        ]

    def _is_watched(self, sent: Attempt) -> bool:
        """Whether somebody else can send it again when no receipt comes."""
        made = sent.provider
        others = [p for p in self._sms.providers if p.name != made.name and sent.channel in p.channels]
        taken = sent.error is None and made.receipts and not made.makes_codes
        return bool(self._settings.sms_delivery_wait and taken and others)

    def receive(self, provider: str, receipt: Receipt) -> None:
        """Take a delivery receipt whose signature was right; one of an unknown text is passed over."""
        outcome = OUTCOMES.get(receipt.state)
        if outcome is None:
            return

        def work(tx: Connection, now: int) -> Text | None:
            text = texts.by_provider(tx, provider, receipt.id)
            if text is None or not texts.settle(tx, text.id, outcome):
                return None
            log.info("sms.receipt", provider=provider, outcome=outcome.name.lower(), reason=receipt.reason)
            if outcome is Delivery.FAILED:
                outbox.hurry(tx, now, lanes.text(text.id))
            return text

        if settled := self._database.write(work):
            self._count_receipt(settled, outcome.name.lower())

    def _count_receipt(self, text: Text, outcome: str) -> None:
        self._figures.count(TEXT_RECEIPTS, text.provider, text.country or NOWHERE, outcome)

    def look_after(self, task: WatchText, _run: Run) -> None:
        """Send a text that did not arrive once more, by the next provider, while its code is of use."""
        text = self._database.run(lambda tx: texts.find(tx, task.text_id))
        if text is None or text.state is Delivery.DELIVERED:
            return
        if text.state is Delivery.SENT:
            self._sms.distrust(text.provider)
            self._count_receipt(text, "missing")
        code_hash = bytes.fromhex(task.code_hash)
        message = self._messages.unseal(task.sealed, code_hash)
        names = of_phone(self._keys, Phone(message.phone), "")
        plan = self._plan(names, Channel(message.channel))
        try:
            counted = self._codes.count_again(names, code_hash, plan)
        except TooMany:
            return
        if counted:
            self._send_again(names, message, text, self._bookings(names, counted))

    def _send_again(
        self, names: PhonePseudonyms, message: CodeMessage, text: Text, bookings: Bookings
    ) -> None:
        try:
            sent = self._sms.send(message.text_message, avoid=(text.provider,), ours=True, book=bookings)
        except (ApiError, SmsError) as error:
            outcome = bookings.outcome(error)
            log.warning("sms.not_sent_again", reason=str(error), may_be_sent=bool(outcome.sent))
        else:
            outcome = bookings.outcome()
            log.info("sms.sent_again", first=text.provider, then=sent.provider)
        self._limits.write(lambda tx, now: self._settle(tx, now, names, outcome))


def _complain(error: ApiError | SmsError) -> None:
    """Nobody gets a code any more: an error, once a minute and not once a person."""
    if isinstance(error, SmsUnavailable) and not error.about_number and _seldom.is_due("no provider"):
        to_do = "see the providers' consoles and messenger-api check; another in SMS_PROVIDERS helps"
        log.error("sms.no_provider", reason=error.reason, what="people get no codes", to_do=to_do)


def _told(error: ApiError | SmsError) -> ApiError:
    """What the app is told of a code that was surely not sent."""
    if isinstance(error, SmsRefused):
        return BadPhone(properties=("phone",))
    return error if isinstance(error, ApiError) else TryLater(retry_after=UNAVAILABLE_SECONDS)

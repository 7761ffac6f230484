"""Why a code did not arrive: from what is known of one number to a cause."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from messenger_api.domain.causes import CAUSES, Cause
from messenger_api.domain.trace import Step

# After so long without a receipt, where the provider sends any, a text is taken for lost.
OVERDUE_SECONDS = 60
# A text or call that was handed over before this step belongs to it.
SAME_SECONDS = 10


class Fate(StrEnum):
    """What a provider's receipt says of a text."""

    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"


class KnownStep(msgspec.Struct, frozen=True):
    """A step that was taken `times` from the second `at` to `last_at`."""

    step: str
    detail: str
    times: int
    at: int
    last_at: int


class KnownText(msgspec.Struct, frozen=True):
    """A text or call (`channel`: sms, voice) that was handed to a provider, or may have been (`taken` False).

    `receipts`: whether the provider sends any.
    """

    at: int
    provider: str
    channel: str
    fate: Fate
    taken: bool
    receipts: bool


class KnownCode(msgspec.Struct, frozen=True):
    """The code last made; `used_at` and `wait_until` are 0 unless it was used, or slowed by wrong tries.

    `is_fixed`: it is that of OTP_TEST_NUMBERS, and was sent to nobody.
    """

    sent_at: int
    expires_at: int
    used_at: int
    wrong_tries: int
    wait_until: int
    is_dead: bool
    is_fixed: bool = False


class KnownAccount(msgspec.Struct, frozen=True):
    """The account with this number, and when the newest of its sessions began; 0 without one."""

    blocked: bool
    sessions: int
    logged_in_at: int


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of a number in the second `now`.

    `no_texts`: its "country" or "kind" gets none. `writable`: whether the database takes writes; else no code
    can be made, and of what happens no step is kept.
    """

    now: int
    steps: tuple[KnownStep, ...] = ()
    texts: tuple[KnownText, ...] = ()
    code: KnownCode | None = None
    account: KnownAccount | None = None
    no_texts: str = ""
    writable: bool = True

    def is_of_fixed(self, at: int) -> bool:
        """Whether what was asked for in this second was a fixed code."""
        return self.code is not None and self.code.is_fixed and at >= self.code.sent_at


_LIMITS = {
    "resend_gap": "too_soon",
    "sms_per_number_hour": "number_limit",
    "sms_per_number_day": "number_limit",
    "sms_per_ip": "network_limit",
    "sms_per_prefix": "site_limit",
    "sms_per_country": "site_limit",
    "sms_per_hour": "site_limit",
    "sms_budget_day": "budget_spent",
    "sms_budget_month": "budget_spent",
    "sms_pause": "held_back",
    "country_paused": "country_paused",
    "login_tries_per_ip": "login_tries_limit",
    "wrong_codes": "slowed",
}
_STEPS = {
    Step.NUMBER_REFUSED: "number_refused",
    Step.NO_CHANNEL: "landline",
    Step.NOT_SENT: "no_provider",
    Step.WRONG: "wrong_code",
    Step.EXPIRED: "expired",
    Step.NO_CODE: "no_code",
    Step.USED: "used_code",
    Step.PAUSED: "paused_tries",
    Step.TOO_MANY_TRIES: "too_many_tries",
    Step.BLOCKED: "blocked",
    Step.MESIBO_REFUSED: "mesibo_refused",
    Step.MESIBO_AWAY: "mesibo_away",
    Step.TOKEN_REFUSED: "app_token_refused",
    Step.METHOD_AWAY: "method_away",
    Step.TRY_LATER: "disturbed",
    Step.LOGGED_IN: "logged_in",
}


def explain(known: Known) -> Cause:
    """What the last that happened to a number means, where that can be known."""
    return CAUSES[_cause(known) if known.writable else "not_noted"]


def _cause(known: Known) -> str:
    text = max(known.texts, key=lambda each: each.at, default=None)
    step = known.steps[-1] if known.steps else None
    if step is None or (text is not None and text.at > step.last_at + SAME_SECONDS):
        return _without_steps(known, text)
    if step.step == Step.LIMITED:
        return _limit(step, text, known.now)
    if step.step == Step.NO_TEXTS:
        return f"{step.detail}_not_texted"
    if step.step == Step.SENT:
        return _of_sent(step, text, known)
    return _STEPS.get(Step(step.step), "disturbed")


def _of_sent(step: KnownStep, text: KnownText | None, known: Known) -> str:
    if known.is_of_fixed(step.last_at):
        return "fixed_code"
    return _of_text(text, known.now) if text else "on_its_way"


def _limit(step: KnownStep, text: KnownText | None, now: int) -> str:
    """The limit; but who asks again before the time does so for a text that got lost."""
    lost = _of_text(text, now) if text and step.detail == "resend_gap" else ""
    if lost in ("receipt_failed", "no_receipt", "maybe_sent"):
        return lost
    return _LIMITS.get(step.detail, "limited")


def _without_steps(known: Known, text: KnownText | None) -> str:
    """What rows tell that are kept for longer than steps, or were written before there were any."""
    code = known.code
    if code is not None and code.used_at:
        return "logged_in"
    if code is not None and code.is_fixed and (text is None or text.at < code.sent_at):
        return "fixed_code"
    if text is not None:
        return _of_text(text, known.now)
    if code is not None:
        return "on_its_way"
    return f"{known.no_texts}_not_texted" if known.no_texts else "not_asked"


def _of_text(text: KnownText, now: int) -> str:
    if text.fate is Fate.FAILED:
        return "receipt_failed"
    if text.fate is Fate.DELIVERED:
        return "delivered"
    if text.channel == "voice":
        return "called"
    if not text.taken:
        return "maybe_sent"
    overdue = text.receipts and now - text.at > OVERDUE_SECONDS
    return "no_receipt" if overdue else "on_its_way"

"""What happened to one number, in the order of time, in plain words."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from messenger_api.domain.trace import ENDED_OLDEST, Step
from messenger_api.domain.why import Fate, Known, KnownCode, KnownStep, KnownText

_SAID = {
    Step.SENT: "asked for a code; it was made and handed over",
    Step.LIMITED: "asked, and was refused by the limit {detail}",
    Step.NO_TEXTS: "asked for a code; the number's {detail} gets none",
    Step.NUMBER_REFUSED: "asked for a code; {detail} refused the number",
    Step.NO_CHANNEL: "asked for a code; the number is a landline and nobody calls",
    Step.NOT_SENT: "asked for a code; no provider took it: {detail}",
    Step.WRONG: "entered a wrong code",
    Step.EXPIRED: "entered a code that had run out",
    Step.NO_CODE: "entered a code, and had not asked for one",
    Step.USED: "entered a code that had been used",
    Step.PAUSED: "tried again too early after wrong codes",
    Step.TOO_MANY_TRIES: "entered a code after too many wrong ones",
    Step.BLOCKED: "entered the right code; the account is blocked",
    Step.MESIBO_REFUSED: "entered the right code; mesibo refused it: {detail}",
    Step.MESIBO_AWAY: "mesibo did not answer",
    Step.TOKEN_REFUSED: "mesibo refused the app token",
    Step.METHOD_AWAY: "the server of LOGIN_METHOD did not answer",
    Step.TRY_LATER: "was told to try later",
    Step.LOGGED_IN: "entered the code and logged in",
}
_FATES = {
    Fate.SENT: "no receipt yet",
    Fate.DELIVERED: "its receipt says delivered",
    Fate.FAILED: "its receipt says not delivered",
}
_CHANNELS = {"sms": "text", "voice": "call"}


class Moment(msgspec.Struct, frozen=True):
    """What happened in a second."""

    at: int
    what: str


def timeline(known: Known) -> list[Moment]:
    """All that is known of the last 24 hours, the oldest first."""
    moments = [
        *(_of_step(step, known) for step in known.steps),
        *map(_of_text, known.texts),
        *(_of_code(known.code, known) if known.code else ()),
    ]
    # Sorting is stable: what a code led to stands behind it.
    return sorted(moments, key=lambda moment: moment.at)


def _of_step(step: KnownStep, known: Known) -> Moment:
    what = _SAID[Step(step.step)].format(detail=step.detail or "somebody")
    if step.step == Step.SENT and known.is_of_fixed(step.last_at):
        what = "asked for a code; it is fixed (OTP_TEST_NUMBERS), and nothing was sent"
    if (step.step, step.detail) == (Step.LOGGED_IN, ENDED_OLDEST):
        what += ", which ended the oldest session of this app (MAX_SESSIONS)"
    return Moment(step.last_at, what if step.times == 1 else f"{what} ({step.times} times)")


def _of_text(text: KnownText) -> Moment:
    channel = _CHANNELS.get(text.channel, text.channel)
    if not text.taken:
        return Moment(text.at, f"{text.provider} may have sent a {channel}, and did not say so")
    fate = _FATES[text.fate] if text.receipts or text.fate is not Fate.SENT else "it sends no receipts"
    return Moment(text.at, f"{text.provider} took a {channel}: {fate}")


def _of_code(code: KnownCode, known: Known) -> Iterator[Moment]:
    """What the code's own row tells, where no step does."""
    steps = {step.step for step in known.steps}
    if not known.steps:
        what = "the fixed code (OTP_TEST_NUMBERS) was made good" if code.is_fixed else "a code was made"
        yield Moment(code.sent_at, what)
    if code.used_at and Step.LOGGED_IN not in steps:
        yield Moment(code.used_at, "the code was entered")
    if not code.used_at and code.expires_at <= known.now:
        yield Moment(code.expires_at, "the code ran out")
    if code.wait_until > known.now:
        yield Moment(code.wait_until, "the next try may come")

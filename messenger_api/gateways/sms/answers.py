"""HTTP with providers: how long it may take, its failures told as ours, and what a status proves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from messenger_api.gateways.http import NoResponse, Timeouts
from messenger_api.gateways.sms.base import SmsUnavailable
from messenger_api.mesibo.http.deadline import TIMED_OUT
from messenger_api.settings import Settings

Result = TypeVar("Result")


def timeouts_within(settings: Settings) -> Timeouts:
    """An exchange has all the time that an attempt may take."""
    return Timeouts(min(Timeouts().connect, settings.sms_timeout), settings.sms_timeout)


def as_sms_failure(provider: str, work: Callable[[], Result]) -> Result:
    """What `work` returns, with the failures of HTTP told as a provider's.

    Raises:
        SmsUnavailable: no answer, or one that cannot be read. `not_sent` where the request never left:
            connection refused or not made in time, name not found, TLS not agreed on.
    """
    try:
        return work()
    except NoResponse as failure:
        timed_out = failure.reason == "timeout"
        reason = TIMED_OUT if timed_out else f"connection failed ({failure.told})"
        not_sent = not failure.sent
    except (ValueError, TypeError, AttributeError, LookupError):
        reason, not_sent = "an answer that cannot be read", False
    # Raised after the handler, not inside: what a library raises may quote the answer.
    raise SmsUnavailable(provider, reason, not_sent=not_sent)


def is_refusal(status: int) -> bool:
    """Whether an HTTP status proves that what was asked for was not done: any 4xx but those about time.

    408, and nginx's 499, may be said by a machine in between, of a request that it has passed on.
    """
    return 400 <= status < 500 and status not in (408, 499)

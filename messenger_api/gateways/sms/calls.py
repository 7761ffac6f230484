"""Calls of one provider in finite time (`gateways.threads`)."""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import structlog

from messenger_api.gateways.sms.base import SmsError, SmsUnavailable
from messenger_api.gateways.threads import Busy, Calls, TooSlow
from messenger_api.mesibo.http.sending import guarded

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 32

Result = TypeVar("Result")


class ProviderCalls:
    """The calls of the provider `name`."""

    def __init__(self, name: str, seconds: float, *, most: int = MOST_AT_ONCE) -> None:
        self._name = name
        self._seconds = seconds
        self._calls = Calls(f"sms-{name}", most)

    def run(self, work: Callable[[], Result]) -> Result:
        """What `work` returns.

        Raises:
            SmsError: what `work` raised.
            SmsUnavailable: it took too long, or too many are under way. `not_sent` where the request had
                not left, and then never leaves.
        """
        started = time.monotonic()
        # The log's fields of the request go along.
        context = contextvars.copy_context()
        guard = guarded(context)
        try:
            # No waiting for a turn: the time is the caller's, and the next provider is quicker.
            return self._calls.run(partial(context.run, work), self._seconds)
        except SmsError as error:
            # Without the thread's traceback.
            raise error.with_traceback(None) from None
        except Busy as error:
            raise SmsUnavailable(self._name, str(error), not_sent=True) from None
        except TooSlow:
            ms = round((time.monotonic() - started) * 1000)
        log.warning("sms.abandoned", provider=self._name, ms=ms)
        reason = f"no result within {self._seconds:g} s"
        raise SmsUnavailable(self._name, reason, not_sent=guard.cancel())

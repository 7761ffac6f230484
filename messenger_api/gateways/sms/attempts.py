"""Calls of one provider in finite time, whatever its library or the socket does.

A socket's timeout counts anew for every byte, name resolution knows none, and a provider of somebody
else's may forget its own. So each call has a daemon thread, its caller waits at most `seconds`, and a
bounded number is under way at once: a provider that hangs costs threads, but not more and more of them.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

import structlog

from messenger_api.gateways.sms.base import SmsError, SmsUnavailable

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 32

Result = TypeVar("Result")


class Attempts:
    """The calls of the provider `name`."""

    def __init__(self, name: str, seconds: float, *, most: int = MOST_AT_ONCE) -> None:
        self._name = name
        self._seconds = seconds
        self._slots = threading.BoundedSemaphore(most)

    def run(self, work: Callable[[], Result]) -> Result:
        """What `work` returns.

        Raises:
            SmsError: what `work` raised.
            SmsUnavailable: it took too long, or too many are under way.
        """
        started = time.monotonic()
        future = self._start(work)
        wait([future], timeout=self._seconds)
        if not future.done():
            ms = round((time.monotonic() - started) * 1000)
            log.warning("sms.abandoned", provider=self._name, ms=ms)
            raise SmsUnavailable(self._name, f"no result within {self._seconds:g} s")
        outcome = future.result()
        if isinstance(outcome, SmsError):
            raise outcome
        return outcome

    def _start(self, work: Callable[[], Result]) -> Future[Result | SmsError]:
        # No waiting for a turn: the time is the caller's, and the next provider is quicker.
        if not self._slots.acquire(blocking=False):
            raise SmsUnavailable(self._name, "too many calls are under way")
        future: Future[Result | SmsError] = Future()
        # The log's fields of the request go along.
        context = contextvars.copy_context()
        try:
            threading.Thread(
                target=context.run, args=(self._run, work, future), name=f"sms-{self._name}", daemon=True
            ).start()
        except RuntimeError:  # the system has no thread left
            self._slots.release()
            raise SmsUnavailable(self._name, "no thread left") from None
        return future

    def _run(self, work: Callable[[], Result], future: Future[Result | SmsError]) -> None:
        """Do the work; an expected failure travels as a value, without the thread's traceback."""
        outcome: Result | SmsError
        try:
            try:
                outcome = work()
            except SmsError as error:
                outcome = error.with_traceback(None)
            finally:
                self._slots.release()
        except BaseException as error:  # noqa: BLE001 - a fault of ours belongs to the caller
            future.set_exception(error)
        else:
            future.set_result(outcome)

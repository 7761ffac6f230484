"""Calls of somebody else's in finite time, whatever their library or the socket does.

A socket's timeout counts anew for every byte, name resolution knows none, and a library may forget its own.
So each call has a daemon thread, and its caller waits no longer than it wants. A bounded number is under way
at once: whoever hangs costs threads, but not more and more of them. A thread that is done waits for the next
call, because to wake one costs a third of what it costs to start one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from queue import Empty, SimpleQueue
from typing import TypeVar

T = TypeVar("T")

KEPT_SECONDS = 30


class Busy(Exception):
    """No thread may be had: too many calls are under way, or the system has none left."""


class TooSlow(Exception):
    """The work is not done in time, and goes on without its caller."""


class Calls:
    """Up to `most` calls at once, in threads that have this `name` while they work."""

    def __init__(self, name: str, most: int, *, kept: float = KEPT_SECONDS) -> None:
        self._name = name
        self._kept = kept
        self._slots = threading.BoundedSemaphore(most)
        self._jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        # One for each thread that waits for a job and on which no call counts yet.
        self._idle = threading.Semaphore(0)

    def start(self, work: Callable[[], T], *, patience: float = 0.0) -> Future[T]:
        """Begin `work`, within `patience` seconds, and return what will hold its outcome.

        Raises:
            Busy: nothing was begun.
        """
        if not self._slots.acquire(timeout=patience):
            raise Busy("too many calls are under way")
        if not self._idle.acquire(blocking=False):
            try:
                threading.Thread(target=self._serve, name=self._name, daemon=True).start()
            except RuntimeError:
                self._slots.release()
                raise Busy("no thread left") from None
        future: Future[T] = Future()
        self._jobs.put(partial(self._do, work, future))
        return future

    def run(
        self,
        work: Callable[[], T],
        seconds: float,
        *,
        patience: float = 0.0,
        on_late: Callable[[T], None] | None = None,
    ) -> T:
        """What `work` returns or raises, within `seconds` and the `patience` before it begins.

        Args:
            work: done in a thread.
            seconds: how long it may take. Then its caller goes on, and `work` too until it ends by itself.
            patience: seconds to wait for a place.
            on_late: given what `work` returns after its caller went on, in the thread.

        Raises:
            Busy: nothing was begun.
            TooSlow: it is not done in time.
        """
        future = self.start(work, patience=patience)
        try:
            return outcome(future, seconds)
        except TooSlow:
            if on_late:
                future.add_done_callback(partial(_tell, on_late))
            raise

    def _serve(self) -> None:
        while self._do_next():
            threading.current_thread().name = f"{self._name}, idle"
            self._idle.release()

    def _do_next(self) -> bool:
        # In a frame of its own: nothing that a call held, a token or a code, outlives it here.
        job = self._next()
        if job is None:
            return False
        threading.current_thread().name = self._name
        job()
        return True

    def _next(self) -> Callable[[], None] | None:
        """The next job, or None when none came for long."""
        while True:
            try:
                return self._jobs.get(timeout=self._kept)
            except Empty:
                # If nobody is left on whom no call counts, the job is on its way.
                if self._idle.acquire(blocking=False):
                    return None

    def _do(self, work: Callable[[], T], future: Future[T]) -> None:
        try:
            try:
                outcome = work()
            finally:
                # Before the caller hears of it: who calls again at once finds the place free.
                self._slots.release()
        except BaseException as error:  # noqa: BLE001 - whatever it is, it belongs to the caller
            future.set_exception(error)
        else:
            future.set_result(outcome)


def outcome(future: Future[T], seconds: float) -> T:
    """What work that was started returned or raised.

    Raises:
        TooSlow: it is not done within `seconds`.
    """
    try:
        return future.result(seconds)
    except TimeoutError:
        if not future.done():
            raise TooSlow from None
    # The error was the work's own, or its end came in this moment.
    return future.result()


def _tell(on_late: Callable[[T], None], done: Future[T]) -> None:
    if done.exception() is None:
        on_late(done.result())

"""Threads for calls of others: bounded, kept for the next call, and nobody's for long."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from unittest import mock

import pytest

from messenger_api.gateways.threads import Busy, Calls, TooSlow
from tests.processes import wait_for
from tests.stopwatch import Stopwatch


def named(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith(name)]


def test_one_thread_does_one_call_after_the_other_and_is_seen_to_wait_between_them() -> None:
    calls = Calls("again", 3)
    idents = set()
    for _ in range(50):
        idents.add(calls.start(threading.get_ident).result(5))
        wait_for(lambda: named("again")[0].name == "again, idle", 5, "the end of the call")
    assert len(idents) == 1
    assert calls.start(lambda: threading.current_thread().name).result(5) == "again"


def test_a_thread_for_which_there_is_nothing_to_do_ends() -> None:
    calls = Calls("ends", 3, kept=0.05)
    assert calls.start(lambda: 1).result(5) == 1
    wait_for(lambda: not named("ends"), 5, "the end of the thread")
    assert calls.start(lambda: 2).result(5) == 2


def test_no_call_is_lost_where_threads_end_as_calls_come() -> None:
    calls = Calls("race", 8, kept=0.001)

    def call(number: int) -> int:
        time.sleep(0.001 * (number % 3))
        return calls.start(lambda: number, patience=5).result(5)

    with ThreadPoolExecutor(8) as crowd:
        assert list(crowd.map(call, range(1000))) == list(range(1000))


def test_only_so_many_calls_are_under_way_and_a_place_is_free_before_the_caller_hears_of_the_end() -> None:
    calls, held = Calls("full", 2), threading.Event()
    hanging = [calls.start(lambda: held.wait(20)) for _ in range(2)]
    with pytest.raises(Busy, match="too many"):
        calls.start(lambda: True)
    watch = Stopwatch()
    with pytest.raises(Busy):
        calls.start(lambda: True, patience=0.2)
    assert watch.seconds >= 0.2
    assert watch.quiet_seconds < 2
    held.set()
    for future in hanging:
        assert future.result(5)
        assert calls.start(lambda: True).result(5)


def test_whatever_a_call_raises_is_its_callers_and_the_next_one_is_done() -> None:
    calls = Calls("raises", 1)

    def leave() -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        calls.start(leave).result(5)
    assert calls.start(lambda: "next").result(5) == "next"


def test_nothing_that_a_call_held_outlives_it() -> None:
    class Secret:
        """A token."""

    calls, secret = Calls("forgets", 1), Secret()
    seen = weakref.ref(secret)
    assert calls.start(partial(isinstance, secret, Secret)).result(5)
    del secret
    wait_for(
        lambda: [thread.name for thread in named("forgets")] == ["forgets, idle"], 5, "the end of the call"
    )
    gc.collect()
    assert seen() is None


def test_where_the_system_has_no_thread_left_the_place_stays_free() -> None:
    calls = Calls("none", 1)
    with mock.patch.object(threading.Thread, "start", side_effect=RuntimeError("can't start new thread")):
        for _ in range(3):
            with pytest.raises(Busy, match="no thread left"):
                calls.start(lambda: True)
    assert calls.start(lambda: True).result(5)


def test_who_waits_for_work_is_let_go_in_time_and_told_when_it_ends_later() -> None:
    calls, held, told = Calls("slow", 1), threading.Event(), threading.Event()
    started = time.monotonic()
    with pytest.raises(TooSlow):
        calls.run(lambda: held.wait(20), 0.1, on_late=lambda ended: told.set() if ended else None)
    assert 0.1 <= time.monotonic() - started < 5
    assert not told.is_set()
    held.set()
    assert told.wait(5)
    assert calls.run(lambda: "next", 5, patience=5) == "next"


def test_a_timeout_of_the_work_is_no_work_that_takes_too_long() -> None:
    def raising() -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        Calls("own", 1).run(raising, 5)

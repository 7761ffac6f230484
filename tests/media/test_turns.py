"""Work that takes much memory is done a little at a time, in order, and nobody waits for ever."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from messenger_api.domain.errors import TryLater
from messenger_api.services.people.turns import RETRY_AFTER, Turns


def test_no_more_than_two_and_no_more_memory_than_there_is() -> None:
    turns, lock = Turns(2, 100, 30), threading.Lock()
    held: list[int] = []
    most = []

    def work(memory: int) -> None:
        with turns.turn(memory):
            with lock:
                held.append(memory)
                most.append((len(held), sum(held)))
            time.sleep(0.01)
            with lock:
                held.remove(memory)

    with ThreadPoolExecutor(12) as threads:
        list(threads.map(work, [10, 60, 50, 10, 100, 40, 20, 90, 10, 10, 70, 30]))

    assert len(most) == 12
    assert max(number for number, _ in most) == 2
    assert max(memory for _, memory in most) <= 100


def test_who_waits_too_long_is_told_to_come_again() -> None:
    turns = Turns(1, 100, 0.05)

    with turns.turn(10), pytest.raises(TryLater) as refusal, turns.turn(10):
        pass

    assert refusal.value.retry_after == RETRY_AFTER
    with turns.turn(10):  # the one that gave up left nothing behind
        pass


def test_large_work_waits_for_the_small_and_is_not_passed_by() -> None:
    turns, order = Turns(2, 100, 30), []
    first = threading.Event()

    def work(name: str, memory: int) -> None:
        with turns.turn(memory):
            order.append(name)
            if name == "first":
                first.wait(30)

    with ThreadPoolExecutor(3) as threads:
        for name, memory in (("first", 50), ("large", 100), ("small", 10)):
            threads.submit(work, name, memory)
            time.sleep(0.2)
        assert order == ["first"]
        first.set()

    assert order == ["first", "large", "small"]


def test_what_is_larger_than_all_there_is_is_done_alone() -> None:
    with Turns(2, 100, 0.05).turn(1_000):
        pass


def test_a_fault_gives_the_turn_back() -> None:
    turns = Turns(1, 100, 0.05)

    with pytest.raises(ZeroDivisionError), turns.turn(10):
        raise ZeroDivisionError
    with turns.turn(10):
        pass

"""The order of providers follows their health; no network, and a clock of the test's own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from messenger_api.gateways.sms.health import FIRST_PAUSE, LONGEST_PAUSE, Health

NAMES = ("a", "b", "c")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health(clock)


def order(health: Health) -> str:
    """The whole order; a provider whose pause is over is thereby probed."""
    return "".join(health.order(NAMES))


def first(health: Health) -> str:
    return next(health.order(NAMES))


def test_the_configured_order_holds_while_all_are_well(health: Health) -> None:
    assert order(health) == "abc"


def test_a_provider_that_failed_goes_to_the_end_for_half_a_minute(health: Health, clock: Clock) -> None:
    health.failed("a")
    clock.now += FIRST_PAUSE - 0.1
    assert order(health) == "bca"
    clock.now += 0.2
    assert first(health) == "a"


def test_those_that_failed_keep_their_order_among_each_other(health: Health) -> None:
    health.failed("b")
    health.failed("a")
    assert order(health) == "cab"
    health.failed("c")
    assert order(health) == "abc"


def test_one_message_probes_and_the_others_pass_by_until_it_is_answered(health: Health, clock: Clock) -> None:
    health.failed("a")
    clock.now += FIRST_PAUSE
    assert first(health) == "a"
    assert [first(health), first(health)] == ["b", "b"]
    health.succeeded("a")
    assert [first(health), first(health)] == ["a", "a"]


def test_of_many_messages_at_the_same_moment_one_probes(health: Health, clock: Clock) -> None:
    health.failed("a")
    clock.now += FIRST_PAUSE
    with ThreadPoolExecutor(20) as pool:
        firsts = list(pool.map(lambda _: first(health), range(200)))
    assert firsts.count("a") == 1


def test_a_provider_that_is_not_reached_is_not_probed(health: Health, clock: Clock) -> None:
    health.failed("b")
    clock.now += FIRST_PAUSE
    assert first(health) == "a"
    assert order(health) == "abc"


def test_a_probe_that_fails_doubles_the_pause_up_to_five_minutes(health: Health, clock: Clock) -> None:
    health.failed("a")
    pauses = []
    for _ in range(6):
        failed_at = clock.now
        while first(health) != "a":
            clock.now += 1
        pauses.append(clock.now - failed_at)
        health.failed("a")
    assert pauses == [FIRST_PAUSE, 60, 120, 240, LONGEST_PAUSE, LONGEST_PAUSE]


def test_many_failures_at_the_same_moment_are_one_illness(health: Health, clock: Clock) -> None:
    for _ in range(50):
        health.failed("a")
    clock.now += FIRST_PAUSE
    assert first(health) == "a"


def test_a_recovery_ends_the_doubling(health: Health, clock: Clock) -> None:
    health.failed("a")
    clock.now += FIRST_PAUSE
    assert first(health) == "a"
    health.failed("a")
    health.succeeded("a")
    health.failed("a")
    clock.now += FIRST_PAUSE
    assert first(health) == "a"


def test_a_success_at_the_end_of_the_order_brings_it_back_at_once(health: Health) -> None:
    for name in NAMES:
        health.failed(name)
    health.succeeded("c")
    assert order(health) == "cab"


def test_a_probe_that_nobody_answers_is_made_again_after_another_pause(health: Health, clock: Clock) -> None:
    health.failed("a")
    clock.now += FIRST_PAUSE
    assert first(health) == "a"
    clock.now += FIRST_PAUSE
    assert [first(health), first(health)] == ["a", "b"]

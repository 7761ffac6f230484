"""Tries to log in from one network: counted in this process, or in a Redis for all of them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from messenger_api.services.login import rates
from messenger_api.settings import SettingsError
from tests.processes import LOOPBACK, free_port, wait_for
from tests.product import APPID, Product
from tests.stopwatch import Stopwatch
from tests.trust.redis_server import Redis

TRIES, HOUR = 5, 3600
HERE, THERE = "203.0.113.7", "198.51.100.7"

Make = Callable[..., Product]


@pytest.fixture
def redis() -> Iterator[Redis]:
    with Redis() as server:
        yield server


def log_in(product: Product, address: str = HERE) -> Any:
    form = {"op": "login", "phone": "14155550101", "appid": APPID, "otp": "123456"}
    return product.app.test_client().post("/api.php", data=form, environ_base={"REMOTE_ADDR": address})


def errors(product: Product, count: int, address: str = HERE) -> list[str]:
    return [log_in(product, address).get_json()["error"] for _ in range(count)]


def in_turn(products: list[Product], count: int) -> list[str]:
    return [errors(products[n % len(products)], 1)[0] for n in range(count)]


JUST = ["BADCODE"] * TRIES + ["TOOMANY"]


def test_one_network_has_so_many_tries_an_hour_and_another_its_own(paying: Make) -> None:
    product = paying(login_tries_per_ip_hour=TRIES)
    assert errors(product, TRIES + 1) == JUST
    refused = log_in(product)
    fields = refused.get_json()
    assert (fields["error"], bool(fields["errmsg"])) == ("TOOMANY", True)
    assert HOUR - 10 < fields["retry_after"] <= HOUR
    assert refused.headers["Retry-After"] == str(fields["retry_after"])
    assert errors(product, TRIES + 1, THERE) == JUST


@pytest.mark.parametrize(
    ("settings", "refused"),
    [
        ({"limits": "off"}, False),
        ({"limits": "track"}, False),
        ({"limit_modes": {"login_tries_per_ip": "track"}}, False),
        ({"limits": "track", "limit_modes": {"login_tries_per_ip": "enforce"}}, True),
    ],
)
def test_its_mode_is_the_limits(paying: Make, settings: dict[str, object], refused: bool) -> None:
    product = paying(login_tries_per_ip_hour=TRIES, log_level="info", **settings)
    with capture_logs() as log:
        assert errors(product, TRIES + 1) == (JUST if refused else ["BADCODE"] * (TRIES + 1))
    reached = [entry for entry in log if entry["event"] == "limit.reached"]
    assert bool(reached) == (settings.get("limits") != "off")
    assert HERE not in repr(log)


@pytest.mark.server
def test_with_redis_all_processes_count_together(paying: Make, redis: Redis) -> None:
    products = [paying(login_tries_per_ip_hour=TRIES, redis_url=redis.url) for _ in range(2)]
    assert in_turn(products, TRIES + 1) == JUST
    for product in products:
        fields = log_in(product).get_json()
        assert HOUR - 10 < fields["retry_after"] <= HOUR
        assert errors(product, 1, THERE) == ["BADCODE"]


def test_without_it_each_counts_for_itself(paying: Make) -> None:
    products = [paying(login_tries_per_ip_hour=TRIES) for _ in range(2)]
    assert in_turn(products, 2 * TRIES) == ["BADCODE"] * 2 * TRIES
    assert in_turn(products, 2) == ["TOOMANY"] * 2


@pytest.mark.server
@pytest.mark.parametrize("way", ["kill", "freeze"])
def test_when_redis_goes_logins_go_on_and_when_it_is_back_they_count_together(
    paying: Make, redis: Redis, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(rates, "AWAY_SECONDS", 1.0)
    products = [paying(login_tries_per_ip_hour=TRIES, redis_url=redis.url) for _ in range(2)]
    assert in_turn(products, 2) == ["BADCODE"] * 2
    redis.kill() if way == "kill" else redis.freeze()
    with capture_logs() as log:
        watch = Stopwatch()
        assert in_turn(products, 2 * TRIES) == ["BADCODE"] * 2 * TRIES
        assert watch.quiet_seconds < 3
        assert in_turn(products, 2) == ["TOOMANY"] * 2
        time.sleep(1.2)
        assert in_turn(products, 2) == ["TOOMANY"] * 2
    told = [entry for entry in log if entry["event"] == "limit.redis_failed"]
    assert len(told) == len(products)
    assert {entry["log_level"] for entry in told} == {"error"}
    redis.start() if way == "kill" else redis.freeze(False)
    time.sleep(1.2)
    evaluated = in_turn(products, TRIES + 1).count("BADCODE")
    # Killed, it has forgotten; frozen, it has what it had counted, and counts what it was asked meanwhile.
    assert evaluated == TRIES if way == "kill" else evaluated <= TRIES - 2
    wait_for(lambda: errors(products[0], 1) == errors(products[1], 1) == ["TOOMANY"], 3, "a shared count")


def test_a_wrong_address_of_redis_stops_nobody(paying: Make) -> None:
    product = paying(login_tries_per_ip_hour=TRIES, redis_url=f"redis://{LOOPBACK}:{free_port()}/0")
    with capture_logs() as log:
        assert errors(product, TRIES + 1) == JUST
    assert len([entry for entry in log if entry["event"] == "limit.redis_failed"]) == 1


def test_without_the_library_the_operator_is_told_what_to_install(
    paying: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(SettingsError, match=r"REDIS_URL.*\.\[redis\]"):
        paying(redis_url="redis://127.0.0.1:1/0")

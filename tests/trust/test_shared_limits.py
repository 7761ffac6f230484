"""What many share is no lever for one: ranges of numbers, countries, the whole site, the money of a day."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from messenger_api.domain.limits import Bucket, Window
from messenger_api.services.limits import Claim
from tests.product import APPID, Product
from tests.trust.conftest import PAID
from tests.trust.network import Network

Make = Callable[..., Product]
HOUR, DAY = 3_600, 86_400
GRACE = 121
ONE, TEN = ["203.0.113.1"], [f"203.0.113.{n}" for n in range(1, 11)]
SITE = [f"2001:db8:7:{n:x}::1" for n in range(14)]
MANY = [f"192.0.{n // 200}.{n % 200}" for n in range(100)]
HONEST, OTHER = "198.51.100.9", "198.51.100.200"


class World:
    """People and attackers, who call from any address."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.clock = product.clock

    def call(self, number: str, address: str, **fields: str) -> Any:
        form = {"op": "login", "phone": number, "appid": APPID, **fields}
        http = self.product.app.test_client()
        return http.post("/api.php", data=form, environ_base={"REMOTE_ADDR": address}).get_json()

    def gets(self, number: str, address: str) -> bool:
        """Ask; whether a text came."""
        before = len(Network.texts)
        answer = self.call(number, address)
        sent = len(Network.texts) == before + 1
        assert (answer["result"] == "OK") == sent, answer
        return sent

    def logs_in(self, number: str, address: str) -> None:
        assert self.gets(number, address)
        assert self.call(number, address, otp=Network.code(number))["result"] == "OK"

    def flood(self, addresses: list[str], number: Callable[[int], str], each: int = 10) -> int:
        """Every network asks so often, in turn, for numbers that nobody enters; the texts that left."""
        return sum(self.gets(number(n), addresses[n % len(addresses)]) for n in range(each * len(addresses)))


@pytest.fixture
def world(make_product: Make) -> World:
    return make_world(make_product)


def make_world(make_product: Make, **settings: object) -> World:
    Network.reset()
    return World(make_product(**{**PAID, **settings}))


def in_range(n: int) -> str:
    return f"91987654{n:04d}"


def in_country(n: int) -> str:
    return f"9198{n % 1000:03d}{n:05d}"


def in_the_world(n: int) -> str:
    return (in_country(n), f"49151{n:03d}45678", f"1415{200 + n % 700}0101")[n % 3]


AIMS = {"range": in_range, "country": in_country, "site": in_the_world}
WHO = {"one address": ONE, "two": TEN[:2], "ten": TEN, "14 of one /48": SITE}


# --- Few networks keep nobody out


@pytest.mark.parametrize("aim", AIMS)
@pytest.mark.parametrize("who", WHO)
def test_few_networks_keep_nobody_else_out(world: World, who: str, aim: str) -> None:
    """At once, after the grace, and in any of the hours that follow; for ten newcomers of ten networks."""
    world.flood(WHO[who], AIMS[aim])
    for hour, wait in enumerate((0, GRACE, HOUR, HOUR, HOUR)):
        world.clock.advance(wait)
        if hour > 1:
            world.flood(WHO[who], AIMS[aim], each=1)
        for n in range(2):
            assert world.gets(AIMS[aim](500 + 10 * hour + n), f"198.51.{hour}.{n}"), (hour, n)


def test_colleagues_of_one_number_block_all_get_their_codes(world: World) -> None:
    """Within a second: ten on one network, fifteen on others."""
    assert all(world.gets(in_range(n), HONEST) for n in range(10))
    assert all(world.gets(in_range(10 + n), f"198.51.101.{n}") for n in range(15))


def test_a_range_is_paused_by_many_networks_that_had_time_to_enter_their_codes(world: World) -> None:
    assert all(world.gets(in_range(n), MANY[n]) for n in range(20))
    world.clock.advance(119)
    assert world.gets(in_range(20), MANY[20])
    world.clock.advance(2)
    assert [world.gets(in_range(21 + n), MANY[21 + n]) for n in range(3)] == [True, False, False]
    world.clock.advance(6 * HOUR + 360)
    world.logs_in(in_range(30), MANY[30])
    assert world.gets(in_range(31), MANY[31])  # a code was entered: the next one goes at once


def test_a_48_is_one_voice_and_three_networks(world: World) -> None:
    sent = world.flood([f"2001:db8:7:{n:x}::1" for n in range(40)], in_the_world, each=2)
    assert sent == 30
    world.clock.advance(GRACE)
    assert world.gets(in_country(600), "2001:db8:8::1")


@pytest.mark.parametrize("networks", [TEN[:2], TEN, SITE])
def test_a_country_is_not_paused_by_few(world: World, networks: list[str]) -> None:
    for _ in range(3):
        world.flood(networks, in_country)
        world.clock.advance(GRACE)
    assert 'messenger_sms_country_paused{country="IN"} 0.0' in world.product.http.get("/metrics").text
    assert world.gets(in_country(700), HONEST)


# --- A network whose codes are not entered


def test_a_network_whose_codes_nobody_enters_gets_one_in_six_hours_until_one_is_entered(world: World) -> None:
    assert world.flood(ONE, in_country) == 10
    world.clock.advance(HOUR + 61)
    assert [world.gets(in_country(20 + n), ONE[0]) for n in range(2)] == [True, False]
    wait = world.call(in_country(22), ONE[0])["retry_after"]
    assert 5.9 * HOUR <= wait <= 6.2 * HOUR
    world.clock.advance(wait)
    world.logs_in(in_country(23), ONE[0])
    assert world.gets(in_country(24), ONE[0])


def test_codes_that_are_entered_make_room_for_others_on_their_network(world: World) -> None:
    """Thirty people behind one address within an hour, as long as they enter their codes."""
    for n in range(29):
        world.logs_in(in_country(n), HONEST)
    assert world.gets(in_country(29), HONEST)
    assert not world.gets(in_country(30), HONEST)


# --- Where somebody lately logged in


FULL: dict[str, dict[str, object]] = {
    "range": {"sms_per_prefix_hour": 20},
    "country": {"sms_per_country_burst": 20, "sms_per_country_minute": 0.01},
    "site": {"sms_per_hour": 20},
    "budget": {"sms_budget_day": 1.0},
    "paused": {"sms_pause_sent": 10, "sms_range_pause_sent": 10},
}


@pytest.mark.parametrize("what", FULL)
def test_known_networks_are_served_when_strangers_have_used_up_their_share(
    make_product: Make, what: str
) -> None:
    world = make_world(make_product, **FULL[what])
    member, new = in_range(9000), in_range(9001)
    world.logs_in(member, HONEST)
    world.clock.advance(DAY - world.clock() % DAY + 60)
    for n in range(40):
        world.gets(in_range(n), MANY[n])
    world.clock.advance(GRACE)
    world.gets(in_range(60), MANY[60])
    # Of strangers, nobody: whether or not there is an account.
    refusals = [world.call(number, OTHER) for number in (member, new)]
    assert {answer["error"] for answer in refusals} == {"TOOMANY"}
    assert refusals[0].keys() == refusals[1].keys()
    assert abs(refusals[0]["retry_after"] - refusals[1]["retry_after"]) <= 1
    assert refusals[0]["errmsg"] == refusals[1]["errmsg"]
    # Where the member logged in: the member, and the next who comes.
    assert world.gets(new, HONEST)
    assert world.gets(member, HONEST)


def test_what_is_known_of_a_network_is_forgotten_after_thirty_days_and_half_a_day(world: World) -> None:
    world.logs_in(in_range(0), HONEST)
    rows = world.product.rows("SELECT name, expires_at FROM limit_counters")
    known = [until for name, until in rows if name.startswith("known_network:")]
    assert len(known) == 2
    assert all(30 * DAY <= until - world.clock() <= 30.5 * DAY for until in known)
    assert not [name for name, _until in rows if "198.51" in name]


def test_one_log_in_of_his_own_on_each_network_is_no_lever(world: World) -> None:
    for n, address in enumerate(TEN):
        world.logs_in(in_country(800 + n), address)
    world.clock.advance(HOUR + 61)
    world.flood(TEN, in_range)
    world.flood(TEN, in_country)
    assert all(world.gets(in_range(600 + n), f"198.51.1.{n}") for n in range(5))
    assert all(world.gets(in_the_world(900 + n), f"198.51.2.{n}") for n in range(5))


def test_nobody_uses_up_the_codes_of_a_number_where_its_owner_logged_in(world: World) -> None:
    victim = in_range(0)
    world.logs_in(victim, HONEST)
    for address in TEN:
        for _ in range(3):
            world.gets(victim, address)
            world.clock.advance(601)
    assert not world.gets(victim, OTHER)
    if not world.gets(victim, HONEST):  # a text left a moment ago
        world.clock.advance(30)
        assert world.gets(victim, HONEST)


# --- A clock that is put back


@pytest.mark.parametrize("seconds", [120, HOUR, DAY])
def test_a_window_is_not_bound_by_times_from_the_future(seconds: int) -> None:
    rule, now = Window(3, HOUR), 1_795_225_307.0
    state = ""
    for _ in range(3):
        state = rule.take(state, now + seconds).state
    assert rule.take(state, now + seconds).wait
    assert not rule.take(state, now).wait
    assert rule.count(state, now) == 0


def test_a_country_is_not_bound_by_them_either(product: Product) -> None:
    limits, claim = product.services.limits, Claim("sms_per_country", "IN", Bucket(3, 60))
    for _ in range(3):
        limits.take([claim])
    product.clock.advance(-HOUR)
    for _ in range(3):
        limits.take([claim])


# --- The grace


@pytest.mark.parametrize("window", [HOUR, DAY, 7 * DAY])
@pytest.mark.parametrize("grace", [1, 120, 600])
def test_what_is_younger_than_the_grace_is_left_out_to_the_second(window: int, grace: int) -> None:
    """Whatever the span of a window's slots, and however much comes within the grace."""
    rule, start, state = Window(1e9, window, apart=600), 1_795_225_307.0, ""
    for n in range(20):
        state = rule.take(state, start + 30 * n).state
    for after in range(0, 1300, 7):
        now = start + 570 + after
        old = sum(start + 30 * n <= now - grace for n in range(20))
        assert abs(rule.count(state, now, but_last=grace) - old) <= (now - grace < start + 30 * 20)
        assert rule.count(state, now) == 20
    busy = ""
    for n in range(3000):
        busy = rule.take(busy, start + n / 2).state
        assert len(busy) < 2048
    counted = rule.count(busy, start + 1500, but_last=grace)
    assert 3000 - 2 * grace - 66 <= counted <= 3000 - 2 * grace + 2

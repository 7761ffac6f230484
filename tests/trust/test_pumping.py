"""A day of SMS pumping: swindlers ask for codes to numbers that they earn on, from many addresses."""

from __future__ import annotations

import datetime as dt
import heapq
import random
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import phonenumbers
import pytest

from messenger_api.domain.errors import ApiError
from messenger_api.domain.phone import read
from messenger_api.services.otp.requests import CodeRequest, Device
from tests.product import APPID, Product
from tests.trust.network import Network

DAY, HOUR = 86_400, 3_600
# The day of the clock is a day of the budget, so that every run is the same.
MIDNIGHT = dt.datetime(2027, 3, 1, tzinfo=dt.UTC).timestamp()
REQUESTS, ADDRESSES, HONEST = 20_000, 500, 300
HOME = ("IN", "US", "DE")
ABROAD = (
    "LK", "PK", "BD", "ID", "PH", "VN", "TH", "MY", "UZ", "KG", "TJ", "AZ", "GE", "AM", "KZ", "RU", "UA",
    "BY", "EG", "DZ", "TN", "MA", "NG", "KE", "GH", "SN", "ML", "CU", "HT", "BO", "PE", "EC", "CO", "VE",
    "IQ", "YE", "SO",
)  # fmt: skip
RANGES = 2


@dataclass
class Day:
    """What happened: when each text left and to whom, and who got in."""

    sent: list[tuple[float, str, str]] = field(default_factory=list)
    honest: int = 0
    came_in: int = 0
    waits: list[float] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)


def a_number(country: str, chance: random.Random) -> str:
    """A mobile number of the country, in a range of its own."""
    example = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    assert example
    digits = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164).lstrip("+")
    while True:
        number = digits[:-6] + f"{chance.randrange(10**6):06d}"
        phone = read(number)
        if phone and phone.region == country:
            return number


def play(product: Product, requests: int = REQUESTS) -> Day:
    """Attackers and honest users through a day, in the order in which they come."""
    chance, day, start = random.Random(20_260_101), Day(), MIDNIGHT
    ranges = [a_number(c, chance)[:-4] for c in (*HOME, *ABROAD) for _ in range(RANGES)]
    events: list[tuple[float, int, str, str, str]] = []
    for n in range(requests):
        number = chance.choice(ranges) + f"{chance.randrange(10_000):04d}"
        address = f"203.0.{chance.randrange(ADDRESSES) // 250}.{chance.randrange(250)}"
        events.append((chance.uniform(0, DAY), n, "attack", number, address))
    for n in range(HONEST):
        number, address = a_number(chance.choice(HOME), chance), f"198.51.{n // 250}.{n % 250}"
        events.append((chance.uniform(0, DAY), REQUESTS + n, "ask", number, address))
    heapq.heapify(events)
    asked_first: dict[str, float] = {}
    while events:
        at, n, what, number, address = heapq.heappop(events)
        product.clock.offset += start + at - product.clock()
        if what == "enter":
            enter(product, day, number, address)
            continue
        wait = ask(product, day, number, address)
        if what == "ask":
            asked_first.setdefault(number, at)
            if wait is None:
                day.waits.append(at - asked_first[number])
                if chance.random() < 0.9:
                    heapq.heappush(events, (at + chance.uniform(8, 60), n, "enter", number, address))
            elif wait < DAY:  # until then the app says when to try again
                heapq.heappush(events, (at + wait, n, "ask", number, address))
    day.honest = HONEST
    return day


def ask(product: Product, day: Day, number: str, address: str) -> float | None:
    """Ask for a code; None when it was sent, else the seconds to wait (a day when that is of no use)."""
    before = len(Network.texts)
    try:
        product.services.login.request_code(number, "", CodeRequest(network=address))
    except ApiError as error:
        day.refused[error.code] += 1
        assert len(Network.texts) == before
        return error.retry_after or DAY
    day.sent.append((product.clock(), number, address))
    return None


def enter(product: Product, day: Day, number: str, address: str) -> None:
    code = Network.code(number)
    product.services.accounts.login(number, code, Device(APPID, network=address))
    day.came_in += 1


def most_within(times: list[float], seconds: float) -> int:
    """The largest number of events in any stretch of so many seconds."""
    times = sorted(times)
    return max((i + 1 - bisect_left(times, t - seconds + 1e-6) for i, t in enumerate(times)), default=0)


@pytest.fixture(scope="module")
def a_day() -> dict[str, Day]:
    """The day is played once; each test looks at one side of it."""
    return {}


@pytest.fixture
def day(a_day: dict[str, Day], paying: Callable[..., Product]) -> Day:
    if not a_day:
        a_day["played"] = play(paying())
    return a_day["played"]


def check_caps(day: Day) -> None:
    """No text beyond any of the caps, in any stretch of time."""
    times = [at for at, *_ in day.sent]
    assert most_within(times, HOUR) <= 100
    assert sum(at < MIDNIGHT + DAY for at in times) * 0.05 <= 25.0
    for by, most, seconds in [
        (lambda number, _address: number, 5, HOUR),
        (lambda number, _address: number, 10, DAY),
        (lambda _number, address: address, 10, HOUR),
        (lambda number, _address: number[:-4], 30, HOUR),
    ]:
        for who, when in grouped(day, by).items():
            assert most_within(when, seconds) <= most, who
    for country, when in grouped(day, lambda number, _address: str(read(number).region)).items():  # type: ignore[union-attr]
        assert most_within(when, 60) <= 51, country
        assert most_within(when, HOUR) <= 110, country


def grouped(day: Day, key: Callable[[str, str], str]) -> dict[str, list[float]]:
    groups: dict[str, list[float]] = defaultdict(list)
    for at, number, address in day.sent:
        groups[key(number, address)].append(at)
    return groups


def test_texts_never_exceed_the_caps(day: Day) -> None:
    check_caps(day)
    attack = len(day.sent) - len(day.waits)
    print(f"\n{REQUESTS} requests for money: {attack} texts; refused: {dict(day.refused)}")
    assert attack < REQUESTS / 100


def test_nor_where_the_operator_allows_every_country(paying: Callable[..., Product]) -> None:
    """The caps hold; but swindlers then use up the money of the day, and honest users wait for the next."""
    day = play(paying(sms_countries="*"), REQUESTS // 4)
    check_caps(day)
    attack = len(day.sent) - len(day.waits)
    print(f"\nevery country allowed, {REQUESTS // 4} requests: {attack} texts, {len(day.waits)} honest ones")


def test_honest_users_get_their_codes_the_same_day(day: Day) -> None:
    sent, waited = len(day.waits), [wait for wait in day.waits if wait]
    print(f"\nof {day.honest} honest users {sent} got a code, {day.came_in} came in, {len(waited)} waited")
    print(f"the longest waits, in minutes: {[round(wait / 60) for wait in sorted(waited)[-5:]]}")
    assert sent == HONEST
    assert day.came_in > 0.85 * HONEST
    assert len(waited) < 0.05 * HONEST

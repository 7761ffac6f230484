"""Twelve hours in which attackers ask for codes that nobody enters, while honest people log in.

Everybody acts at the second that suits him: whoever is refused comes back exactly when he was told to. The
attackers know the rules. Those who come "at once" take all that they get as soon as they get it; the patient
log in once with numbers of their own, and then ask once an hour on each network, to look like newcomers.
"""

from __future__ import annotations

import datetime as dt
import functools
import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass

from messenger_api.domain.errors import ApiError
from messenger_api.services.otp.requests import CodeRequest, Device
from tests.product import APPID, Product
from tests.trust.network import Network

HOUR = 3_600
START = dt.datetime(2027, 3, 2, tzinfo=dt.UTC).timestamp()
END = START + 12 * HOUR
PEOPLE, MEMBERS = 240, 120
# Longer than this is "kept out".
PATIENCE = 120
PRICE = 0.05
RANGE, VICTIM, HOME = "91987654", "919876549999", "192.0.2.250"


@dataclass(frozen=True)
class Case:
    """So many networks of one form aim at one thing, in one manner."""

    networks: int
    form: str
    aim: str
    manner: str

    def addresses(self) -> list[str]:
        """The networks, as limits count them."""
        if self.form == "/64s of one /48":
            return [f"2001:db8:7:{n:x}::" for n in range(self.networks)]
        return [f"203.0.113.{n}" for n in range(self.networks)]


@dataclass
class Person:
    """Somebody honest who wants to log in; `served_at` is when a code was there."""

    number: str
    address: str
    came_at: float
    aimed_at: bool = False
    beside: bool = False
    served_at: float = 0.0

    @property
    def wait(self) -> float:
        """Seconds; until the end for one who got none."""
        return (self.served_at or END) - self.came_at


class Siege:
    """The clock, the people and the attackers of one case."""

    def __init__(self, product: Product, case: Case) -> None:
        self.case = case
        self.now = START
        self.people: list[Person] = []
        self.bad_texts = 0
        self._accounts, self._login = product.services.accounts, product.services.login
        product.services.database.clock = lambda: self.now
        self._chance = random.Random(str(case))
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._texted: dict[str, float] = {}

    def play(self) -> Siege:
        """All twelve hours."""
        addresses = self.case.addresses()
        self._invite(addresses)
        for n, address in enumerate(addresses):
            self._attack(n, address)
        while self._events and self._events[0][0] < END:
            self.now, _order, act = heapq.heappop(self._events)
            act()
        return self

    def _at(self, when: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._events, (when, next(self._order), act))

    def _ask(self, number: str, address: str) -> int:
        """Ask for a code; the seconds to wait, 0 when it was sent."""
        try:
            self._login.request_code(number, "", CodeRequest(network=address))
        except ApiError as error:
            return error.retry_after or HOUR
        self._texted[number] = self.now
        return 0

    def _enter(self, number: str, address: str) -> None:
        self._accounts.login(number, Network.code(number), Device(APPID, network=address))

    # Honest people

    def _invite(self, theirs: list[str]) -> None:
        """Half come from where they logged in, a fifth are members elsewhere, the others are new."""
        chance = self._chance
        for n in range(PEOPLE):
            home = n % 2 == 0
            there = f"{RANGE}{9500 + n}" if n % 10 == 1 and self.case.aim == "range" else a_number(chance)
            number = member(n // 2) if home else there
            address = home_of(n // 2) if home else f"198.51.{n // 250}.{n % 250}"
            if self.case.form == "shared addresses" and n % 20 < 2:
                address = theirs[n // 20 % len(theirs)]
                if home:
                    self._logged_in(number, address, START - 1.5 * HOUR + 10 * n)
            when = START + chance.uniform(0, 12 * HOUR - 600)
            one = Person(number, address, when, beside=address in theirs)
            one.aimed_at = self._is_aimed_at(number)
            self._come(one)
        if self.case.aim == "victim":
            for n in range(6):
                address = HOME if n % 2 else f"198.51.200.{n}"
                self._come(Person(VICTIM, address, START + (1 + 2 * n) * HOUR - 61, aimed_at=True))

    def _is_aimed_at(self, number: str) -> bool:
        aims = {"range": RANGE, "country": "91", "site": "", "victim": VICTIM}
        return number.startswith(aims[self.case.aim])

    def _logged_in(self, number: str, address: str, when: float) -> None:
        """A member has logged in here before."""
        self.now = when
        assert not self._ask(number, address)
        self._enter(number, address)
        self.now = START

    def _come(self, one: Person) -> None:
        self.people.append(one)
        self._at(one.came_at, lambda: self._try(one))

    def _try(self, one: Person) -> None:
        wait = self._ask(one.number, one.address)
        if wait and self._texted.get(one.number, 0) < self.now - 240:
            self._at(self.now + wait, lambda: self._try(one))
            return
        # A code that somebody else asked for is as good.
        one.served_at = self.now
        if self._chance.random() < 0.9:
            self._at(self.now + self._chance.uniform(8, 50), lambda: self._enter(one.number, one.address))

    # Attackers

    def _attack(self, n: int, address: str) -> None:
        patient = self.case.manner == "patient"

        def begin() -> None:
            own = f"4917{n:04d}12345"
            if not self._ask(own, address):
                self._enter(own, address)
                self.bad_texts += 1
            self._at(self.now + 1, go_on)

        def go_on() -> None:
            wait = self._ask(self._wanted(), address)
            self.bad_texts += not wait
            self._at(self.now + (wait or (HOUR + 61 if patient else 1)), go_on)

        self._at(START + n * 0.01, begin if patient else go_on)

    def _wanted(self) -> str:
        if self.case.aim == "victim":
            return VICTIM
        if self.case.aim == "range":
            return f"{RANGE}{self._chance.randrange(9000):04d}"
        return a_number(self._chance, "IN" if self.case.aim == "country" else "")

    # What came of it

    def row(self) -> str:
        """A row of the table in docs/security.md."""
        others = [one for one in self.people if not one.beside]
        aimed = [one for one in others if one.aimed_at]
        beside = [one for one in self.people if one.beside]
        longest = max(one.wait for one in others) / 60
        cells = [self.case.networks, self.case.form, self.case.aim]
        cells += [_kept_out(group) for group in (others, aimed, beside)]
        cells += [f"{longest:.0f} min", f"{self.bad_texts} texts, {self.bad_texts * PRICE:.2f}"]
        return f"| {' | '.join(map(str, cells))} |"

    @property
    def kept_out(self) -> float:
        """The share of honest people, those on the attackers' own addresses left out, who wait too long."""
        others = [one for one in self.people if not one.beside]
        return sum(one.wait > PATIENCE for one in others) / len(others)


def _kept_out(people: list[Person]) -> str:
    return f"{sum(one.wait > PATIENCE for one in people)} of {len(people)}" if people else "-"


def a_number(chance: random.Random, country: str = "") -> str:
    """A mobile number, in any range."""
    country = country or chance.choice(("IN", "US", "DE"))
    if country == "IN":
        return f"919{chance.randrange(10**9):09d}"
    if country == "US":
        return f"1415{chance.randrange(200, 999)}{chance.randrange(10**4):04d}"
    return f"49151{chance.randrange(10**8):08d}"


def member(n: int) -> str:
    """The number of a member; one in five is in the range that may be aimed at."""
    return f"{RANGE}{9000 + n}" if n % 5 == 0 else a_number(random.Random(n))


def home_of(n: int) -> str:
    """Where this member logged in."""
    return f"192.0.2.{n}"


def log_members_in(product: Product) -> None:
    """All members, and the one whom attackers know by name, some hours before."""
    people = [(member(n), home_of(n)) for n in range(MEMBERS)]
    for n, (number, address) in enumerate([*people, (VICTIM, HOME)]):
        product.services.database.clock = functools.partial(float, START - 6 * HOUR + 130 * n)
        product.services.login.request_code(number, "", CodeRequest(network=address))
        product.services.accounts.login(number, Network.code(number), Device(APPID, network=address))

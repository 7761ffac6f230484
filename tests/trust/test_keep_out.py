"""Somebody keeps guessing at a number: he gets nowhere, and its owner gets in."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import msgspec
import pytest

from messenger_api.domain.errors import ApiError, TooMany
from messenger_api.services.otp.requests import CodeRequest, Device
from tests.product import APPID, Product
from tests.trust.network import Network

VICTIM = "14155550101"
DAY, HOUR = 86_400, 3_600
# How long a text takes to arrive and to be typed in.
READING = 25


@dataclass
class Siege:
    """What a day of guessing came to."""

    guesses: int = 0
    refused: int = 0
    texts: int = 0


class Attacker:
    """Asks for codes and guesses at them, second by second, from as many networks as he has."""

    def __init__(self, product: Product, networks: int) -> None:
        self._product = product
        self._accounts, self._login = product.services.accounts, product.services.login
        self._networks = itertools.cycle([f"203.0.113.{n + 1}" for n in range(networks)])
        self.siege = Siege()

    def act(self) -> None:
        before = self._tries()
        self._ask()
        for _ in range(5):
            self._guess()
        self.siege.guesses += max(0, self._tries() - before)

    def _tries(self) -> int:
        """How many tries at the number were looked at and found wrong within a day."""
        rows = self._product.rows("SELECT slots FROM limit_counters WHERE name LIKE 'wrong_codes:%'")
        return sum(sum(msgspec.json.decode(slots, type=dict[int, int]).values()) for (slots,) in rows)

    def _ask(self) -> None:
        try:
            self._login.request_code(VICTIM, "", CodeRequest(network=next(self._networks)))
        except ApiError:
            self.siege.refused += 1
        else:
            self.siege.texts += 1

    def _guess(self) -> None:
        device = Device(APPID, network=next(self._networks))
        wrong = "000000" if not Network.texts or Network.code(VICTIM) != "000000" else "000001"
        with suppress(ApiError):
            self._accounts.login(VICTIM, wrong, device)


def the_owners_wait(product: Product, attacker: Attacker, step: int = 1, *, slip: bool = False) -> int:
    """Seconds until the owner, on a new phone, is in: he types in what comes, whoever asked for it."""
    began = product.clock()
    device = Device(APPID, network="198.51.100.7")
    typed = {Network.code(VICTIM)} if Network.texts else set()
    while product.clock() - began < DAY:
        attacker.act()
        with suppress(TooMany):
            product.services.login.request_code(VICTIM, "", CodeRequest(network=device.network))
        code = Network.code(VICTIM)
        if code not in typed:
            typed.add(code)
            for _ in range(READING // step):
                product.clock.advance(step)
                attacker.act()
            shown, slip = (f"{(int(code) + 1) % 10**6:06d}", False) if slip else (code, False)
            try:
                product.services.accounts.login(VICTIM, shown, device)
            except ApiError:
                typed.discard(code if shown != code else "")
                continue
            return int(product.clock() - began)
        product.clock.advance(step)
    raise AssertionError("kept out for a day")


@pytest.mark.parametrize("networks", [1, 4])
def test_an_attacker_who_keeps_guessing_does_not_keep_the_owner_out(
    paying: Callable[..., Product], networks: int
) -> None:
    product = paying()
    attacker = Attacker(product, networks)
    wait = the_owners_wait(product, attacker)
    print(f"\nfrom {networks} networks: the owner is in after {wait} s; {attacker.siege}")
    assert wait <= 60


def test_a_slip_of_the_finger_does_not_change_that(paying: Callable[..., Product]) -> None:
    product = paying()
    wait = the_owners_wait(product, Attacker(product, 1), slip=True)
    print(f"\nwith a slip: the owner is in after {wait} s")
    assert wait <= 120


def test_nor_after_hours_of_guessing(paying: Callable[..., Product]) -> None:
    """The number is slowed down by then: the owner waits for the next code, an hour at most."""
    product = paying()
    attacker = Attacker(product, 4)
    for _ in range(6 * HOUR // 10):
        attacker.act()
        product.clock.advance(10)
    assert attacker.siege.guesses >= 25
    wait = the_owners_wait(product, attacker, step=5)
    print(f"\nafter six hours: the owner is in after {wait} s; {attacker.siege}")
    assert wait <= HOUR + 60


def test_a_crowd_of_fifty_networks_is_worn_out(paying: Callable[..., Product]) -> None:
    """A network may guess without a pause twice a day: three kill a code at once, and fifty kill twenty."""
    product = paying()
    attacker = Attacker(product, 50)
    wait = the_owners_wait(product, attacker, step=5)
    print(f"\nfrom 50 networks: the owner is in after {wait} s; {attacker.siege}")
    assert wait <= 20 * HOUR


def test_guessing_for_a_day_is_hopeless(paying: Callable[..., Product]) -> None:
    """The number of guesses that are looked at, of the million that there are."""
    product = paying()
    attacker = Attacker(product, 50)
    for _ in range(DAY // 30):
        attacker.act()
        product.clock.advance(30)
    print(f"\na day of guessing from 50 networks: {attacker.siege}")
    assert attacker.siege.guesses <= 25 + 5 * 24

"""The screen of money and limits: caps and their forecast, pauses and ending them, refusals."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from messenger_api.domain.administrators import Role
from messenger_api.domain.errors import TooMany
from messenger_api.domain.figures import REFUSALS
from messenger_api.services.otp.requests import CodeRequest
from tests.console.driver import Admin, logged_in
from tests.console.test_screens import told
from tests.console.test_texts import grew, rows
from tests.product import Product
from tests.trust.network import Network

# From so many networks on a country or range is paused.
LEAST = 10


@pytest.fixture
def paying(make_product: Callable[..., Product]) -> Product:
    """A product whose texts cost money."""
    Network.reset()
    return make_product(
        sms_providers=["tests.trust.network.Network"],
        sms_countries=["DE"],
        sms_pause_sent=LEAST,
        sms_range_pause_sent=LEAST,
        sms_per_prefix_hour=100,
        sms_per_number_hour=100,
    )


def ask(product: Product, number: str, network: int) -> None:
    product.services.login.request_code(number, "", CodeRequest(network=f"203.0.113.{network}"))


def apart(product: Product, n: int) -> None:
    """A code for a number in a range of its own, asked for from a network of its own."""
    ask(product, f"491511{n:03d}0000", n)


def beside(product: Product, n: int) -> None:
    """The same in one range."""
    ask(product, f"491511123{n:04d}", n)


def pause(product: Product, asks: Callable[[Product, int], None]) -> None:
    """Have codes asked for that nobody enters, until they had the time to be."""
    for n in range(LEAST):
        asks(product, n)
    product.clock.advance(240)


def range_of(admin: Admin) -> str:
    """The pseudonym of the one range that the screen shows."""
    found = re.findall(r"/money/ranges/(\w+)/resume", admin.get("/money").text)
    assert len(found) == 1
    return str(found[0])


def test_the_pause_of_a_country_is_ended_for_a_reason_and_told(paying: Product) -> None:
    pause(paying, apart)
    with pytest.raises(TooMany):
        apart(paying, 50)
    ana = logged_in(paying)
    assert f"Of {LEAST} codes in the last hour 0 were entered." in ana.get("/money").text
    path = "/money/countries/DE/resume"
    assert "Give a reason" in ana.act(path, reason="").text
    with pytest.raises(TooMany):
        apart(paying, 50)
    page = ana.act(path, reason="a fair in Hanover").text
    assert "Texts go there again." in page
    assert "Country DE" not in page
    apart(paying, 50)
    what = {"what": "country", "subject": "DE", "old": "paused", "new": "open"}
    assert told(paying)[0] == ("TextsResumed", {**what, "reason": "a fair in Hanover"})
    assert "country DE" in ana.get("/audit").text
    assert "not there any more" in ana.act(path, reason="again").text
    assert len([row for row in told(paying) if row[0] == "TextsResumed"]) == 1


def test_the_pause_of_a_range_is_ended_for_a_reason_and_told(paying: Product) -> None:
    pause(paying, beside)
    beside(paying, 50)
    with pytest.raises(TooMany):
        beside(paying, 51)
    ana = logged_in(paying)
    name = range_of(ana)
    assert f"{LEAST + 1} networks asked" in ana.page
    page = ana.act(f"/money/ranges/{name}/resume", reason="a school").text
    assert "Texts go there again." in page
    assert name not in page
    beside(paying, 51)
    beside(paying, 52)
    what = {"what": "range", "subject": name, "old": "paused", "new": "open"}
    assert told(paying)[0] == ("TextsResumed", {**what, "reason": "a school"})
    assert "not there any more" in ana.act(f"/money/ranges/{name}/resume", reason="again").text


def test_whoever_only_looks_sees_pauses_and_has_no_form(paying: Product) -> None:
    pause(paying, apart)
    page = logged_in(paying, "bea", Role.SUPPORT).get("/money").text
    assert "Country DE" in page
    assert "/resume" not in page


def test_a_limit_that_is_only_tracked_pauses_nothing(make_product: Callable[..., Product]) -> None:
    Network.reset()
    network = {"sms_providers": ["tests.trust.network.Network"], "sms_countries": ["DE"]}
    product = make_product(**network, sms_pause_sent=LEAST, limit_modes={"sms_pause": "track"})
    pause(product, apart)
    assert "Country DE" not in logged_in(product).get("/money").text


def test_caps_stand_with_the_forecast_that_status_gives(paying: Product) -> None:
    paying.clock.advance(86_400 - paying.clock() % 86_400 + 43_200)
    apart(paying, 1)
    spent = paying.parts.console.spending.read()
    day = spent.caps[0]
    assert (day.period, day.spent, day.most) == ("day", 0.05, 25.0)
    assert day.forecast == pytest.approx(0.10, rel=0.01)
    assert not day.is_spent
    assert not day.ends_early
    page = logged_in(paying).get("/money").text
    assert "Spent this day, of 25.00 USD" in page
    assert "▲" not in page


def test_a_cap_that_will_not_last_is_marked_by_colour_and_by_words(
    make_product: Callable[..., Product],
) -> None:
    Network.reset()
    network = {"sms_providers": ["tests.trust.network.Network"], "sms_countries": ["DE"]}
    product = make_product(**network, sms_budget_day=0.10, sms_budget_month=100.0)
    product.clock.advance(86_400 - product.clock() % 86_400 + 30_000)
    apart(product, 1)
    ana = logged_in(product)
    assert "▲ too much" in ana.get("/money").text
    apart(product, 2)
    product.clock.advance(10)
    assert "▲ all" in ana.get("/money").text


def test_refusals_of_the_last_day_stand_by_limit(paying: Product) -> None:
    grew(paying, REFUSALS, "otp_per_number_hour,enforce", 3)
    grew(paying, REFUSALS, "otp_per_number_hour,track", 2)
    grew(paying, REFUSALS, "sms_per_hour,enforce", 7, hours_ago=5)
    grew(paying, REFUSALS, "sms_per_ip,enforce", 9, hours_ago=30)
    shown = rows(logged_in(paying).get("/money").text)
    assert shown[1:] == ["sms_per_hour 7 0", "otp_per_number_hour 3 2"]

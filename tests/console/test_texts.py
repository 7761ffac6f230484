"""The screen of texts: each provider in its place, with what was taken, what arrived, and what is marked."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from sqlalchemy import insert

from messenger_api.domain.figures import TEXT_RECEIPTS, TEXTS, Figure
from messenger_api.services.operator.providers import ProvidersSeen, Sendings
from messenger_api.storage.models import FigureRow
from tests.console.driver import logged_in
from tests.product import Product

TWO = {
    "sms_countries": ("GB", "IN"),
    "sms_providers": ("vonage", "twilio"),
    "vonage_api_key": "key",
    "vonage_api_secret": "secret",
    "vonage_from": "Example",
    "twilio_account_sid": "AC" + "0" * 32,
    "twilio_auth_token": "token",
    "twilio_from": "+14155550100",
}


@pytest.fixture
def product(make_product: Callable[..., Product]) -> Product:
    return make_product(**TWO)


def grew(product: Product, figure: Figure, labels: str, value: int, hours_ago: int = 1) -> None:
    """What processes would have counted so long ago."""
    second = product.services.database.now() - hours_ago * 3600
    row = {"name": figure.name, "labels": labels, "bucket": second - second % 300, "last_at": second}
    with product.services.database.engine.connect() as connection:
        connection.execute(insert(FigureRow), {**row, "value": value})


def rows(page: str) -> list[str]:
    """The rows of the page's tables as their text."""
    found = re.findall(r"<tr>(.*?)</tr>", page, re.S)
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in found]


def seen(product: Product, days: int = 1) -> ProvidersSeen:
    return product.parts.console.providers.of(days)


def test_each_provider_stands_in_its_place_with_its_share_and_what_arrived(product: Product) -> None:
    grew(product, TEXTS, "twilio,GB,sent", 60)
    grew(product, TEXTS, "twilio,IN,sent", 15)
    grew(product, TEXTS, "vonage,GB,sent", 25)
    grew(product, TEXTS, "gone,GB,unavailable", 2)
    grew(product, TEXT_RECEIPTS, "twilio,GB,delivered", 57)
    grew(product, TEXT_RECEIPTS, "twilio,GB,missing", 1)
    shown = rows(logged_in(product).get("/texts").text)
    assert "1 vonage 25 25.0 % 100.0 % 0 0 0" in shown
    assert "2 twilio 75 75.0 % 100.0 % 0 57 1 1.7 %" in shown
    assert "no more gone 0 0.0 % ▲ 0.0 % too few 2 0 0" in shown
    assert [row.split()[:2] for row in shown[-4:]] == [
        ["GB", "twilio"],
        ["GB", "vonage"],
        ["IN", "twilio"],
        ["GB", "gone"],
    ]


@pytest.mark.parametrize(("failed", "marked"), [(3, False), (4, True)])
def test_more_than_three_of_a_hundred_are_marked_by_colour_and_by_words(
    product: Product, failed: int, marked: bool
) -> None:
    grew(product, TEXTS, "vonage,GB,sent", 100 - failed)
    grew(product, TEXTS, "vonage,GB,unknown", failed)
    grew(product, TEXT_RECEIPTS, "twilio,GB,delivered", 100 - failed)
    grew(product, TEXT_RECEIPTS, "twilio,GB,failed", failed)
    page = logged_in(product).get("/texts").text
    for words in (f"▲ {100 - failed}.0 % too few", f"▲ {failed}.0 % too many"):
        assert (f'<span class="verdict is-fault">{words}</span>' in page) is marked


def test_numbers_that_a_provider_refuses_are_no_failure_of_it(product: Product) -> None:
    grew(product, TEXTS, "vonage,GB,sent", 1)
    for outcome in ("refused", "fraud", "wrong_channel"):
        grew(product, TEXTS, f"vonage,GB,{outcome}", 50)
    vonage = seen(product).whole[0]
    assert (vonage.sent, vonage.failed, vonage.success, vonage.fails) == (1, 0, 1.0, False)


def test_a_day_and_a_week_hold_what_lies_within_them(product: Product) -> None:
    for hours, value in ((2, 1), (30, 10), (6 * 24, 100), (8 * 24, 1000)):
        grew(product, TEXTS, "twilio,GB,sent", value, hours)
    assert seen(product).whole[1].sent == 1
    assert seen(product, days=7).whole[1].sent == 111
    ana = logged_in(product)
    assert "2 twilio 111 100.0 %" in " ".join(rows(ana.get("/texts?days=7").text))
    assert "2 twilio 1 100.0 %" in " ".join(rows(ana.get("/texts?days=x").text))


def test_without_any_text_the_providers_stand_there_and_nothing_is_marked(product: Product) -> None:
    page = logged_in(product).get("/texts").text
    assert "No text was asked for." in page
    assert "verdict is-fault" not in page
    nothing = Sendings(provider="x", country="", place=1, sent=0, failed=0, delivered=0, lost=0, all_sent=0)
    assert (nothing.share, nothing.success, nothing.lost_part) == (0, 0, 0)
    assert not nothing.fails
    assert not nothing.loses

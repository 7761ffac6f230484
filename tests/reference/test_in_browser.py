"""The pages at /docs in Chromium: in each look, by everybody, with nothing that the policy forbids."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from tests.browsing import LOOKS, WATCH, WIDE, faults, served
from tests.product import Product

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.server

PAGES = [
    "/docs",
    "/docs/ops/login",
    "/docs/ops/getcontacts",
    "/docs/errors",
    "/docs/envelope",
    "/docs/updates",
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server, as `make run` starts it."""
    folder = Path(tmp_path_factory.mktemp("server"))
    product = Product(f"sqlite:///{folder / 'messenger.sqlite3'}", folder)
    with served(product.app) as at:
        yield at
    product.close()


def opened(browser: Browser, scheme: Literal["light", "dark"], width: int, said: list[str]) -> Page:
    """A window; what its console says, is noted."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.set_default_timeout(20_000)
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.add_init_script(WATCH)
    return page


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_each_page_fits_its_window_and_everybody(
    browser: Browser, address: str, scheme: Literal["light", "dark"], width: int
) -> None:
    said: list[str] = []
    page = opened(browser, scheme, width, said)
    for path in PAGES:
        page.goto(address + path)
        assert not page.evaluate(WIDE), path
        assert faults(page) == [], path
    assert said == []
    page.close()


def test_a_reader_comes_from_an_op_to_an_error_and_to_the_playground(browser: Browser, address: str) -> None:
    said: list[str] = []
    page = opened(browser, "light", 1280, said)
    page.goto(f"{address}/docs")
    page.get_by_role("navigation", name="Reference").get_by_role("link", name="login", exact=True).click()
    assert page.get_by_role("heading", level=1).text_content() == "login"
    page.get_by_role("button", name="Copy example 1").click()
    page.get_by_role("button", name="Copy example 1").get_by_text("Copied").wait_for()
    page.get_by_role("link", name="BADCODE").click()
    assert page.url.endswith("/docs/errors#BADCODE")
    assert page.locator("tr:target").count() == 1
    page.go_back()
    page.get_by_role("link", name="Try it in the playground").click()
    assert page.url.endswith("/playground/ops/login")
    assert said == []
    page.close()

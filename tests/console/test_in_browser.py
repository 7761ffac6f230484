"""The screens in Chromium: within their policy, nothing for axe-core to find, by keyboard, without script."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browsing import WIDE, faults, served, watched
from tests.console.driver import PASSWORD, Admin, administrator
from tests.console.scene import PAID, play, play_a_day, play_pauses, play_raise
from tests.product import Product

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PATHS = (
    "",
    "/users",
    "/users/1",
    "/users/3?notice=blocked",
    "/groups",
    "/reports",
    "/texts",
    "/texts?days=7",
    "/money",
    "/outbox?item=1&notice=wrong_code",
    "/audit?verify=1",
    "/settings",
    "/settings?check=1",
    "/search",
    "/nothing-here",
)
OPEN_ALL = "document.querySelectorAll('details').forEach(each => each.open = true)"


@dataclass
class Site:
    """The console as a browser reaches it, and an administrator."""

    url: str
    product: Product
    admin: Admin

    def log_in(self, page: Page) -> None:
        page.goto(f"{self.url}/admin")
        page.fill("#name", self.admin.name)
        page.fill("#password", PASSWORD)
        page.fill("#code", self.admin.fresh_code())
        page.keyboard.press("Enter")
        page.wait_for_selector("h1:has-text('Overview')")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    product = Product(f"sqlite:///{tmp_path / 'messenger.sqlite3'}", tmp_path, **PAID)
    admin = administrator(product)
    play(product)
    play_a_day(product)
    play_pauses(product)
    play_raise(product)
    with served(product.app) as url:
        yield Site(url, product, admin)
    product.close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 360)])
def test_no_screen_breaks_its_policy_or_keeps_anybody_out(
    browser: Browser, site: Site, scheme: str, width: int
) -> None:
    with watched(browser, scheme, width) as page:
        said: list[str] = []
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"{site.url}/admin/login")
        assert faults(page) == []
        site.log_in(page)
        for path in PATHS:
            page.goto(f"{site.url}/admin{path}")
            page.evaluate(OPEN_ALL)
            assert faults(page) == [], path
            assert not page.evaluate(WIDE), f"{path} is wider than the window"
        for typed in ("1", "zzzz"):
            page.fill("#q", typed)
            page.keyboard.press("Enter")
            page.wait_for_selector(f"h1:has-text('{typed}')")
            assert page.url == f"{site.url}/admin/search"
            assert faults(page) == [], typed
            assert not page.evaluate(WIDE), f"what was found for {typed} is wider than the window"
        assert said == []


def test_what_breaks_the_policy_or_axe_would_be_found(browser: Browser, site: Site) -> None:
    with watched(browser) as page:
        page.goto(f"{site.url}/admin/login")
        page.evaluate(
            "document.body.insertAdjacentHTML('beforeend', '<p style=\"color:red\">x</p><img src=/x>')"
        )
        found = faults(page)
        assert "style-src-attr" in found
        assert any(fault.startswith("image-alt") for fault in found)


def test_it_is_used_by_keyboard_alone(browser: Browser, site: Site) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        site.log_in(page)
        page.goto(f"{site.url}/admin/users/2")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        page.focus("summary:has-text('Keep out')")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.type("spam")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=The user is kept out.")


def test_everything_works_without_script(browser: Browser, site: Site) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        site.log_in(page)
        page.fill("#q", "okaf")
        page.keyboard.press("Enter")
        page.wait_for_selector("h1:has-text('Ben Okafor')")
        page.click("summary:has-text('Show the number')")
        page.fill("#reveal-reason", "asked by phone")
        page.click("button:has-text('Show the number')")
        page.wait_for_selector("text=447700900123")


def test_a_limit_is_raised_until_a_time_by_its_form(browser: Browser, site: Site) -> None:
    """The browser refuses what would not be accepted, before the code of the authenticator is used."""
    with browser.new_context(timezone_id="Asia/Kolkata") as context:
        page = context.new_page()
        site.log_in(page)
        page.goto(f"{site.url}/admin/money")
        page.click("summary:has-text('SMS_BUDGET_DAY')")
        usual = page.input_value("#SMS_BUDGET_DAY-until")
        for field, typed in (("reason", "a fair"), ("code", site.admin.fresh_code()), ("most", "2500")):
            page.fill(f"form:has(#SMS_BUDGET_DAY-most) [name={field}]", typed)
        page.click("button:has-text('Raise SMS_BUDGET_DAY')")
        assert page.evaluate("document.querySelector('#SMS_BUDGET_DAY-most').validity.rangeOverflow")
        assert not page.evaluate("document.querySelector('#SMS_BUDGET_DAY-until').validity.rangeUnderflow")
        page.fill("#SMS_BUDGET_DAY-most", "99.5")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=The limit is raised until then")
        shown = page.inner_text("summary:has-text('SMS_BUDGET_DAY')")
        assert shown.split("raised")[0].split()[-1] == "99.5"
        assert shown.endswith(f"raised from 25 until {usual.replace('T', ' ')}")


def test_a_screen_is_kept_fresh_while_somebody_looks(browser: Browser, site: Site) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        site.log_in(page)
        page.goto(f"{site.url}/admin/outbox")
        assert page.inner_text("#counts .bad dd") == "1"
        site.product.parts.outbox.purge(None)
        page.wait_for_selector("#counts .bad", state="detached", timeout=60_000)

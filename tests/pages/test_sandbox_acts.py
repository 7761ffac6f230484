"""What is done on the sandbox's page, in Chromium beside a real product: log in, send, break, reset."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from messenger_api.sandbox import Fault
from tests.browsing import LOOKS, WIDE, faults, served, watched
from tests.product import Product

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ANA, BOB = "14155550123", "919876543210"
OPEN_ALL = "document.querySelectorAll('details').forEach(each => each.open = true)"


@dataclass
class Site:
    """The page, and what stands behind it."""

    page: Page
    product: Product

    def log_in(self, number: str, name: str) -> str:
        """Fill in the form by keyboard; the token that it shows."""
        page = self.page
        page.fill("#number", f"+{number}")
        page.fill("#name", name)
        page.keyboard.press("Enter")
        page.wait_for_selector(f"#token-of:has-text('{name}')")
        return page.inner_text("#token-text")

    def presses(self, title: str) -> None:
        self.page.get_by_role("button", name=re.compile(f"^{title}")).press("Enter")


@pytest.fixture
def site(browser: Browser, developing: Product) -> Iterator[Site]:
    with served(developing.app) as url, watched(browser, height=900) as page:
        said: list[str] = []
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"{url}/sandbox")
        page.wait_for_selector("#presets button[aria-pressed]")
        yield Site(page, developing)
        assert said == []


def test_whoever_logs_in_has_a_token_that_the_private_api_takes(site: Site) -> None:
    token = site.log_in(ANA, "Ana")
    assert site.product.ok("profile", token=token)["phone"] == ANA
    site.page.wait_for_selector("#users li:has-text('Ana')")
    site.page.wait_for_selector("#sms li:has-text('Ana'):has-text('+14155550123')")


def test_a_message_goes_from_one_user_to_another_and_to_a_group(site: Site) -> None:
    token = site.log_in(ANA, "Ana")
    site.log_in(BOB, "Bob")
    gid = site.product.ok("setgroup", token=token, name="Hike", m=BOB, gid="0")["gid"]
    page = site.page
    page.wait_for_selector(f"#to option[value='gid {gid}']", state="attached")
    for to, text in ((f"to {BOB}", "Hello Bob"), (f"gid {gid}", "Hello all")):
        page.select_option("#from", ANA)
        page.select_option("#to", to)
        page.fill("#text", text)
        page.keyboard.press("Enter")
        page.wait_for_selector(f"#messages li:has-text('{text}'):has-text('Ana')")
    store = site.product.sandbox.store
    assert [m.text for m in store.fetch(BOB) if m.sender == ANA and m.text.startswith("Hello")] == [
        *("Hello Bob", "Hello all")
    ]


def test_the_page_logs_a_sender_in_whom_it_does_not_know(site: Site) -> None:
    site.product.log_in(ANA, name="Ana")
    site.product.log_in(BOB, name="Bob")
    site.product.clock.advance(60)
    page = site.page
    page.wait_for_selector(f"#from option[value='{BOB}']", state="attached")
    page.select_option("#from", BOB)
    page.select_option("#to", f"to {ANA}")
    page.click("#send button")
    page.wait_for_selector("#send .came:has-text('Sent.')")
    assert [message.sender for message in site.product.sandbox.store.fetch(ANA)] == [BOB]


@pytest.mark.parametrize(
    ("title", "fault"),
    [
        ("mesibo is away", Fault("*", drop=True)),
        ("mesibo is slow", Fault("*", delay=3)),
        ("mesibo refuses the app token", Fault("*", error="AUTHFAIL")),
        ("Texts come late", Fault("text", delay=15)),
        ("Texts get lost", Fault("text", drop=True)),
        ("Phones reach no mesibo", Fault("chat", drop=True)),
        ("The database is away", Fault("database")),
    ],
)
def test_a_fault_is_shown_while_it_holds_and_a_button_ends_it(site: Site, title: str, fault: Fault) -> None:
    page, held = site.page, site.product.sandbox.faults
    other = held.add("groupadd", error="BADGROUP", times=2)
    site.presses(title)
    page.wait_for_selector(f"#faults .fault:has-text('{title}.')")
    assert held.current() == [other, fault]
    assert page.get_by_role("button", name=re.compile(f"^{title}"), pressed=True).count() == 1
    page.get_by_role("button", name=re.compile(f"^End: {title}")).press("Enter")
    page.wait_for_selector(f"#faults .fault:has-text('{title}.')", state="detached")
    assert held.current() == [other]
    page.wait_for_selector("#faults .fault:has-text('groupadd is refused with BADGROUP. 2 times more.')")


def test_a_refusal_is_told_in_words_and_the_next_try_succeeds(site: Site) -> None:
    page = site.page
    site.presses("mesibo is away")
    page.wait_for_selector("#faults .fault")
    page.fill("#number", ANA)
    page.keyboard.press("Enter")
    page.wait_for_selector("#log-in .came.failed:not(:empty)")
    site.presses("mesibo is away")
    page.wait_for_selector("#faults .fault", state="detached")
    site.product.clock.advance(60)
    site.log_in(ANA, "Ana")


def test_start_over_asks_first_and_forgets_all(site: Site) -> None:
    site.log_in(ANA, "Ana")
    page, store = site.page, site.product.sandbox.store
    site.presses("Texts come late")
    page.click("summary:has-text('Start over')")
    for answer, left in (("Keep it", 1), ("Reset the sandbox", 0)):
        page.click("#reset button")
        page.locator("#sure").get_by_role("button", name=answer, exact=True).press("Enter")
        words = "Nothing was done." if left else "All is forgotten."
        page.wait_for_selector(f"#reset .came:has-text('{words}')")
        assert (len(store.users()), len(store.texts()), len(site.product.sandbox.faults.current())) == (
            *(left, left, left),
        )
    page.wait_for_selector("#users-empty", state="visible")
    site.log_in(ANA, "Ana")


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_it_breaks_no_policy_and_keeps_nobody_out(
    browser: Browser, developing: Product, scheme: str, width: int
) -> None:
    ana = developing.log_in(ANA, name="Ana")
    developing.log_in(BOB, name="Bob").ok("getcontacts", phones=ANA)
    ana.ok("setgroup", name="Hike", m=BOB, gid="0")
    developing.deliver()
    developing.sandbox.faults.add("text", delay=15)
    with served(developing.app) as url, watched(browser, scheme, width) as page:
        page.goto(f"{url}/sandbox")
        page.wait_for_selector("#messages li")
        page.evaluate(OPEN_ALL)
        assert faults(page) == []
        assert not page.evaluate(WIDE)
        page.click("#reset button")
        assert faults(page) == []

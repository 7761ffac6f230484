"""The page of an op in Chromium, used as a developer does, and each error of each op made to happen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from messenger_api.ops import OPERATIONS
from messenger_api.ops.examples import EXAMPLES
from tests.browsing import WATCH, WIDE, faults
from tests.matrix import some
from tests.servers import ProductServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.server

LOOKS = [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)]
PATIENCE_SECONDS = 60
IDLE = "#call:not([aria-busy])"
# Of a good call, what has it log out.
ENDINGS = ["deleteaccount", "logout"]


class Bench:
    """The page of an op, and all that went wrong on it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.said: list[str] = []
        page.add_init_script(WATCH)
        page.set_default_timeout(PATIENCE_SECONDS * 1000)
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("console", lambda line: self.said.append(f"{line.type}: {line.text}"))

    def open(self, op: str) -> None:
        self.page.goto(f"{self.url}/playground/ops/{op}")
        self.page.wait_for_selector("#program-panel:not([hidden])")

    def log_in(self) -> None:
        self.page.click("#login")
        self.page.wait_for_selector("#forget:not([hidden])")
        self.page.wait_for_selector(IDLE)

    def choose(self, name: str) -> None:
        self.page.locator(".choices label", has_text=name).first.click()

    def program(self) -> str:
        return self.page.inner_text("#snippet")

    def send(self) -> str:
        """Send the call: the line above the answer."""
        self.page.click("button.main")
        return self.answered()

    def answered(self) -> str:
        self.page.wait_for_selector(IDLE)
        assert "It did not work" not in self.page.inner_text("#sending"), self.page.inner_text("#sending")
        return self.page.inner_text("#answer-line")

    def codes(self) -> list[str]:
        """The errors that have a button."""
        found: list[str] = self.page.eval_on_selector_all(".make", "all => all.map(it => it.dataset.code)")
        return found

    def make(self, code: str) -> str:
        """Have an error happen: the line above the answer."""
        self.page.click(f'.make[data-code="{code}"]')
        return self.answered()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProductServer]:
    with ProductServer(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def bench(browser: Browser, server: ProductServer) -> Iterator[Bench]:
    with browser.new_context() as context:
        it = Bench(context.new_page(), server.url)
        yield it
        assert it.said == []


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_a_developer_changes_a_field_sends_reads_a_hint_and_recovers_from_an_error(
    browser: Browser, server: ProductServer, scheme: str, width: int
) -> None:
    look = {"color_scheme": scheme, "viewport": {"width": width, "height": 900}}
    with browser.new_context(**look) as context:  # type: ignore[arg-type]
        bench = Bench(context.new_page(), server.url)
        page = bench.page
        page.goto(f"{server.url}/playground/ops")
        assert faults(page) == []
        assert not page.evaluate(WIDE)
        page.click("a:has-text('getcontacts')")
        page.wait_for_selector("#program-panel:not([hidden])")
        assert faults(page) == []

        bench.log_in()
        page.fill("#field-phones", "14155550102, it's me")
        assert """'phones=14155550102, it'\\''s me'""" in bench.program()
        bench.choose("Python")
        bench.choose("JSON")
        assert '"phones": ["14155550102", "it\'s me"],' in bench.program()
        page.fill("#more-name", "phone")
        assert '"phone": "",' in bench.program()

        assert bench.send().startswith("OK · HTTP 200")
        hints = page.inner_text("#hints")
        assert "getcontacts takes no 'phone'" in hints
        assert "'phones': entry 2 of 2 could not be read" in hints
        assert "The user's number: digits of E.164 without +." in page.inner_text("#explained")
        assert faults(page) == []

        assert bench.make("TRYLATER").startswith("TRYLATER")
        assert "TRYLATER, as it should be" in page.inner_text("#made")
        assert page.evaluate("document.activeElement.id") == "answer-panel"
        assert bench.make("AUTHFAIL").startswith("AUTHFAIL")
        assert page.input_value("#field-token") == "x" * 48
        explained = page.inner_text("#explained")
        assert "The session token is unknown, expired or revoked." in explained
        assert 'else "FAIL"' in explained
        assert faults(page) == []
        page.click("#good")
        assert bench.send().startswith("OK")
        assert not page.evaluate(WIDE)
        assert bench.said == []


def test_the_good_call_of_every_op_succeeds_as_it_stands(bench: Bench) -> None:
    """In the order of the examples, with one log-in for all pages until an op ends the session."""
    page = bench.page
    for op in EXAMPLES:
        bench.open(op)
        if OPERATIONS[op].needs_session and page.is_visible("#login"):
            bench.log_in()
        assert bench.send().startswith("OK"), op
        hints = page.locator("#hints li").all_inner_texts()
        assert [hint for hint in hints if "/sandbox" not in hint] == []
        is_there = page.locator("#forget").is_visible()
        assert is_there == (OPERATIONS[op].needs_session and op not in ENDINGS), op


@pytest.mark.long
@pytest.mark.parametrize("op", some(sorted(OPERATIONS), 7))
def test_each_error_of_an_op_happens_at_a_press_and_is_put_right(bench: Bench, op: str) -> None:
    bench.open(op)
    codes = bench.codes()
    expected = len(OPERATIONS[op].errors) - (op == "loginui")  # TRYLATER, which it has under load alone
    assert len(codes) == expected
    for code in codes:
        assert bench.make(code).split(" ")[0] == code
        assert f"{code}, as it should be" in bench.page.inner_text("#made")
    bench.page.click("#good")
    assert bench.send().startswith("OK")


def test_a_log_in_by_hand_is_the_session_of_the_other_pages(bench: Bench) -> None:
    bench.open("login")
    page = bench.page
    assert bench.send().startswith("OK")
    number = page.input_value("#field-phone")
    texts = page.evaluate("fetch('/sandbox/sms.json').then(it => it.json())")["sms"]
    code = next(text["text"] for text in texts if text["to"] == number)[:6]
    page.fill("#field-otp", code)
    assert bench.send().startswith("OK")
    bench.open("sessions")
    assert f"Logged in as {number}" in page.inner_text("#who")
    assert bench.send().startswith("OK")


def test_it_works_by_keyboard_alone(bench: Bench) -> None:
    bench.open("loginui")
    page = bench.page
    page.focus("#languages input:checked")
    page.keyboard.press("ArrowRight")
    assert bench.program().startswith("import okhttp3")
    page.focus("#send-d")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("x")
    assert '"x"' in bench.program()
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#answer-panel:not([hidden])")
    assert bench.answered().startswith("OK")


def test_an_error_has_a_link_of_its_own(bench: Bench) -> None:
    bench.open("login#BADCODE")
    assert bench.page.locator("li:target h3").inner_text() == "BADCODE"


def test_without_script_the_form_is_sent(browser: Browser, server: ProductServer) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{server.url}/playground/ops/loginui")
        page.click("button.main")
        assert '"ui":"0"' in page.inner_text("body")

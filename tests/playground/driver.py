"""Two phones of the page, used as people use them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qs

from tests.browsing import watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Route

PATIENCE_SECONDS = 30
NARROW = 760
Scheme = Literal["light", "dark"]


class Phone:
    """One of the two; what it does is done on the screen."""

    def __init__(self, page: Page, name: Literal["a", "b"]) -> None:
        self.page = page
        self.name = name
        self.frame = page.locator(f"#phone-{name}")

    @property
    def number(self) -> str:
        """That of its owner, which it keeps."""
        return str(self.page.evaluate(f"JSON.parse(sessionStorage.getItem('phone-{self.name}')).number"))

    def find(self, selector: str, has_text: str | None = None) -> Locator:
        """What the selector finds on this phone, which is brought to the front where one is shown."""
        size = self.page.viewport_size
        tab = self.page.locator(f"[data-phone={self.name}]")
        if size and size["width"] < NARROW and tab.get_attribute("aria-pressed") == "false":
            tab.click()
        return self.frame.locator(selector, has_text=has_text)

    def shows(self, selector: str, has_text: str | None = None) -> Locator:
        """Wait until it is there."""
        found = self.find(selector, has_text).first
        found.wait_for()
        return found

    def speak(self, dialect: str) -> None:
        self.find("select").select_option(dialect)

    def log_in(self) -> None:
        """With the number that is proposed; the code comes by itself."""
        self.find("button", has_text="Log in").click()
        self.shows("[data-screen=home]")

    def open_chat(self, name: str) -> None:
        self.find(".chats button", has_text=name).first.click()
        self.shows(".compose")

    def say(self, text: str) -> None:
        self.find("[aria-label=Message]").fill(text)
        self.page.keyboard.press("Enter")

    def hears(self, text: str) -> None:
        self.shows(".bubbles .theirs", has_text=text)

    def ticked(self, text: str, state: str) -> None:
        """Wait until a message of one's own is that far."""
        self.shows(f".bubbles .mine[data-state={state}]", has_text=text)

    def back(self) -> None:
        self.find("[aria-label=Back]").click()

    def draw_picture(self) -> None:
        self.find("button", has_text="Draw a picture").click()
        self.shows(".big img")

    def make_group(self, name: str) -> None:
        """With everyone in the phone book, and a picture."""
        self.find("[aria-label='New group']").click()
        self.draw_picture()
        self.find("[name=name]").fill(name)
        self.find("button", has_text="Make the group").click()
        self.shows(".compose")

    def rename(self, name: str) -> None:
        """Takes a name in the profile; what comes of it is seen on the screen."""
        self.find(".me").click()
        self.find("[name=name]").fill(name)
        self.find("button", has_text="Save").click()

    def warned(self, title: str) -> str:
        """Wait for an alert; its text, when it was put away."""
        note = self.shows(".note", has_text=title)
        text = note.locator("p").inner_text()
        note.locator("button").click()
        return text


class Pair:
    """The page, and all that went wrong on it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.ana, self.ben = Phone(page, "a"), Phone(page, "b")
        self.said: list[str] = []
        self.elsewhere: list[str] = []
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("console", lambda line: self.said.append(line.text) if line.type == "error" else None)
        page.on("request", lambda request: self._note(request.url))

    def _note(self, address: str) -> None:
        if not address.startswith((f"{self.url}/", "data:", f"blob:{self.url}/")):
            self.elsewhere.append(address)

    def open(self) -> None:
        self.page.goto(f"{self.url}/playground")

    def both_chat(self) -> None:
        """Both log in, and open the chat with each other."""
        self.ana.log_in()
        self.ben.log_in()
        self.ana.open_chat("Ben")
        self.ben.open_chat("Ana")

    def fault(self, title: str) -> None:
        """Press a button for a fault; the last line beside it says what it does."""
        self.page.locator(".faults button", has_text=title).click()
        self.page.locator(f".faults button[aria-pressed=true]:has-text('{title}')").wait_for()

    @contextmanager
    def handling(self, op: str, handler: Callable[[Route], None]) -> Iterator[None]:
        """Hand requests of an op, sent as forms (an older app's), to `handler` in the place of the server."""

        def handle(route: Route) -> None:
            fields = parse_qs(route.request.post_data or "")
            handler(route) if fields.get("op") == [op] else route.fallback()

        self.page.route("**/api.php", handle)
        yield
        self.page.unroute("**/api.php", handle)


@contextmanager
def opened(browser: Browser, url: str, scheme: Scheme = "light", width: int = 1280) -> Iterator[Pair]:
    """The page in a browser without a past; nothing may go wrong on it."""
    with watched(browser, scheme, width, height=900) as page:
        page.set_default_timeout(PATIENCE_SECONDS * 1000)
        pair = Pair(page, url)
        pair.open()
        yield pair
        assert pair.said == []
        assert pair.elsewhere == []
        assert page.evaluate("window.broken") == []

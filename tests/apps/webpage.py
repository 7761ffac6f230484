"""The example web app in a real browser, used as a person uses it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.apps.outside import PATIENCE_SECONDS, Outside
from tests.processes import LOOPBACK, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FilePayload, Page

WEB = Path(__file__).parent / "web"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Nobody reads it."""


@contextmanager
def hosted() -> Iterator[str]:
    """The page's address, on an origin of its own."""
    with ThreadingHTTPServer((LOOPBACK, 0), partial(_Quiet, directory=str(WEB))) as host:
        thread = Thread(target=host.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://{LOOPBACK}:{host.server_port}/index.html"
        finally:
            host.shutdown()
            thread.join()


@contextmanager
def opened(browser: Browser, address: str, server: str, outside: Outside) -> Iterator[WebApp]:
    """The page in a browser with no history, talking to the server; scripts that fail are an error."""
    with browser.new_context() as context:
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        page = context.new_page()
        failures: list[str] = []
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on("console", lambda said: failures.append(said.text) if said.type == "error" else None)
        app = WebApp(page, outside)
        yield app.at(f"{address}?api={quote(server + '/', safe='')}")
        assert not failures


class WebApp:
    """Fills in the page's forms and reads what it shows."""

    def __init__(self, page: Page, outside: Outside) -> None:
        self.page = page
        self.number = ""
        self._outside = outside
        self._heard = 0
        self._address = ""

    def at(self, address: str) -> WebApp:
        """Use the page at this address; it is loaded by `open`."""
        self._address = address
        return self

    def open(self) -> None:
        self.page.goto(self._address)

    def log_in(self, number: str, name: str = "") -> None:
        self.open()
        self.submit("#login", phone=number, name=name)
        self.page.locator("#code-line").wait_for()
        self.submit("#login", otp=self._outside.code(number))
        self.page.locator("#me", has_text=number).wait_for()
        self.number = number
        self._heard = self._outside.newest_message()

    def log_out(self) -> None:
        self.page.click("#logout")
        self.page.locator("#login").wait_for()

    def sync(self, *numbers: str) -> None:
        self.submit("#sync", phones="\n".join(numbers))

    def change_profile(self, name: str, status: str) -> None:
        self.submit("#profile", name=name, status=status)

    def change_photo(self, photo: bytes) -> None:
        self.submit("#photo", photo=photo)

    def make_group(self, name: str, members: list[str], photo: bytes) -> None:
        self.submit("#group", name=name, m=",".join(members), photo=photo)

    def submit(self, form: str, **values: str | bytes) -> None:
        """Fill in a form, files too, press its button, and wait until the page has its answers."""
        for name, value in values.items():
            field = self.page.locator(f"{form} [name={name}]")
            if isinstance(value, str):
                field.fill(value)
            else:
                field.set_input_files(_as_file(value))
        self.page.click(f"{form} button")
        self.page.locator("body[aria-busy=false]").wait_for()

    def shows(self, place: str, text: str) -> bool:
        """Wait until a list shows an entry with this text."""
        self.page.locator(f"{place} li", has_text=text).first.wait_for()
        return True

    def texts(self, place: str) -> list[str]:
        return self.page.locator(f"{place} li").all_inner_texts()

    def receive(self) -> None:
        """Hand the page the messages that mesibo delivered since the last time."""
        for message in self._outside.messages(self.number, after=self._heard):
            self._heard = message.mid
            self.page.evaluate("text => received(text)", message.text)

    def hear_until(self, seen: Callable[[WebApp], object], what: str) -> None:
        """Receive messages until the page shows something."""

        def look() -> object:
            self.receive()
            return seen(self)

        wait_for(look, PATIENCE_SECONDS, what)


def _as_file(photo: bytes) -> FilePayload:
    return {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": photo}


OpenPage = Callable[[], WebApp]
"""Opens the page in a fresh browser profile; the type of the fixture `open_page`."""

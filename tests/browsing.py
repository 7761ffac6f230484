"""What tests of pages in Chromium share: the application served, its policy watched, axe-core asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from werkzeug.serving import make_server

from tests.processes import LOOPBACK

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# Every violation of the policy is an event of the document, whatever the console says.
WATCH = (
    "window.broken = []; addEventListener('securitypolicyviolation', e => broken.push(e.violatedDirective))"
)
# Whether a page is wider than its window.
WIDE = "document.documentElement.scrollWidth > innerWidth"
# How each page is looked at.
LOOKS = [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390), ("light", 360)]


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The application over HTTP, by a thread of this process: its address."""
    server = make_server(LOOPBACK, 0, app, threaded=True)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        yield f"http://{LOOPBACK}:{server.port}"
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


@contextmanager
def watched(browser: Browser, scheme: str = "light", width: int = 1280, height: int = 800) -> Iterator[Page]:
    """A page in a browser without a past, its policy watched; `scheme` is light or dark."""
    with browser.new_context(
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport={"width": width, "height": height},
    ) as context:
        page = context.new_page()
        page.add_init_script(WATCH)
        yield page


def faults(page: Page) -> list[str]:
    """What axe-core finds, and every breach of the policy since WATCH."""
    found = Axe().run(page).response["violations"]
    broken: list[str] = page.evaluate("window.broken")
    return broken + [f"{each['id']}: {node['html'][:200]}" for each in found for node in each["nodes"]]

"""The server that the example apps talk to, and phones to install them on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

from tests.apps.app import App, Install
from tests.apps.outside import Outside
from tests.apps.webpage import OpenPage, hosted, opened
from tests.servers import ProductServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytest.register_assert_rewrite("tests.apps.stories")

# People log in on a second phone at once.
ENVIRONMENT = {
    "MESSENGER_LIMITS": "off",
    "MESSENGER_TRUSTED_PROXY_HOPS": "1",  # each phone calls through a network of its own
    "MESSENGER_SANDBOX": "true",
}


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProductServer]:
    """The product as its operator starts it, with SQLite and the sandbox."""
    with ProductServer(tmp_path_factory.mktemp("server"), ENVIRONMENT) as running:
        yield running


@pytest.fixture
def outside(server: ProductServer) -> Iterator[Outside]:
    with closing(Outside(server.url)) as network:
        yield network


@pytest.fixture
def install(server: ProductServer, outside: Outside) -> Iterator[Install]:
    """Installs an app on one more phone."""
    with ExitStack() as phones:

        def on_a_phone(app: type[App]) -> App:
            return phones.enter_context(closing(app(server.url, outside)))

        yield on_a_phone


@pytest.fixture(scope="package")
def address() -> Iterator[str]:
    with hosted() as page_address:
        yield page_address


@pytest.fixture
def open_page(browser: Browser, address: str, server: ProductServer, outside: Outside) -> Iterator[OpenPage]:
    """Opens the page in a fresh browser profile, as often as asked."""
    with ExitStack() as pages:
        yield lambda: pages.enter_context(opened(browser, address, server.url, outside))

"""Certificates and the product once for all tests, proxies on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from tests.conftest import THE_LOG
from tests.proxies.fronts import FRONTS, Certificates, Change, Front
from tests.servers import ProductServer

KEY = "0123456789abcdef" * 4
TRIES = 5
HEADER = "X-Forwarded-For"

Serving = Callable[..., ProductServer]
NewClient = Callable[[], str]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.make(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def front(certificates: Certificates) -> Iterator[Callable[..., Front]]:
    """Starts a proxy by its name in front of a port."""
    with ExitStack() as fronts:

        def start(name: str, backend: int, *changes: Change, tls: bool = True) -> Front:
            return fronts.enter_context(FRONTS[name](certificates, backend, *changes, tls=tls))

        yield start


@pytest.fixture(scope="session")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """The product behind so many proxies, started once for each number and header."""
    started: dict[tuple[int, str, str], tuple[ProductServer, Path]] = {}
    with ExitStack() as servers:

        def serve(hops: int, header: str = HEADER, limits: str = "enforce") -> ProductServer:
            key = hops, header, limits
            if key not in started:
                folder = tmp_path_factory.mktemp("product")
                environment = {
                    "MESSENGER_SECRET_KEY": KEY,
                    "MESSENGER_SANDBOX": "true",
                    "MESSENGER_LIMITS": limits,
                    "MESSENGER_LOGIN_TRIES_PER_IP_HOUR": str(TRIES),
                    "MESSENGER_TRUSTED_PROXY_HOPS": str(hops),
                    "MESSENGER_TRUSTED_PROXY_HEADER": header,
                }
                started[key] = servers.enter_context(ProductServer(folder, environment)), folder
            return started[key][0]

        yield serve
    for server, folder in started.values():
        THE_LOG.read_server(server.log(), folder)


@pytest.fixture(scope="session")
def new_client() -> NewClient:
    """Gives addresses of this machine that nobody has used yet."""
    numbers = count(1)
    return lambda: f"127.0.7.{next(numbers)}"

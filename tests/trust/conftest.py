"""Products that send texts for money, to a network that only keeps count of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from messenger_api.storage.models import Base
from tests.product import Product
from tests.servers import MariaDB
from tests.trust.network import Network

Make = Callable[..., Product]

PAID = {"sms_providers": ["tests.trust.network.Network"], "sms_countries": ["IN", "US", "DE"]}


@pytest.fixture(autouse=True)
def _no_proxy_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def paying(tmp_path: Path) -> Iterator[Make]:
    """Makes the product on SQLite, with texts that cost money and every limit at its default."""
    Network.reset()
    made: list[Product] = []

    def make(**settings: object) -> Product:
        uri = f"sqlite:///{tmp_path / f'{len(made)}.sqlite3'}"
        made.append(Product(uri, tmp_path, **{**PAID, "log_level": "error", **settings}))
        return made[-1]

    yield make
    for product in made:
        product.close()


@pytest.fixture(scope="package")
def own_mariadb() -> Iterator[MariaDB]:
    """A MariaDB that tests may kill; whoever does starts it again."""
    with MariaDB() as server:
        server.create_database("trust")
        yield server


@pytest.fixture
def mortal(own_mariadb: MariaDB, tmp_path: Path) -> Iterator[Product]:
    """The product, paying, on a database that dies when the test wants it to."""
    Network.reset()
    product = Product(own_mariadb.uri("trust"), tmp_path, **PAID)
    with product.services.database.engine.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(table.delete())
    yield product
    product.close()
    if own_mariadb.process is None:
        own_mariadb.start()

"""Products that live as long as a module: property tests make thousands of calls."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.product import Product
from tests.servers import MariaDB

NewProduct = Callable[..., Product]


@pytest.fixture(scope="module", params=["sqlite", pytest.param("mariadb", marks=pytest.mark.server)])
def new_product(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[NewProduct]:
    """Makes products, each on a database and in a folder of its own; all end with the module."""
    made: list[Product] = []
    names: list[str] = []
    numbers = itertools.count(1)
    server: MariaDB | None = request.getfixturevalue("mariadb") if request.param == "mariadb" else None

    def uri(folder: Path) -> str:
        if server is None:
            return f"sqlite:///{folder / 'messenger.sqlite3'}"
        names.append(f"test_{uuid.uuid4().hex[:12]}")
        server.create_database(names[-1])
        return server.uri(names[-1])

    def make(**settings: object) -> Product:
        folder = tmp_path_factory.mktemp(f"product{next(numbers)}")
        made.append(Product(uri(folder), folder, **settings))
        return made[-1]

    yield make
    for product in made:
        product.close()
    for name in names:
        assert server is not None
        server.drop_database(name)

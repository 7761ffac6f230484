"""The product with its sandbox, and as it stands on the internet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.product import Product


def with_version(product: Product) -> Product:
    """The same, whose tables say that they are this version's."""
    newest = product.parts.schema.newest
    with product.services.database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (newest,))
    return product


@pytest.fixture
def developing(tmp_path: Path) -> Iterator[Product]:
    """As `make run` starts it."""
    product = with_version(Product(f"sqlite:///{tmp_path / 'messenger.sqlite3'}", tmp_path))
    yield product
    product.close()


@pytest.fixture
def public(tmp_path: Path) -> Iterator[Product]:
    """With mesibo's app token, and so without the sandbox."""
    product = Product(
        f"sqlite:///{tmp_path / 'messenger.sqlite3'}",
        tmp_path,
        mesibo_app_token="the token of an app",
        public_url="https://chat.example.com",
    )
    yield with_version(product)
    product.close()

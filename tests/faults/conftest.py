"""mesibo on an address of its own, and a product that is connected to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from messenger_api.storage.connections import Connections
from tests.faults.outside import Mesibo, settings_for
from tests.product import Product


@pytest.fixture
def mesibo(tmp_path: Path) -> Iterator[Mesibo]:
    """mesibo, answering; the test breaks it."""
    server = Mesibo(tmp_path)
    server.up()
    yield server
    server.close()


@pytest.fixture
def connected(mesibo: Mesibo, tmp_path: Path) -> Iterator[Product]:
    """The product on SQLite, connected to `mesibo`."""
    uri = f"sqlite:///{tmp_path / 'messenger.sqlite3'}"
    product = Product(uri, tmp_path, **settings_for(mesibo))
    yield product
    product.close()


@pytest.fixture
def in_hand(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many pieces of work have a connection to the database now."""
    now: list[object] = []
    use = Connections.use

    def counted(connections: Connections, work: Callable[..., Any]) -> Any:
        now.append(work)
        try:
            return use(connections, work)
        finally:
            now.pop()

    monkeypatch.setattr(Connections, "use", counted)
    return lambda: len(now)

"""The PHP demo's database, and commands that move it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import cli, keys, start
from tests.moving.demo import Demo, demo_in
from tests.servers import MariaDB

__all__ = ["cli", "keys", "start"]


@pytest.fixture
def demo(mariadb: MariaDB, tmp_path: Path) -> Iterator[Demo]:
    """An empty installation of the PHP demo."""
    with demo_in(mariadb, tmp_path / "php") as demo:
        yield demo

"""A world on each database, and how many orders are tried: `make test` one change of turn on SQLite,
`make test-races` two, and MariaDB besides."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.product import Product
from tests.races.scheduler import Run, orders
from tests.races.world import Work, World

ALL = os.environ.get("RACES", "") == "1"
CHANGES, MOST = (2, 600) if ALL else (1, 18)


def every_case(cases: Sequence[Callable[..., Any]]) -> Callable[..., Any]:
    """Run a test with each of these cases, which are told apart by their functions' names."""
    kinds = ["sqlite", pytest.param("mariadb", marks=pytest.mark.server)] if ALL else ["sqlite"]

    def marked(test: Callable[..., Any]) -> Callable[..., Any]:
        for mark in (
            pytest.mark.parametrize("case", cases, ids=lambda case: case.__name__),
            pytest.mark.parametrize("database_kind", kinds, indirect=True),
        ):
            test = mark(test)
        return test

    return marked


def in_every_order(
    world: World, works: Sequence[Work], also: Callable[[Run], None] = lambda _run: None
) -> None:
    """Try the orders of these works; `also` looks at what came of each, before the outbox is emptied."""
    world.keep(works, also)
    tried = orders(len(works), world.try_one, CHANGES, most=MOST)
    print(f"{tried} orders")


@pytest.fixture
def world(product: Product, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """The product, step by step."""
    return World(product, tmp_path, monkeypatch)

"""Connections to the database: one a call where that will do, none in hand while others are waited for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, event

from messenger_api.gateways.http import HttpClient
from messenger_api.ops.examples import EXAMPLES, GID, PHOTO
from messenger_api.storage.connections import Connections
from messenger_api.storage.files import FileStore
from tests.faults.outside import Inbox, Mesibo, log_in
from tests.product import Phone, Product, jpeg

ANA, BEN, CAT = "14155550101", "14155550102", "14155550103"
# Each reads who calls, and then something else.
ONE_CONNECTION = [
    "getcontacts",
    "delcontacts",
    "profile",
    "getgroup",
    "sessions",
    "block",
    "blocked",
    "report",
]


@pytest.fixture
def ana(connected: Product) -> Phone:
    for number in (BEN, CAT):
        log_in(connected, number)
    return log_in(connected, ANA)


@contextmanager
def checkouts(product: Product) -> Iterator[list[object]]:
    """Every connection that is taken out of the pool meanwhile."""
    taken: list[object] = []

    def note(_connection: object, record: object, _proxy: object) -> None:
        taken.append(record)

    event.listen(product.services.database.engine, "checkout", note)
    yield taken
    event.remove(product.services.database.engine, "checkout", note)


def test_an_op_that_asks_the_database_alone_takes_one_connection(connected: Product, ana: Phone) -> None:
    gid = ana.ok("setgroup", gid=0, name="Cooks", m=BEN)["gid"]
    for op in ONE_CONNECTION:
        with checkouts(connected) as taken:
            ana.ok(op, **EXAMPLES[op].filled({GID: gid, PHOTO: jpeg()}))
        assert len(taken) == 1, op
        assert connected.services.database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_nobody_else_is_waited_for_with_a_connection_in_hand(
    connected: Product, mesibo: Mesibo, ana: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool, waited, in_hand = connected.services.database.engine.pool, set(), []

    def watch(owner: type, name: str) -> None:
        outside: Callable[..., Any] = getattr(owner, name)

        def watched(*args: Any, **kwargs: Any) -> Any:
            waited.add(name)
            in_hand.append(pool.checkedout())  # type: ignore[attr-defined]
            return outside(*args, **kwargs)

        monkeypatch.setattr(owner, name, watched)

    for owner, name in ((HttpClient, "request"), (FileStore, "save"), (FileStore, "save_picture")):
        watch(owner, name)
    watch(Inbox, "_deliver")
    gid = ana.ok("setgroup", gid=0, name="Cooks", m=BEN)["gid"]
    ana.ok("profile", name="Ana", photo=jpeg())
    ana.ok("profile", gid=gid, name="Bakers")
    ana.ok("upload", photo=(b"text", "note.txt"))
    for op, example in EXAMPLES.items():
        ana.call(op, **example.filled({GID: gid, PHOTO: jpeg()}))
    assert waited == {"request", "save", "save_picture", "_deliver"}
    assert set(in_hand) == {0}


def test_a_connection_on_which_something_failed_is_not_kept(connected: Product) -> None:
    database = connected.services.database

    def fail(_tx: Connection) -> None:
        raise ValueError

    with checkouts(connected) as taken, database.kept_connection():
        for _ in range(2):
            with pytest.raises(ValueError):
                database.run(fail)
        database.run(lambda tx: None)
        database.run(lambda tx: None)
    assert len(taken) == 3


def test_work_inside_of_work_has_a_connection_of_its_own_and_all_are_given_back(connected: Product) -> None:
    engine = connected.services.database.engine
    connections = Connections()

    def outer(tx: Connection) -> bool:
        return connections.use(engine, lambda inner: inner is not tx)

    with connections.kept():
        assert connections.use(engine, outer)
        assert engine.pool.checkedout() == 1  # type: ignore[attr-defined]
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]

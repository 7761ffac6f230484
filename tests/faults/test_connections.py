"""Connections to the database: handed from work to work, none in hand while others are waited for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from sqlite3 import ProgrammingError
from typing import Any

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError

from messenger_api.gateways.http import HttpClient
from messenger_api.ops.examples import EXAMPLES, GID, PHOTO
from messenger_api.storage.connections import KEPT_SECONDS, Connections
from messenger_api.storage.files import FileStore
from tests.faults.outside import Inbox, Mesibo, log_in
from tests.product import Phone, Product, jpeg

ANA, BEN, CAT = "14155550101", "14155550102", "14155550103"


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


def checked_out(product: Product) -> int:
    """How many connections are out of the pool, in hand or idle."""
    return int(product.services.database.engine.pool.checkedout())  # type: ignore[attr-defined]


def test_nobody_else_is_waited_for_with_a_connection_in_hand(
    connected: Product,
    mesibo: Mesibo,
    ana: Phone,
    in_hand: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waited, seen = set(), []

    def watch(owner: type, name: str) -> None:
        outside: Callable[..., Any] = getattr(owner, name)

        def watched(*args: Any, **kwargs: Any) -> Any:
            waited.add(name)
            seen.append(in_hand())
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
    assert set(seen) == {0}


@pytest.fixture
def time() -> list[float]:
    """Seconds of the clock by which connections are kept."""
    return [0.0]


@pytest.fixture
def connections(connected: Product, time: list[float]) -> Connections:
    engine = connected.services.database.engine
    engine.dispose()  # and with it what is idle
    return Connections(engine, lambda: time[0])


def nothing(_tx: Connection) -> None:
    """Work that needs no statement."""


def test_work_that_follows_other_work_has_its_connection_until_the_pool_is_to_look_at_it(
    connected: Product, connections: Connections, time: list[float]
) -> None:
    with checkouts(connected) as taken:
        for passed in (0.0, 0.5, KEPT_SECONDS - 0.1):
            time[0] = passed
            connections.use(nothing)
        assert len(taken) == 1
        time[0] = float(KEPT_SECONDS)
        connections.use(nothing)
        assert len(taken) == 2
    assert checked_out(connected) == 1


def test_work_inside_of_work_has_a_connection_of_its_own_and_all_go_back_to_the_pool(
    connected: Product, connections: Connections, time: list[float]
) -> None:
    assert connections.use(lambda outer: connections.use(lambda inner: inner is not outer))
    assert checked_out(connected) == 2
    time[0] = float(KEPT_SECONDS)
    connections.use(nothing)
    assert checked_out(connected) == 1


def test_no_more_are_kept_than_the_pool_would_keep(connected: Product, connections: Connections) -> None:
    def inside(depth: int) -> int:
        return connections.use(lambda _tx: inside(depth - 1)) if depth else checked_out(connected)

    places = connected.services.settings.db_pool_size
    assert inside(places + 3) == places + 3
    assert checked_out(connected) == places


def test_a_connection_on_which_something_failed_goes_back_to_the_pool(
    connected: Product, connections: Connections
) -> None:
    def fail(_tx: Connection) -> None:
        raise ValueError

    with pytest.raises(ValueError):
        connections.use(fail)
    assert checked_out(connected) == 0


def test_one_that_work_has_given_up_is_not_handed_on(connected: Product, connections: Connections) -> None:
    connections.use(lambda tx: tx.invalidate())
    assert checked_out(connected) == 0
    assert connections.use(lambda tx: tx.exec_driver_sql("SELECT 1").scalar()) == 1


def test_all_go_back_when_the_database_failed(connected: Product, connections: Connections) -> None:
    def fail(tx: Connection) -> None:
        connections.use(nothing)
        tx.exec_driver_sql("SELECT nonsense")

    with pytest.raises(DBAPIError):
        connections.use(fail)
    assert checked_out(connected) == 0


def test_the_end_of_the_pool_closes_the_idle_ones(connected: Product, connections: Connections) -> None:
    used = connections.use(lambda tx: tx.connection.driver_connection)
    assert used
    connected.services.database.engine.dispose()
    with pytest.raises(ProgrammingError, match="closed"):
        used.execute("SELECT 1")

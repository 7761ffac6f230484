"""A database that may only be read, and as many callers as a process works on at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from messenger_api.domain.capacity import CALLS_AT_ONCE
from tests.product import Phone, Product
from tests.servers import MariaDB
from tests.stopwatch import Stopwatch

pytestmark = pytest.mark.server

ANA, BEN = "14155550101", "14155550102"
# Long enough for a busy machine, and far less than the five seconds of a connection that is silent.
QUICK = 2.5


@pytest.fixture
def server() -> Iterator[MariaDB]:
    with MariaDB() as mariadb:
        mariadb.create_database("messenger")
        mariadb.query("CREATE USER app IDENTIFIED BY 'app'")
        mariadb.query("GRANT ALL ON messenger.* TO app")
        yield mariadb


@pytest.fixture
def product(server: MariaDB, tmp_path: Path) -> Iterator[Product]:
    uri = f"mysql+pymysql://app:app@127.0.0.1:{server.port}/messenger?charset=utf8mb4"
    made = Product(uri, tmp_path, limits="off")
    yield made
    made.close()


def friends(product: Product) -> tuple[Phone, Phone]:
    ana, ben = product.log_in(ANA, "Ana"), product.log_in(BEN, "Ben")
    ana.ok("getcontacts", phones=BEN)
    return ana, ben


def test_reads_stay_quick_and_writes_are_told_to_come_again(product: Product, server: MariaDB) -> None:
    ana, ben = friends(product)
    group = ana.ok("setgroup", gid=0, name="Hike", m=BEN)["gid"]
    ben.ok("profile", name="Benjamin")
    server.query("SET GLOBAL read_only = 1")
    for op, fields in (
        ("getcontacts", {"ts": 0}),
        ("getcontacts", {"ts": 0}),
        ("getgroup", {"gid": group}),
        ("getcontacts", {"phones": BEN}),
        ("sessions", {}),
    ):
        watch = Stopwatch()
        answer = ana.call(op, **fields)
        assert watch.quiet_seconds < QUICK, op
        assert answer["result"] == "OK", (op, answer)
    for op, fields in (("profile", {"name": "Anna"}), ("editmembers", {"gid": group, "m": BEN, "delete": 1})):
        watch = Stopwatch()
        answer = ana.call(op, **fields)
        assert watch.quiet_seconds < QUICK, op
        assert answer["error"] == "TRYLATER"
    server.query("SET GLOBAL read_only = 0")
    ana.ok("profile", name="Anna")


def test_as_many_callers_as_are_worked_on_at_once_have_a_connection_each(product: Product) -> None:
    ana, _ben = friends(product)
    database = product.services.database

    def slow(_number: int) -> None:
        database.run(lambda tx: tx.exec_driver_sql("SELECT SLEEP(3.5)").all())

    with ThreadPoolExecutor(CALLS_AT_ONCE) as pool:
        waiting = [pool.submit(slow, number) for number in range(CALLS_AT_ONCE - 1)]
        time.sleep(0.5)
        watch = Stopwatch()
        ana.ok("getcontacts", ts=0)
        assert watch.quiet_seconds < QUICK
        for one in waiting:
            one.result()

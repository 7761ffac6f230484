"""The database stopped, killed, restarted, frozen or locked: TRYLATER in bounded time, and then as before."""

from __future__ import annotations

import os
import select
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from messenger_api.ops.examples import EXAMPLES, GID, PHOTO
from tests.faults.outside import (
    Mesibo,
    ask_code,
    assert_try_later,
    log_in,
    mesibos_groups,
    our_groups,
    settings_for,
    settle,
    timed,
)
from tests.product import Answer, Phone, Product, jpeg
from tests.servers import LOOPBACK, MariaDB, wait_for

ANA, BEN, CAT = "14155550101", "14155550102", "14155550103"
DATABASE = "messenger"

# A refused connection and a broken one are seen at once.
AT_ONCE = 1.5
# A lock is waited for twice, 2 s each.
BOUND_OF_A_LOCK = 7.0
# A database that says nothing is waited for once, 5 s, by those who find a connection in the pool.
BOUND_OF_A_FREEZE = 8.0

# What `loginui` answers stands in no table.
NEED_THE_DATABASE = [op for op in EXAMPLES if op != "loginui"]


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDB]:
    """A MariaDB that these tests may break."""
    with MariaDB() as own:
        own.create_database(DATABASE)
        yield own


@pytest.fixture
def product(server: MariaDB, mysql_driver: str, mesibo: Mesibo, tmp_path: Path) -> Iterator[Product]:
    made = Product(server.uri(DATABASE, mysql_driver), tmp_path, **settings_for(mesibo))
    with made.services.database.engine.connect() as connection:
        for table in ("users", "one_time_codes", "limit_counters", "chat_groups", "outbox", "thumbnails"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    yield made
    made.close()


@pytest.fixture
def ana(product: Product) -> Phone:
    """Logged in, with a group of hers and Ben's; the pool of connections is full of used ones."""
    log_in(product, BEN)
    phone = log_in(product, ANA)
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda _n: phone.product.services.callers.find(phone.token), range(40)))
    return phone


def request_of(phone: Phone, op: str, gid: int) -> Answer:
    return phone.call(op, **EXAMPLES[op].filled({GID: gid, PHOTO: jpeg()}))


def every_op_says_try_later(phone: Phone, gid: int, bound: float) -> None:
    with capture_logs() as events:
        for op in NEED_THE_DATABASE:
            seconds, answer = timed(partial(request_of, phone, op, gid))
            assert_try_later(answer)
            assert seconds < bound, op
        assert phone.call("nosuchop")["error"] == "TRYLATER"
    names = {event["event"] for event in events}
    assert "database.failed" in names
    assert "api.fault" not in names  # which would send the operator to look for a bug
    assert phone.call("loginui")["ui"] == "0"


def every_op_works(phone: Phone, gid: int) -> None:
    for op in NEED_THE_DATABASE:
        answer = request_of(phone, op, gid)
        assert answer["result"] == "OK", answer


@pytest.mark.server
@pytest.mark.parametrize("end", ["stop", "kill"])
def test_without_the_database_every_op_says_try_later_and_works_at_once_when_it_is_back(
    server: MariaDB, product: Product, ana: Phone, mesibo: Mesibo, end: str
) -> None:
    log_in(product, CAT)
    gid = ana.ok("setgroup", gid=0, name="Cooks", m=BEN)["gid"]
    settle(product)
    getattr(server, end)()
    try:
        every_op_says_try_later(ana, gid, AT_ONCE)
        files = Path(product.services.settings.files_path)
        assert [path for path in files.rglob("*") if path.is_file()] == []
    finally:
        server.start()
    every_op_works(ana, gid)
    settle(product)
    assert our_groups(product) == mesibos_groups(mesibo.store)


@pytest.mark.server
def test_a_restart_between_two_requests_is_not_noticed(server: MariaDB, product: Product, ana: Phone) -> None:
    server.restart()
    assert ana.ok("profile", name="Ana")["name"] == "Ana"
    server.kill()
    server.start()
    assert ana.ok("getcontacts", ts=0)["u"]["name"] == "Ana"


@pytest.mark.server
def test_what_was_asked_of_mesibo_when_the_database_died_is_left_half_done_nowhere(
    server: MariaDB, product: Product, ana: Phone, mesibo: Mesibo
) -> None:
    gid = ana.ok("setgroup", gid=0, name="Cooks", m=BEN)["gid"]
    shown = ask_code(product, CAT)
    for op in ("useradd", "groupadd", "groupset"):
        mesibo.faults.add(op, delay=0.4, times=1)
    with ThreadPoolExecutor(3) as pool:
        asked = [
            pool.submit(product.call, "login", **shown),
            pool.submit(ana.call, "setgroup", gid=0, name="Walks", m=BEN, photo=jpeg()),
            pool.submit(ana.call, "setgroup", gid=gid, name="Swims", m=BEN, photo=jpeg()),
        ]
        wait_for(lambda: not mesibo.faults.current(), 5, "all three to reach mesibo")
        server.kill()
        try:
            for done in asked:
                assert_try_later(done.result())
        finally:
            server.start()
    settle(product)
    assert our_groups(product) == mesibos_groups(mesibo.store) == {gid: ("Cooks", {ANA, BEN})}
    assert product.rows(f"SELECT * FROM users WHERE address = '{CAT}'") == []
    # The code was used up in a database that could not be told otherwise; the next may come at once.
    again = product.call("login", **shown)
    if again["result"] == "FAIL":
        assert again["error"] == "BADCODE"
        again = product.ok("login", **ask_code(product, CAT))
    assert again["phone"] == CAT


@pytest.mark.server
def test_updates_wait_for_the_database_and_leave_when_it_is_back(
    server: MariaDB, product: Product, ana: Phone, mesibo: Mesibo
) -> None:
    log_in(product, CAT).ok("getcontacts", ts=0, phones=ANA)
    settle(product)
    before = len(mesibo.store.messages())
    worker = product.parts.worker.start()
    try:
        server.kill()
        time.sleep(0.2)
        server.start()
        ana.ok("profile", name="Ana")
        wait_for(lambda: len(mesibo.store.messages()) > before, 10, "the update message")
    finally:
        product.parts.worker.stop()
        worker.join()


@pytest.mark.server
def test_a_frozen_database_is_waited_for_no_longer_than_a_person_would(
    server: MariaDB, product: Product, ana: Phone
) -> None:
    assert server.process
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        with ThreadPoolExecutor(3) as pool:
            asked = [pool.submit(timed, lambda: ana.call("profile", name="Ana")) for _ in range(3)]
            for seconds, answer in (done.result() for done in asked):
                assert_try_later(answer)
                assert seconds < BOUND_OF_A_FREEZE
    finally:
        os.kill(server.process.pid, signal.SIGCONT)
    assert ana.ok("profile", name="Ana")["name"] == "Ana"


@pytest.mark.server
class TestLocks:
    def test_a_row_that_somebody_else_holds_is_waited_for_a_moment(
        self, server: MariaDB, product: Product, ana: Phone
    ) -> None:
        with product.services.database.engine.connect() as other, ThreadPoolExecutor(1) as pool:
            other.exec_driver_sql("BEGIN")
            other.exec_driver_sql(f"SELECT * FROM users WHERE address = '{ANA}' FOR UPDATE")
            edit = pool.submit(ana.call, "profile", name="Ana")
            _waits_for_a_lock(server)
            other.exec_driver_sql("ROLLBACK")
            assert edit.result()["result"] == "OK"

    def test_and_then_given_up_in_bounded_time_and_a_code_is_not_lost_by_it(
        self, product: Product, ana: Phone
    ) -> None:
        shown = ask_code(product, CAT)
        with product.services.database.engine.connect() as other, ThreadPoolExecutor(2) as pool:
            other.exec_driver_sql("BEGIN")
            other.exec_driver_sql(f"SELECT * FROM users WHERE address = '{ANA}' FOR UPDATE")
            other.exec_driver_sql("SELECT * FROM one_time_codes FOR UPDATE")
            edit = pool.submit(timed, partial(ana.call, "profile", name="Ana"))
            login = pool.submit(timed, partial(product.call, "login", **shown))
            for seconds, answer in (edit.result(), login.result()):
                assert_try_later(answer)
                assert seconds < BOUND_OF_A_LOCK
            assert ana.ok("getcontacts", ts=0)["u"]["name"] == ""
            other.exec_driver_sql("ROLLBACK")
        assert ana.ok("profile", name="Ana")["name"] == "Ana"
        product.ok("login", **shown)

    def test_a_deadlock_is_tried_again(
        self, server: MariaDB, product: Product, ana: Phone, mesibo: Mesibo
    ) -> None:
        log_in(product, CAT)
        gid = ana.ok("setgroup", gid=0, name="Cooks", m=BEN)["gid"]
        with product.services.database.engine.connect() as other, ThreadPoolExecutor(1) as pool:
            other.exec_driver_sql("BEGIN")
            # The victim of a deadlock is the transaction that changed less: ours shall be.
            for n in range(50):
                other.exec_driver_sql(f"INSERT INTO thumbnails (photo, tn) VALUES ('filler-{n}', '')")
            other.exec_driver_sql(f"UPDATE chat_groups SET photo = photo WHERE gid = {gid}")
            # It sees to it that Cat stays, and then waits for the group.
            edit = pool.submit(ana.call, "editmembers", gid=gid, m=CAT)
            _waits_for_a_lock(server)
            assert not edit.done()
            deadlocks = _deadlocks(server)
            other.exec_driver_sql(f"UPDATE users SET status = 'held' WHERE address = '{CAT}'")
            assert _deadlocks(server) == deadlocks + 1
            other.exec_driver_sql("COMMIT")
            assert edit.result()["result"] == "OK", edit.result()
        settle(product)
        assert our_groups(product)[gid] == ("Cooks", {ANA, BEN, CAT}) == mesibos_groups(mesibo.store)[gid]


def _waits_for_a_lock(server: MariaDB) -> None:
    query = "SELECT count(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"

    def waits() -> bool:
        time.sleep(0.15)  # whoever asks ten times a second or more is told the same each time
        return server.query(query) != [(0,)]

    wait_for(waits, 5, "a lock wait")


def _deadlocks(server: MariaDB) -> int:
    [(_name, count)] = server.query("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'")
    return int(str(count))


@pytest.mark.server
class CutAtCommit:
    """A way to MariaDB on which, when `armed`, the connection breaks after a COMMIT and before its answer.

    The first COMMIT of all, or of a transaction that names the table `of`.
    """

    def __init__(self, server: MariaDB) -> None:
        self.armed = False
        self.of = b""
        self._server = server
        self._listening = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listening.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection((LOOPBACK, self._server.port))
                thread = threading.Thread(target=self._pass_on, args=(client, server))
                self._threads.append(thread)
                thread.start()

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        said = b""
        with client, server:
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    data = ready.recv(65536)
                    (server if ready is client else client).sendall(data)
                    if not data:
                        return
                    said = b"" if b"BEGIN" in data else said
                    said += data if ready is client and self.armed else b""
                    if ready is client and self.armed and b"COMMIT" in data and self.of in said:
                        self.armed = False
                        server.recv(65536)  # the answer, which gets no further
                        return


@pytest.mark.server
class TestLostAnswerToCommit:
    """Committed, and nobody here knows: what was done for the transaction must not be undone."""

    @pytest.fixture
    def way(self, server: MariaDB) -> Iterator[CutAtCommit]:
        made = CutAtCommit(server)
        yield made
        made.close()

    @pytest.fixture
    def product(
        self, server: MariaDB, mysql_driver: str, mesibo: Mesibo, tmp_path: Path, way: CutAtCommit
    ) -> Iterator[Product]:
        uri = server.uri(DATABASE, mysql_driver).replace(str(server.port), str(way.port))
        made = Product(uri, tmp_path, **settings_for(mesibo))
        with made.services.database.engine.connect() as connection:
            for table in ("users", "one_time_codes", "limit_counters", "chat_groups", "outbox", "thumbnails"):
                connection.exec_driver_sql(f"DELETE FROM {table}")
        yield made
        made.close()

    @pytest.mark.parametrize("gid", ["new", "old"])
    def test_a_group_is_the_same_on_both_sides_and_has_its_photo(
        self, product: Product, ana: Phone, mesibo: Mesibo, way: CutAtCommit, gid: str
    ) -> None:
        asked = 0 if gid == "new" else ana.ok("setgroup", gid=0, name="Cooks", m=BEN)["gid"]
        way.of, way.armed = b"chat_groups", True
        assert_try_later(ana.call("setgroup", gid=asked, name="Walks", m=BEN, photo=jpeg()))
        assert not way.armed
        settle(product)
        assert our_groups(product) == mesibos_groups(mesibo.store)
        [(name, photo)] = product.rows("SELECT name, photo FROM chat_groups")
        assert name == "Walks"
        assert (product.folders[0] / photo).is_file()

    def test_a_profile_has_its_photo(self, product: Product, ana: Phone, way: CutAtCommit) -> None:
        way.armed = True
        assert_try_later(ana.call("upload", profile=1, photo=jpeg()))
        photo = ana.ok("getcontacts", ts=0)["u"]["photo"]
        assert (product.folders[0] / photo).is_file()

    def test_a_login_can_be_repeated_with_its_code(self, product: Product, way: CutAtCommit) -> None:
        shown = ask_code(product, ANA)
        way.armed = True
        first = product.ok("login", **shown)
        assert not way.armed
        assert product.ok("login", **shown)["token"] == first["token"]
        assert product.rows("SELECT count(*) FROM users") == [(1,)]
        assert product.rows("SELECT count(*) FROM sessions") == [(1,)]


class TestSqlite:
    @pytest.fixture
    def other(self, connected: Product) -> Iterator[sqlite3.Connection]:
        """Another process that has locked the database."""
        path = connected.services.settings.database_uri.removeprefix("sqlite:///")
        with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as connection:
            yield connection

    def test_a_lock_of_another_process_is_waited_for_a_moment(
        self, connected: Product, other: sqlite3.Connection
    ) -> None:
        ana = log_in(connected, ANA)
        with ThreadPoolExecutor(1) as pool:
            other.execute("BEGIN EXCLUSIVE")
            edit: Future[Answer] = pool.submit(ana.call, "profile", name="Ana")
            time.sleep(0.4)
            assert not edit.done()
            ana.ok("getcontacts", ts=0)
            other.execute("ROLLBACK")
            assert edit.result()["result"] == "OK"

    def test_a_lock_that_stays_is_try_later_in_bounded_time(
        self, connected: Product, other: sqlite3.Connection
    ) -> None:
        ana = log_in(connected, ANA)
        other.execute("BEGIN EXCLUSIVE")
        seconds, answer = timed(lambda: ana.call("profile", name="Ana"))
        assert_try_later(answer)
        assert seconds < BOUND_OF_A_LOCK
        other.execute("ROLLBACK")
        ana.ok("profile", name="Ana")

"""Passwords that are kept here: hashes alone, nobody told apart by time, and the command that sets them."""

from __future__ import annotations

import threading
import time
from collections import Counter as Tally
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from argon2 import PasswordHasher, extract_parameters
from sqlalchemy import create_engine, select
from structlog.testing import capture_logs

from messenger_api.configuration import build
from messenger_api.gateways.login import Denied, Person, Unavailable
from messenger_api.services.login.passwords import PasswordMethod
from messenger_api.storage import passwords
from messenger_api.storage.db import Database
from messenger_api.storage.models import Base, Password
from tests.login.standins import assert_hidden

PASSWORD, WRONG = "correct horse battery", "not-the-password"

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Counting(PasswordHasher):
    """A hasher that remembers with which parameters it compared."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.compared: list[tuple[int, int]] = []

    def verify(self, hash: Any, password: Any) -> Any:  # noqa: A002
        found = extract_parameters(hash)
        self.compared.append((found.time_cost, found.memory_cost))
        return super().verify(hash, password)


@pytest.fixture
def database(database_uri: str) -> Iterator[Database]:
    engine = create_engine(database_uri, isolation_level="AUTOCOMMIT")
    Base.metadata.create_all(engine)
    yield Database(engine)
    engine.dispose()


@pytest.fixture
def method(database: Database) -> PasswordMethod:
    return PasswordMethod(build(login_method="password"), database, QUICK)


def stored(database: Database) -> dict[str, str]:
    rows = database.run(lambda tx: tx.execute(select(Password.address, Password.hash)).all())
    return {row.address: row.hash for row in rows}


def test_the_right_password_logs_in_and_no_other(method: PasswordMethod) -> None:
    method.set("ana", PASSWORD)
    assert method.authenticate("ana", PASSWORD) == Person("ana")
    for address, secret in (
        ("ana", WRONG),
        ("ana", ""),
        ("ben", PASSWORD),
        ("Ana", PASSWORD),
        ("ana ", PASSWORD),
    ):
        with capture_logs() as events, pytest.raises(Denied) as caught:
            method.authenticate(address, secret)
        assert_hidden(caught.value, events, PASSWORD, WRONG)


def test_a_new_password_replaces_the_old_one_and_a_removed_one_is_gone(method: PasswordMethod) -> None:
    method.set("ana", PASSWORD)
    method.set("ana", PASSWORD)
    method.set("ana", "another password")
    assert method.authenticate("ana", "another password")
    with pytest.raises(Denied):
        method.authenticate("ana", PASSWORD)
    assert method.remove("ana")
    assert not method.remove("ana")
    with pytest.raises(Denied):
        method.authenticate("ana", "another password")


def test_an_argon2id_hash_alone_is_stored(method: PasswordMethod, database: Database) -> None:
    method.set("ana", PASSWORD)
    method.set("ben", PASSWORD)
    hashes = stored(database)
    assert all(hashed.startswith("$argon2id$") for hashed in hashes.values())
    assert hashes["ana"] != hashes["ben"]
    assert PASSWORD not in str(hashes)


def test_an_unknown_person_costs_the_same_comparison_as_a_known_one(database: Database) -> None:
    hasher = Counting()
    method = PasswordMethod(build(login_method="password"), database, hasher)
    method.set("ana", PASSWORD)
    for address in ("ana", "nobody"):
        with pytest.raises(Denied):
            method.authenticate(address, WRONG)
    assert hasher.compared == [(1, 8), (1, 8)]


class Slow(PasswordHasher):
    """Takes its time, and remembers how many hashes were made at once."""

    def __init__(self, seconds: float) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self._seconds, self._lock = seconds, threading.Lock()
        self.now = self.most = 0

    def verify(self, hash: Any, password: Any) -> Any:  # noqa: A002
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(self._seconds)
        with self._lock:
            self.now -= 1
        return super().verify(hash, password)


@pytest.mark.parametrize("address", ["ana", "nobody"])
def test_of_64_logins_at_once_two_are_hashed_at_a_time(database: Database, address: str) -> None:
    hasher = Slow(0.01)
    methods = [PasswordMethod(build(login_method="password"), database, hasher) for _ in range(2)]
    methods[0].set("ana", PASSWORD)

    def log_in(n: int) -> str:
        try:
            methods[n % 2].authenticate(address, PASSWORD)
        except (Denied, Unavailable) as error:
            return error.outcome
        return "ok"

    with ThreadPoolExecutor(64) as pool:
        outcomes = Tally(pool.map(log_in, range(64)))
    assert outcomes == {"ok" if address == "ana" else "denied": 64}
    assert hasher.most == 2


def test_who_waits_too_long_for_a_hash_is_told_to_try_later(database: Database) -> None:
    method = PasswordMethod(build(login_method="password", login_timeout=0.5), database, Slow(2))
    method.set("ana", PASSWORD)
    with ThreadPoolExecutor(3) as pool:
        tries = [pool.submit(method.authenticate, "ana", PASSWORD) for _ in range(3)]
        failures = [error for error in (done.exception() for done in tries) if error]
    assert [type(error) for error in failures] == [Unavailable]


def test_a_login_renews_a_hash_of_older_parameters(method: PasswordMethod, database: Database) -> None:
    method.set("ana", PASSWORD)
    newer = PasswordMethod(
        build(login_method="password"), database, PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    )
    with pytest.raises(Denied):
        newer.authenticate("ana", WRONG)
    assert extract_parameters(stored(database)["ana"]).time_cost == 1
    assert newer.authenticate("ana", PASSWORD) == Person("ana")
    assert extract_parameters(stored(database)["ana"]).time_cost == 2
    assert newer.authenticate("ana", PASSWORD) == Person("ana")


def test_a_password_that_was_changed_meanwhile_is_not_renewed(
    method: PasswordMethod, database: Database
) -> None:
    method.set("ana", PASSWORD)
    before = stored(database)["ana"]
    method.set("ana", "another password")
    database.write(lambda tx, _now: passwords.rehash(tx, "ana", before, "$argon2id$stale"))
    assert method.authenticate("ana", "another password")


def test_letters_are_the_same_however_a_keyboard_composes_them(method: PasswordMethod) -> None:
    method.set("ana", "pässwörter")
    assert method.authenticate("ana", "pa\u0308sswo\u0308rter") == Person("ana")


@pytest.mark.parametrize(("length", "good"), [(7, False), (8, True), (128, True), (129, False)])
def test_a_password_has_8_to_128_characters(method: PasswordMethod, length: int, good: bool) -> None:
    if good:
        method.set("ana", "ß" * length)
        assert method.authenticate("ana", "ß" * length)
        return
    with pytest.raises(ValueError, match="accepted are 8 to 128 characters"):
        method.set("ana", "ß" * length)
    with pytest.raises(Denied):
        method.authenticate("ana", "ß" * length)


def test_a_hash_that_cannot_be_read_is_a_fault(method: PasswordMethod, database: Database) -> None:
    database.write(lambda tx, now: passwords.put(tx, now, "ana", "plain"))
    with pytest.raises(Unavailable, match="cannot be read"):
        method.authenticate("ana", "plain")


def test_a_database_that_is_away_is_a_fault(method: PasswordMethod, database: Database) -> None:
    method.check()
    Base.metadata.drop_all(database.engine)
    with pytest.raises(Unavailable, match="the database does not answer, or lacks the table"):
        method.check()
    with pytest.raises(Unavailable):
        method.authenticate("ana", PASSWORD)


def test_the_librarys_own_parameters_are_used_unless_others_are_given(database: Database) -> None:
    method = PasswordMethod(build(login_method="password"), database)
    method.set("ana", PASSWORD)
    assert extract_parameters(stored(database)["ana"]) == extract_parameters(PasswordHasher().hash("x"))

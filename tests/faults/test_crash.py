"""kill -9 of the server at the worst moments: what was answered is done, what was begun is put right."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests

from messenger_api.services.groups.tasks import tell
from messenger_api.services.record import Services
from messenger_api.storage import outbox
from tests.faults.outside import Mesibo
from tests.product import APPID, Answer
from tests.servers import MariaDB, ProductServer, wait_for
from tests.workers import Workers, services_and_workers

ANA, BEN, CAT = "14155550101", "14155550102", "14155550103"
CODE = "135790"
LEASE = 2

Start = Callable[..., ProductServer]


@pytest.fixture
def environment(mesibo: Mesibo) -> dict[str, str]:
    """The product's settings that make it talk to this mesibo; numbers log in by fixed codes."""
    return {
        "MESSENGER_MESIBO_API_URL": mesibo.url,
        "MESSENGER_MESIBO_APP_TOKEN": "sandbox",
        "MESSENGER_OTP_TEST_NUMBERS": json.dumps(dict.fromkeys((ANA, BEN, CAT), CODE)),
        "MESSENGER_OTP_TEST_NUMBERS_UNTIL": "2099-12-31",
        "MESSENGER_OUTBOX_LEASE": str(LEASE),
    }


@pytest.fixture
def start(product_server: Start, environment: dict[str, str]) -> Iterator[Callable[[], ProductServer]]:
    """Starts a server; all of them share one folder, and end as power cuts end them."""
    started: list[ProductServer] = []

    def one_more() -> ProductServer:
        started.append(product_server(**environment))
        return started[-1]

    yield one_more
    for server in started:
        server.kill()


def call(server: ProductServer, op: str, **fields: object) -> Answer:
    response = requests.post(f"{server.url}/api.php", {"op": op, **fields}, timeout=30)
    assert response.status_code == 200
    answer: Answer = response.json()
    return answer


def log_in(server: ProductServer, number: str) -> str:
    answer = call(server, "login", phone=number, appid=APPID, otp=CODE)
    assert answer["result"] == "OK", answer
    return str(answer["token"])


def rows(folder: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(folder / "instance" / "messenger.sqlite3", timeout=5)) as database:
        found = database.execute(statement).fetchall()
        database.commit()
        return found


def outbox_is_empty(folder: Path) -> bool:
    return rows(folder, "SELECT count(*) FROM outbox") == [(0,)]


@pytest.fixture
def friends(start: Callable[[], ProductServer], tmp_path: Path) -> tuple[ProductServer, str]:
    """A server, and Ana's token; Ben has her in his phone book and nothing is queued."""
    server = start()
    token = log_in(server, ANA)
    wait_for(lambda: outbox_is_empty(tmp_path), 5, "the empty outbox")
    call(server, "getcontacts", token=log_in(server, BEN), ts=0, phones=ANA)
    wait_for(lambda: outbox_is_empty(tmp_path), 5, "the empty outbox")
    return server, token


def test_what_was_answered_ok_is_told_after_a_kill_and_told_once(
    friends: tuple[ProductServer, str], mesibo: Mesibo, tmp_path: Path
) -> None:
    server, token = friends
    mesibo.down()
    assert call(server, "profile", token=token, name="Ana")["result"] == "OK"
    server.kill()
    assert mesibo.store.messages() == []
    mesibo.up()
    server.start()
    wait_for(lambda: outbox_is_empty(tmp_path), 20, "the empty outbox")
    [message] = mesibo.store.messages()
    assert (message.sender, message.to, json.loads(message.text)["name"]) == (ANA, (BEN,), "Ana")


def test_what_a_killed_worker_had_claimed_another_sends_when_the_claim_has_run_out(
    friends: tuple[ProductServer, str], start: Callable[[], ProductServer], mesibo: Mesibo, tmp_path: Path
) -> None:
    server, token = friends
    mesibo.faults.add("message", delay=20, drop=True, times=1)
    call(server, "profile", token=token, name="Ana")
    wait_for(lambda: not mesibo.faults.current(), 5, "the message to be under way")
    claimed_at = time.time()
    server.kill()
    other = start()
    assert call(other, "getgroup", token=token, gid=1)["error"] == "NOTMEMBER"
    wait_for(lambda: outbox_is_empty(tmp_path), 20, "the empty outbox")
    [message] = mesibo.store.messages()
    assert message.to == (BEN,)
    assert message.time - claimed_at > LEASE - 1.1


def test_an_edit_that_a_kill_cut_short_is_put_right_on_both_sides(
    friends: tuple[ProductServer, str], mesibo: Mesibo, tmp_path: Path
) -> None:
    server, token = friends
    log_in(server, CAT)
    gid = call(server, "setgroup", token=token, gid=0, name="Walks", m=BEN)["gid"]
    mesibo.faults.add("groupeditmembers", delay=20, drop=True, times=1)
    edit = threading.Thread(target=_cut_short, args=(server, token, gid))
    edit.start()
    wait_for(lambda: not mesibo.faults.current(), 5, "the second call of the edit")
    server.kill()
    edit.join()
    # mesibo had carried out the first half.
    half = mesibo.store.group(gid)
    assert half
    assert half.name == "Long walks"
    server.start()
    assert call(server, "getgroup", token=token, gid=gid)["name"] == "Walks"
    # The time of an unfinished edit is over.
    rows(tmp_path, "UPDATE outbox SET due_at = 0")
    wait_for(lambda: outbox_is_empty(tmp_path), 20, "the empty outbox")
    group = mesibo.store.group(gid)
    assert group
    assert (group.name, set(group.members)) == ("Walks", {ANA, BEN})
    shown = call(server, "getgroup", token=token, gid=gid)
    assert (shown["name"], shown["members"]) == ("Walks", f"1:{ANA},{BEN}")


def _cut_short(server: ProductServer, token: str, gid: int) -> None:
    with pytest.raises(requests.ConnectionError):
        call(server, "setgroup", token=token, gid=gid, name="Long walks", m=f"{BEN},{CAT}")


def test_a_deletion_that_a_kill_cut_short_is_finished_by_the_next_server(
    friends: tuple[ProductServer, str], mesibo: Mesibo, tmp_path: Path
) -> None:
    server, token = friends
    gid = call(server, "setgroup", token=token, gid=0, name="Walks", m=BEN)["gid"]
    wait_for(lambda: outbox_is_empty(tmp_path), 5, "the empty outbox")
    mesibo.faults.add("message", delay=20, drop=True, times=1)
    assert call(server, "deleteaccount", token=token)["result"] == "OK"
    wait_for(lambda: not mesibo.faults.current(), 5, "the first message about it")
    server.kill()
    assert mesibo.store.user(ANA) is not None
    server.start()
    assert call(server, "getcontacts", token=token)["error"] == "AUTHFAIL"
    wait_for(lambda: outbox_is_empty(tmp_path), 30, "the empty outbox")
    assert mesibo.store.user(ANA) is None
    assert rows(tmp_path, "SELECT address FROM users") == [(BEN,)]
    group = mesibo.store.group(gid)
    assert group
    assert group.members == (BEN,)
    told = {json.loads(message.text)["phone"] for message in mesibo.store.messages()}
    assert ANA in told


@pytest.fixture
def shared(mariadb: MariaDB, mesibo: Mesibo, tmp_path: Path) -> Iterator[tuple[Services, Workers]]:
    """The services on a database of the shared MariaDB, and workers for it."""
    with services_and_workers(mariadb, "workers", mesibo.url, tmp_path) as made:
        yield made


def test_two_workers_deliver_each_of_300_items_once_and_each_lane_in_order(
    shared: tuple[Services, Workers], mesibo: Mesibo
) -> None:
    services, workers = shared
    mesibo.store.put_user(ANA)
    mesibo.faults.add("message", delay=0.01)
    queued = [draft for n in range(300) for draft in tell(n % 30, ANA, [BEN], str(n))]

    def left() -> int:
        now = services.database.now()
        return services.database.run(lambda tx: outbox.status(tx, now)).queued

    with workers.running(2) as processes:
        wait_for(workers.are_up, 30, "both workers")
        services.database.write(lambda tx, now: outbox.add(tx, now, queued))
        wait_for(lambda: left() == 0, 40, "the empty outbox")
        assert all(process.is_running for process in processes)
    sent = [int(message.text) for message in reversed(mesibo.store.messages(limit=1000))]
    assert Counter(sent) == Counter(range(300))
    for lane in range(30):
        in_lane = [n for n in sent if n % 30 == lane]
        assert in_lane == sorted(in_lane)

"""Groups that mesibo made for requests that did not end: removed where mesibo can be asked, else named."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from structlog.testing import capture_logs

from messenger_api.mesibo.wire import ITEMS_PER_CALL
from messenger_api.services.groups.upkeep import NOTES_AT_ONCE, Upkeep
from messenger_api.storage import new_groups
from messenger_api.storage.intentions import INTENT_SECONDS
from tests.faults.outside import Mesibo, log_in, mesibos_groups, our_groups, settle
from tests.matrix import some
from tests.product import APPID, Answer, Product
from tests.servers import ProductServer, wait_for

ANA, BEN = "14155550101", "14155550102"
CODE = "135790"


def notes(product: Product) -> list[Any]:
    return product.rows("SELECT name, asked_at FROM new_groups")


def look(product: Product) -> None:
    """What a worker does once a minute, as soon as it may be done about the newest note."""
    product.clock.advance(INTENT_SECONDS + 1)
    Upkeep(product.services.database, product.services.mesibo).pass_over()
    settle(product)


@pytest.fixture
def lost(connected: Product, mesibo: Mesibo) -> int:
    """Ana's new group exists at mesibo alone: its answer was junk, and Ana was told to try later."""
    ana, _ben = log_in(connected, ANA), log_in(connected, BEN)
    mesibo.faults.add("groupadd", html=True, after=True, times=1)
    assert ana.call("setgroup", gid=0, name="Walks*", m=BEN)["error"] == "TRYLATER"
    [gid] = mesibos_groups(mesibo.store)
    assert our_groups(connected) == {}
    return gid


@pytest.mark.usefixtures("lost")
def test_a_group_whose_making_was_answered_with_junk_is_removed(connected: Product, mesibo: Mesibo) -> None:
    Upkeep(connected.services.database, connected.services.mesibo).pass_over()
    settle(connected)  # too early: the request might still be under way
    look(connected)
    assert mesibos_groups(mesibo.store) == {}
    assert notes(connected) == []


def test_groups_of_the_same_name_that_live_here_or_are_somebody_elses_stay(
    connected: Product, mesibo: Mesibo, lost: int
) -> None:
    ana = log_in(connected, ANA)
    gid = ana.ok("setgroup", gid=0, name="Walks*", m=BEN)["gid"]
    others = mesibo.store.add_group("Walks*", [ANA]).gid
    alike = mesibo.store.add_group("Walks together", [ANA, BEN]).gid
    look(connected)
    assert set(mesibos_groups(mesibo.store)) == {gid, others, alike}
    assert lost not in mesibos_groups(mesibo.store)
    assert set(our_groups(connected)) == {gid}


def test_nothing_is_removed_while_a_group_of_the_name_is_being_made(
    connected: Product, mesibo: Mesibo, lost: int
) -> None:
    database = connected.services.database
    connected.clock.advance(INTENT_SECONDS + 1)
    database.write(lambda tx, now: new_groups.add(tx, now, "Walks*", [ANA, BEN]))
    Upkeep(database, connected.services.mesibo).pass_over()
    settle(connected)
    assert lost in mesibos_groups(mesibo.store)


@pytest.mark.usefixtures("lost")
def test_mesibo_away_is_asked_again(connected: Product, mesibo: Mesibo) -> None:
    mesibo.down()
    connected.clock.advance(INTENT_SECONDS + 1)
    Upkeep(connected.services.database, connected.services.mesibo).pass_over()
    assert notes(connected) == [("Walks*", 0)]
    mesibo.up()
    look(connected)
    assert mesibos_groups(mesibo.store) == {}


@pytest.mark.parametrize("answer", [{"error": "BADOP"}, {"error": "AUTHFAIL"}])
@pytest.mark.usefixtures("lost")
def test_where_mesibo_does_not_say_what_groups_there_are_a_person_is_told(
    connected: Product, mesibo: Mesibo, answer: dict[str, str]
) -> None:
    mesibo.faults.add("groupsget", **answer)  # type: ignore[arg-type]
    with capture_logs() as log:
        look(connected)
        look(connected)
    [(name, asked_at)] = notes(connected)
    assert (name, asked_at > 0) == ("Walks*", True)
    assert [line["event"] for line in log if line["log_level"] == "error"].count(
        "group.perhaps_at_mesibo"
    ) == 1
    mesibo.faults.clear()
    look(connected)
    assert notes(connected) == []
    assert mesibos_groups(mesibo.store) == {}


def test_of_many_each_is_asked_for_in_its_turn(connected: Product, mesibo: Mesibo) -> None:
    database = connected.services.database
    names = {f"Walk {n}" for n in range(2 * NOTES_AT_ONCE + 1)}
    database.write(lambda tx, now: [new_groups.add(tx, now, name, [ANA]) for name in names])
    mesibo.faults.add("groupsget", error="BADOP")
    for _ in range(3):
        look(connected)
    assert {name for name, asked_at in notes(connected) if asked_at} == names
    mesibo.faults.clear()
    for _ in range(3):
        look(connected)
    assert notes(connected) == []


@pytest.mark.usefixtures("lost")
def test_more_groups_of_one_name_than_mesibo_lists_are_left_to_a_person(
    connected: Product, mesibo: Mesibo
) -> None:
    for _ in range(ITEMS_PER_CALL):
        mesibo.store.add_group("Walks*", [ANA])
    look(connected)
    [(_name, asked_at)] = notes(connected)
    assert asked_at > 0
    assert len(mesibos_groups(mesibo.store)) == ITEMS_PER_CALL + 1


@pytest.mark.parametrize("fault", [{"error": "BADVALUE"}, {"drop": True}, {"error": "AUTHFAIL"}])
def test_what_mesibo_did_not_make_leaves_no_note_in_the_end(
    connected: Product, mesibo: Mesibo, fault: dict[str, Any]
) -> None:
    ana = log_in(connected, ANA)
    mesibo.faults.add("groupadd", times=1, **fault)
    assert ana.call("setgroup", gid=0, name="Walks")["result"] == "FAIL"
    look(connected)
    assert notes(connected) == []
    assert ana.ok("setgroup", gid=0, name="Walks")
    assert notes(connected) == []


# kill -9


@pytest.fixture
def environment(mesibo: Mesibo) -> dict[str, str]:
    return {
        "MESSENGER_MESIBO_API_URL": mesibo.url,
        "MESSENGER_MESIBO_APP_TOKEN": "sandbox",
        "MESSENGER_OTP_TEST_NUMBERS": json.dumps({ANA: CODE, BEN: CODE}),
        "MESSENGER_OTP_TEST_NUMBERS_UNTIL": "2099-12-31",
    }


@pytest.fixture
def server(
    product_server: Callable[..., ProductServer], environment: dict[str, str]
) -> Iterator[ProductServer]:
    server = product_server(**environment)
    yield server
    server.kill()


def call(server: ProductServer, op: str, **fields: object) -> Answer:
    answer: Answer = requests.post(f"{server.url}/api.php", {"op": op, **fields}, timeout=30).json()
    return answer


def kill_while_a_group_is_made(server: ProductServer, mesibo: Mesibo, token: str, name: str) -> None:
    """mesibo makes the group and is slow to say so; then the server is killed."""
    before = len(mesibo.store.groups(limit=1000))
    mesibo.faults.add("groupadd", delay=3, after=True, times=1)

    def ask() -> None:
        with suppress(requests.RequestException):
            call(server, "setgroup", token=token, gid=0, name=name, m=BEN)

    thread = threading.Thread(target=ask)
    thread.start()
    wait_for(lambda: len(mesibo.store.groups(limit=1000)) > before, 20, "mesibo's group")
    server.kill()
    thread.join()
    server.start()


def age_notes(folder: Path) -> None:
    """As if the killed requests had been made long ago. Many kills take so long that the first ones were."""
    with closing(sqlite3.connect(folder / "instance" / "messenger.sqlite3", timeout=10)) as database:
        database.execute("UPDATE new_groups SET created_at = created_at - ?", (2 * INTENT_SECONDS,))
        database.commit()


KILLS = some(range(60), 2)


@pytest.mark.long
@pytest.mark.server
@pytest.mark.parametrize("answers", [True, False], ids=["groupsget answers", "groupsget is refused"])
def test_a_kill_between_mesibos_group_and_our_commit_leaves_none_that_nobody_knows_of(
    server: ProductServer, mesibo: Mesibo, tmp_path: Path, answers: bool
) -> None:
    call(server, "login", phone=BEN, appid=APPID, otp=CODE)
    token = str(call(server, "login", phone=ANA, appid=APPID, otp=CODE)["token"])
    kept = call(server, "setgroup", token=token, gid=0, name="Kept", m=BEN)["gid"]
    if not answers:
        mesibo.faults.add("groupsget", error="BADOP")
    for n in KILLS:
        kill_while_a_group_is_made(server, mesibo, token, f"Walk {n}")
    server.stop()
    age_notes(tmp_path)
    server.start()  # housekeeping begins with the start

    def left() -> int:
        with closing(sqlite3.connect(tmp_path / "instance" / "messenger.sqlite3", timeout=10)) as database:
            where = "" if answers else " WHERE asked_at = 0"
            [(count,)] = database.execute(f"SELECT count(*) FROM new_groups{where}").fetchall()
            return int(count)

    # A pass looks after 20; the next one comes with the next start.
    for _ in range(4):
        with suppress(TimeoutError):
            wait_for(lambda: left() == 0, 15, "housekeeping")
        if left() == 0:
            break
        server.stop()
        server.start()
    if answers:
        wait_for(lambda: {g.gid for g in mesibo.store.groups(limit=1000)} == {kept}, 30, "the removal")
    else:
        with closing(sqlite3.connect(tmp_path / "instance" / "messenger.sqlite3", timeout=10)) as database:
            named = {name for (name,) in database.execute("SELECT name FROM new_groups WHERE asked_at > 0")}
        assert named == {f"Walk {n}" for n in KILLS}

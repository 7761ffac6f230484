"""Several admins edit the same groups at once while mesibo fails at random: in the end both sides agree."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest

from messenger_api.domain.errors import TryLater
from tests.faults.outside import (
    LATE,
    Mesibo,
    log_in,
    mesibos_groups,
    our_groups,
    settings_for,
    settle,
)
from tests.product import Answer, Phone, Product
from tests.servers import wait_for

# Few edits to a group, so that what an edit leaves behind is not put right by the next; many groups.
GROUPS = 12
SECONDS = 2.5
OWNER = "14155550100"
ADMINS = [f"1415555011{n}" for n in range(3)]
# Nobody ever removes these, and they do not leave.
LOYAL = [f"1415555012{n}" for n in range(3)]
# These are added and removed all the time, by all.
FLOATING = [f"1415555013{n}" for n in range(4)]
ACCEPTED = {"TRYLATER", "BADGROUP", "NOTMEMBER", "BADVALUE"}

Edit = Callable[[], Answer]


def edit_by(phone: Phone, gid: int, chance: random.Random) -> Edit:
    """What an admin may do to a group; `LOYAL`, the owner and the admins are always among the wanted."""

    def some() -> str:
        return ",".join(chance.sample(FLOATING, chance.randint(1, len(FLOATING))))

    def name() -> str:
        return f"{chance.choice(('Walks', 'Cooks', 'Reads'))} {chance.randint(1, 99)}"

    everyone = ",".join([OWNER, *ADMINS, *LOYAL])
    edits: list[Edit] = [
        lambda: phone.call("setgroup", gid=gid, name=name(), m=f"{everyone},{some()}"),
        lambda: phone.call("setgroup", gid=gid, name="", m=everyone),
        lambda: phone.call("editmembers", gid=gid, m=some()),
        lambda: phone.call("editmembers", gid=gid, m=some(), delete=1),
        lambda: phone.call("profile", gid=gid, name=name()),
        lambda: phone.call("setadmin", gid=gid, m=some(), admin=chance.randint(0, 1)),
        # The owner is named on purpose: he must stay what he is.
        lambda: phone.call("setadmin", gid=gid, m=OWNER, admin=0),
        lambda: phone.call("editmembers", gid=gid, m=OWNER, delete=1),
    ]
    return chance.choice(edits)


def admin(phone: Phone, gids: list[int], seed: int, until: float) -> list[Answer]:
    chance = random.Random(seed)
    answers = []
    while time.monotonic() < until:
        answers.append(edit_by(phone, chance.choice(gids), chance)())
    return answers


def leaver(phone: Phone, gids: list[int], seed: int, until: float) -> list[Answer]:
    chance = random.Random(seed)
    answers = []
    while time.monotonic() < until:
        answers.append(phone.call("delgroup", gid=chance.choice(gids)))
        time.sleep(chance.uniform(0, 0.2))
    return answers


def weather(mesibo: Mesibo, seed: int, until: float) -> None:
    """Break mesibo now and then, in every way in which a call can fail, and let it be well in between."""
    chance = random.Random(seed)
    faults: list[dict[str, object]] = [
        {"drop": True},
        {"drop": True, "after": True},
        {"html": True},
        {"html": True, "after": True},
        {"error": "BADVALUE"},
        {"delay": 0.1},
        {"delay": LATE},
        {"delay": LATE, "drop": True},
    ]
    while time.monotonic() < until:
        op = chance.choice(("*", "groupset", "groupeditmembers"))
        mesibo.faults.add(op, times=chance.randint(1, 3), **chance.choice(faults))  # type: ignore[arg-type]
        time.sleep(chance.uniform(0.05, 0.3))
    mesibo.faults.clear()


@contextmanager
def delivering(product: Product, workers: int = 2) -> Iterator[None]:
    """Outbox workers at work, as many as on several machines."""
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            with suppress(TryLater):
                product.deliver()
            done.wait(0.05)

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()


@pytest.mark.server
@pytest.mark.parametrize("seed", [1])
def test_both_sides_agree_when_all_is_quiet(
    make_product: Callable[..., Product], mesibo: Mesibo, seed: int
) -> None:
    product = make_product(**settings_for(mesibo))
    phones = {number: log_in(product, number) for number in (OWNER, *ADMINS, *LOYAL, *FLOATING)}
    gids = [founded(phones[OWNER], f"Walks {n}") for n in range(GROUPS)]
    settle(product)

    until = time.monotonic() + SECONDS
    with delivering(product), ThreadPoolExecutor(8) as pool:
        storm = pool.submit(weather, mesibo, seed, until)
        admins = [
            pool.submit(admin, phones[number], gids, seed * 100 + n, until)
            for n, number in enumerate((OWNER, *ADMINS))
        ]
        leavers = [
            pool.submit(leaver, phones[number], gids, seed * 100 + 50 + n, until)
            for n, number in enumerate(FLOATING[:2])
        ]
    storm.result()
    answers = [answer for done in (*admins, *leavers) for answer in done.result()]
    time.sleep(LATE)  # until mesibo has carried out the last late call
    settle(product)

    assert {answer.get("error", "OK") for answer in answers} <= {"OK", *ACCEPTED}
    assert sum(answer["result"] == "OK" for answer in answers) > 20
    assert sum(answer["result"] == "FAIL" for answer in answers) > 5
    assert our_groups(product) == mesibos_groups(mesibo.store)
    assert set(our_groups(product)) == set(gids)
    for gid, (_name, members) in our_groups(product).items():
        assert {OWNER, *ADMINS, *LOYAL} <= members
        assert_roles(product, gid)
        shown = phones[OWNER].ok("getgroup", gid=gid)["members"]
        assert set(shown.partition(":")[2].split(",")) == members
    assert product.rows("SELECT last_error FROM outbox") == []


def founded(owner: Phone, name: str) -> int:
    gid: int = owner.ok("setgroup", gid=0, name=name, m=",".join([*ADMINS, *LOYAL]))["gid"]
    owner.ok("setadmin", gid=gid, m=",".join(ADMINS), admin=1)
    return gid


def assert_roles(product: Product, gid: int) -> None:
    """One owner, the one who made it; who was never named in an edit is what he was."""
    members = "group_members m JOIN users u ON u.uid = m.uid"
    roles = dict(product.rows(f"SELECT u.address, m.role FROM {members} WHERE m.gid = {gid}"))
    assert [address for address, role in roles.items() if role == 2] == [OWNER]
    assert all(roles[number] == 1 for number in ADMINS)
    assert all(roles[number] == 0 for number in LOYAL)


def test_somebody_who_leaves_while_an_edit_is_under_way_is_gone_on_both_sides(
    connected: Product, mesibo: Mesibo
) -> None:
    owner, leaving = log_in(connected, OWNER), log_in(connected, FLOATING[0])
    gid = owner.ok("setgroup", gid=0, name="Walks", m=leaving.number)["gid"]
    settle(connected)
    mesibo.faults.add("groupset", delay=0.3, times=1)
    with ThreadPoolExecutor(1) as pool:
        edit = pool.submit(owner.call, "setgroup", gid=gid, name="Cooks")
        wait_for(lambda: not mesibo.faults.current(), 5, "the edit to reach mesibo")
        leaving.ok("delgroup", gid=gid)
        assert connected.deliver()
        assert edit.result()["result"] == "OK"
    settle(connected)
    assert our_groups(connected) == mesibos_groups(mesibo.store) == {gid: ("Cooks", {OWNER})}

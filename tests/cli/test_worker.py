"""`messenger-api worker`: the outbox in a process of its own, on both databases."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.cli.commands import NEWEST, Cli, Process, Start
from tests.processes import wait_for
from tests.product import Product

pytestmark = pytest.mark.server

ANA, BEN = "14155550101", "14155550102"
RUNS = "The worker delivers the outbox."


@pytest.fixture
def worker(start: Start, keys: dict[str, str]) -> Process:
    return start("worker", **keys)


def queue_updates(product: Product, count: int = 1) -> None:
    """So many people change their profiles once, which Ana is to be told."""
    ana, people = product.log_in(ANA, "Ana"), [str(int(BEN) + n) for n in range(count)]
    ana.ok("getcontacts", phones=people)
    phones = [product.log_in(number, "Ben") for number in people]
    product.deliver()
    for number, phone in enumerate(phones):
        phone.ok("profile", name=f"Ben {number}")


def told(product: Product) -> list[str]:
    """The update messages about their new names."""
    messages = product.sandbox.store.messages(limit=100)
    return [message.text for message in messages if '"Ben ' in message.text]


def test_it_delivers_what_others_queued_and_says_that_it_runs(installation: Product, worker: Process) -> None:
    queue_updates(installation)
    worker.says(RUNS)
    wait_for(lambda: not installation.rows("SELECT id FROM outbox"), 10, "an empty outbox")
    assert len(told(installation)) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_at_once_and_without_a_traceback(
    installation: Product, worker: Process, number: signal.Signals
) -> None:
    worker.says(RUNS)
    worker.signal(number, group=number == signal.SIGINT)
    assert worker.ends(8) == 0
    assert "Traceback" not in worker.output()


def test_a_stop_finishes_the_item_at_hand_and_leaves_the_rest_to_the_next_worker(
    installation: Product, start: Start, keys: dict[str, str]
) -> None:
    queue_updates(installation, 3)
    installation.sandbox.faults.add("message", delay=2, times=1)
    worker = start("worker", **keys)
    wait_for(lambda: installation.rows("SELECT id FROM outbox WHERE claim <> ''"), 10, "an item in work")
    time.sleep(0.3)

    worker.signal(signal.SIGTERM)

    assert worker.ends(10) == 0
    assert len(told(installation)) == 1
    left = installation.rows("SELECT claim FROM outbox ORDER BY id")
    assert [claim for (claim,) in left] == ["", ""]

    start("worker", **keys).says(RUNS)
    wait_for(lambda: not installation.rows("SELECT id FROM outbox"), 10, "an empty outbox")
    assert len(told(installation)) == 3


def test_two_workers_deliver_everything_once(
    installation: Product, start: Start, keys: dict[str, str]
) -> None:
    queue_updates(installation, 12)
    installation.sandbox.faults.add("message", delay=0.05)
    for worker in [start("worker", **keys), start("worker", **keys)]:
        worker.says(RUNS)
    wait_for(lambda: not installation.rows("SELECT id FROM outbox"), 20, "an empty outbox")
    assert len(told(installation)) == 12


def test_it_makes_the_tables_of_sqlite_and_refuses_old_ones_in_mysql(
    start: Start, keys: dict[str, str], cli: Cli
) -> None:
    worker = start("worker", **keys)
    if "sqlite" in keys["MESSENGER_SQLALCHEMY_DATABASE_URI"]:
        worker.says(RUNS)
        assert cli.ok("db", "current", **keys) == f"{NEWEST}\n"
    else:
        assert worker.ends() == 1
        assert "messenger-api db upgrade" in worker.output()
        assert RUNS not in worker.output()


def test_a_wrong_configuration_ends_it_with_a_line(start: Start, tmp_path: Path) -> None:
    worker = start("worker", MESSENGER_OTP_LENGTH="4")
    assert worker.ends() == 1
    assert worker.output().splitlines() == [
        "The configuration has faults:",
        "  OTP_LENGTH = 4: accepted is a whole number from 6 to 10",
    ]

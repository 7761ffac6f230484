"""`messenger-api outbox`: what waits and what was given up, on both databases."""

from __future__ import annotations

import pytest

from tests.cli.commands import Cli
from tests.product import Product

ANA, BEN = "14155550101", "14155550102"


def queue_update(product: Product) -> None:
    """Ben's profile changes, which Ana is to be told."""
    ana = product.log_in(ANA, "Ana")
    ana.ok("getcontacts", phones=BEN)
    ben = product.log_in(BEN, "Ben")
    product.deliver()
    ben.ok("profile", name="Benjamin")


EMPTY = {"queued": 0, "dead": 0, "oldest": 0, "dead_items": [], "unknown_groups": []}


def test_an_outbox_with_nothing_to_do_is_empty(cli: Cli, installation: Product) -> None:
    assert cli.json("outbox", "status") == EMPTY
    assert cli.ok("outbox", "status").splitlines() == ["queued  0", "dead    0"]


def test_what_waits_is_counted_with_the_age_of_the_oldest(cli: Cli, installation: Product) -> None:
    installation.clock.advance(-100)
    queue_update(installation)
    status = cli.json("outbox", "status")
    assert (status["queued"], status["dead"]) == (1, 0)
    assert 100 <= status["oldest"] < 160
    assert "the oldest for 1" in cli.ok("outbox", "status")


def test_a_dead_item_is_listed_with_the_reason(cli: Cli, installation: Product) -> None:
    queue_update(installation)
    installation.sandbox.faults.add("message", error="BADVALUE")
    for _ in range(10):
        installation.deliver()
        installation.clock.advance(600)

    status = cli.json("outbox", "status")

    assert (status["queued"], status["dead"]) == (0, 1)
    (item,) = status["dead_items"]
    assert (item["kind"], item["attempts"] > 0) == ("user_changed", True)
    assert "BADVALUE" in item["last_error"]
    printed = cli.ok("outbox", "status")
    assert "dead    1" in printed
    assert "user_changed" in printed
    assert "BADVALUE" in printed


def test_nothing_of_the_contents_is_shown(cli: Cli, installation: Product) -> None:
    queue_update(installation)
    installation.sandbox.faults.add("message", error="BADVALUE")
    for _ in range(10):
        installation.deliver()
        installation.clock.advance(600)
    for output in (cli.ok("outbox", "status"), cli.ok("outbox", "status", "--json")):
        assert ANA not in output
        assert BEN not in output
        assert "Benjamin" not in output


def test_the_list_of_dead_items_has_a_limit_and_their_count_has_none(cli: Cli, installation: Product) -> None:
    columns = "lane, kind, payload, state, created_at, due_at"
    statement = f"INSERT INTO outbox ({columns}) VALUES ('a', 'gone', '{{}}', 1, 1, 1)"
    with installation.services.database.engine.connect() as connection:
        for _ in range(3):
            connection.exec_driver_sql(statement)
    status = cli.json("outbox", "status", "--limit", "2")
    assert (status["dead"], len(status["dead_items"])) == (3, 2)


def give_up(product: Product) -> int:
    """Have mesibo refuse an update message until it is given up; returns its id."""
    queue_update(product)
    product.sandbox.faults.add("message", error="BADVALUE")
    for _ in range(10):
        product.deliver()
        product.clock.advance(600)
    product.sandbox.faults.clear()
    product.clock.offset = 0
    [(item,)] = product.rows("SELECT id FROM outbox WHERE state = 1")
    return int(item)


@pytest.mark.parametrize("every", [True, False])
def test_what_was_given_up_is_tried_again(cli: Cli, installation: Product, every: bool) -> None:
    item = give_up(installation)
    assert cli.ok("outbox", "retry", "--all" if every else str(item)) == "Queued again: 1\n"
    status = cli.json("outbox", "status")
    assert (status["queued"], status["dead"]) == (1, 0)
    assert installation.deliver()
    assert installation.rows("SELECT id FROM outbox") == []
    assert "Benjamin" in installation.sandbox.store.messages()[0].text


def test_what_is_tried_again_has_all_its_tries_anew(cli: Cli, installation: Product) -> None:
    give_up(installation)
    cli.ok("outbox", "retry", "--all")
    assert installation.rows("SELECT attempts, last_error FROM outbox") == [(0, "")]


@pytest.mark.parametrize("every", [True, False])
def test_what_was_given_up_is_removed_for_good(cli: Cli, installation: Product, every: bool) -> None:
    item = give_up(installation)
    assert cli.ok("outbox", "purge", "--all" if every else str(item), "--yes") == "Removed: 1\n"
    assert installation.rows("SELECT id FROM outbox") == []


def test_nothing_is_removed_unless_that_is_confirmed(cli: Cli, installation: Product) -> None:
    give_up(installation)
    assert cli.run("outbox", "purge", "--all").exit_code == 1
    assert cli.json("outbox", "status")["dead"] == 1


@pytest.mark.parametrize("command", ["retry", "purge"])
def test_what_still_waits_is_neither_retried_nor_removed(
    cli: Cli, installation: Product, command: str
) -> None:
    queue_update(installation)
    [(item,)] = installation.rows("SELECT id FROM outbox")
    yes = ["--yes"] if command == "purge" else []
    result = cli.run("outbox", command, str(item), *yes)
    assert (result.exit_code, result.stderr) == (1, f"No item {item} was given up.\n")
    assert cli.json("outbox", "status")["queued"] == 1
    for arguments in ([], [str(item), "--all"]):
        result = cli.run("outbox", command, *arguments, *yes)
        assert (result.exit_code, result.stderr) == (1, "Name an item or say --all.\n")

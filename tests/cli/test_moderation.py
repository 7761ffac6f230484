"""`messenger-api users block|unblock|delete|export|reports`, on both databases."""

from __future__ import annotations

import json

import pytest

from tests.cli.commands import Cli
from tests.product import APPID, Phone, Product, jpeg

ANA, BEN, CAT = "14155550101", "919876543210", "14155550103"


@pytest.fixture
def ana(installation: Product) -> Phone:
    return installation.log_in(ANA, "Ana", device="Pixel")


@pytest.fixture
def ben(installation: Product) -> Phone:
    return installation.log_in(BEN, "Ben")


def is_dead(phone: Phone) -> bool:
    return bool(phone.call("getcontacts").get("error") == "AUTHFAIL")


# block and unblock


def test_a_blocked_user_is_out_at_once_and_mesibos_token_goes(
    cli: Cli, installation: Product, ana: Phone, ben: Phone
) -> None:
    assert cli.ok("users", "block", ANA) == f"{ANA} is blocked.\n"
    assert is_dead(ana)
    assert not is_dead(ben)
    assert [cli.json("users", "show", number)["blocked"] for number in (ANA, BEN)] == [True, False]
    assert "blocked   yes" in cli.ok("users", "show", ANA).splitlines()
    assert installation.deliver()
    assert installation.sandbox.store.tokens(ANA) == []


def test_an_unblocked_user_may_log_in_again(cli: Cli, installation: Product, ana: Phone) -> None:
    cli.ok("users", "block", ANA)
    assert cli.ok("users", "unblock", ANA) == f"{ANA} may log in again.\n"
    installation.clock.advance(60)
    assert installation.log_in(ANA).login["name"] == "Ana"


@pytest.mark.parametrize("written", [f"+{BEN}", "+91 98765 43210", "0091-9876543210", "98765 43210"])
def test_a_number_is_read_however_it_is_written(cli: Cli, ben: Phone, written: str) -> None:
    cli.ok("users", "block", written, MESSENGER_DEFAULT_COUNTRY="IN")
    assert is_dead(ben)


@pytest.mark.parametrize("command", ["block", "unblock", "delete", "export"])
def test_a_number_without_an_account_is_said_to_have_none(cli: Cli, ana: Phone, command: str) -> None:
    arguments = ["--yes"] if command == "delete" else []
    result = cli.run("users", command, CAT, *arguments)
    assert (result.exit_code, result.stderr) == (1, f"No user has the number {CAT}.\n")
    assert not is_dead(ana)


# delete


def test_a_deleted_user_is_gone_with_everything(
    cli: Cli, installation: Product, ana: Phone, ben: Phone
) -> None:
    ana.ok("profile", photo=jpeg())
    gid = ana.ok("setgroup", name="Crew", m=BEN)["gid"]
    assert cli.ok("users", "delete", ANA, "--yes") == f"The account of {ANA} is deleted.\n"
    assert installation.rows("SELECT address FROM users") == [(BEN,)]
    assert ben.ok("getgroup", gid=gid)["members"] == f"1:{BEN}"
    assert is_dead(ana)


def test_a_blocked_user_can_be_deleted(cli: Cli, installation: Product, ana: Phone) -> None:
    cli.ok("users", "block", ANA)
    cli.ok("users", "delete", ANA, "--yes")
    assert installation.rows("SELECT address FROM users") == []


def test_without_yes_nothing_is_deleted_unless_it_is_confirmed(cli: Cli, ana: Phone) -> None:
    result = cli.run("users", "delete", ANA)
    assert result.exit_code == 1
    assert f"Delete the account of {ANA}" in result.output
    assert not is_dead(ana)


def test_nothing_is_asked_about_a_number_without_an_account(cli: Cli, ana: Phone) -> None:
    result = cli.run("users", "delete", CAT)
    assert result.exit_code == 1
    assert result.output == f"No user has the number {CAT}.\n"


def test_a_deletion_that_mesibo_keeps_waiting_is_left_to_the_outbox(
    cli: Cli, installation: Product, ana: Phone
) -> None:
    installation.sandbox.faults.add("*", drop=True)
    assert "the outbox goes on" in cli.ok("users", "delete", ANA, "--yes")
    assert is_dead(ana)
    installation.sandbox.faults.clear()
    installation.clock.advance(60)
    assert installation.deliver()
    assert installation.sandbox.store.user(ANA) is None


# export


def test_an_export_is_what_the_app_is_answered(cli: Cli, ana: Phone, ben: Phone) -> None:
    ana.ok("profile", status="On the moon", photo=jpeg())
    ana.ok("setgroup", name="Crew", m=BEN)
    found = json.loads(cli.ok("users", "export", ANA, MESSENGER_PUBLIC_URL="http://localhost"))
    assert found == ana.ok("exportaccount")["account"]
    assert found["sessions"][0]["appid"] == APPID


# reports


def test_reports_are_listed_newest_first(cli: Cli, ana: Phone, ben: Phone) -> None:
    ana.ok("report", phone=BEN, reason="spam", text="sells watches")
    ben.ok("report", phone=ANA, reason="abuse")
    first, second = cli.json("users", "reports")
    assert list(first) == ["id", "reporter", "reported", "gid", "reason", "text", "created_at"]
    assert (first["reporter"], first["reported"], first["reason"]) == (BEN, ANA, "abuse")
    assert (second["reporter"], second["reported"], second["text"]) == (ANA, BEN, "sells watches")
    assert cli.json("users", "reports", "--limit", "1") == [first]
    assert cli.json("users", "reports", "--before", str(first["id"])) == [second]
    head, *lines = cli.ok("users", "reports").splitlines()
    assert head.split() == ["ID", "SINCE", "REPORTER", "REPORTED", "GID", "REASON", "TEXT"]
    assert len(lines) == 2


def test_a_report_draws_no_lines_of_its_own_into_the_table(cli: Cli, ana: Phone, ben: Phone) -> None:
    ana.ok("report", phone=BEN, text="first\n99 fake \x1b[31mline\u202e")
    _head, *lines = cli.ok("users", "reports").splitlines()
    assert len(lines) == 1
    assert lines[0].endswith("other   first 99 fake [31mline")

"""`messenger-api users`: what an operator sees of the accounts, on both databases."""

from __future__ import annotations

import pytest

from tests.cli.commands import Cli
from tests.product import Phone, Product

ANA, BEN, CAT = "14155550101", "919876543210", "14155550103"


@pytest.fixture
def ana(installation: Product) -> Phone:
    return installation.log_in(ANA, "Ana 👩‍🚀", device="Pixel")


@pytest.fixture
def ben(installation: Product) -> Phone:
    return installation.log_in(BEN, "Ben")


def test_users_are_listed_in_the_order_of_their_uids(cli: Cli, ana: Phone, ben: Phone) -> None:
    head, *lines = cli.ok("users", "list").splitlines()
    assert head.split() == ["UID", "NUMBER", "NAME", "COUNTRY", "SINCE"]
    assert [line.split()[1] for line in lines] == [ANA, BEN]
    assert "Ana 👩‍🚀" in lines[0]


def test_the_list_as_json_is_an_array_with_a_row_each(cli: Cli, ana: Phone, ben: Phone) -> None:
    first, second = cli.json("users", "list")
    assert set(first) == {"uid", "address", "name", "country", "created_at", "changed_at"}
    assert (first["address"], first["name"], first["country"]) == (ANA, "Ana 👩‍🚀", "US")
    assert (second["address"], second["country"]) == (BEN, "IN")


def test_the_next_page_begins_behind_the_last_uid(cli: Cli, ana: Phone, ben: Phone) -> None:
    result = cli.run("users", "list", "--limit", "1", "--json")
    (first,) = cli.json("users", "list", "--limit", "1")
    assert result.exit_code == 0
    (second,) = cli.json("users", "list", "--limit", "1", "--after", str(first["uid"]))
    assert [first["address"], second["address"]] == [ANA, BEN]
    assert cli.json("users", "list", "--after", str(second["uid"])) == []


def test_a_full_page_says_how_to_go_on_without_disturbing_what_is_printed(cli: Cli, ana: Phone) -> None:
    result = cli.run("users", "list", "--limit", "1")
    assert "--after" in result.stderr
    assert "--after" not in result.stdout


@pytest.mark.parametrize("written", [BEN, f"+{BEN}", "+91 98765 43210", "0091-9876543210", "98765 43210"])
def test_a_number_is_found_however_it_is_written(cli: Cli, ana: Phone, ben: Phone, written: str) -> None:
    (found,) = cli.json("users", "list", "--phone", written, MESSENGER_DEFAULT_COUNTRY="IN")
    assert found["address"] == BEN
    assert cli.json("users", "show", written, MESSENGER_DEFAULT_COUNTRY="IN")["address"] == BEN


@pytest.mark.parametrize("number", [CAT, "nobody", "ñandú", "", "%"])
def test_a_number_without_an_account_is_not_found(cli: Cli, ana: Phone, number: str) -> None:
    if number:
        assert cli.json("users", "list", "--phone", number) == []
    result = cli.run("users", "show", number)
    assert result.exit_code == 1
    assert result.stderr == f"No user has the number {number}.\n"


def test_a_user_is_shown_with_profile_sessions_groups_and_the_size_of_the_phone_book(
    cli: Cli, ana: Phone, ben: Phone
) -> None:
    ana.ok("profile", status="On the moon")
    ana.ok("getcontacts", phones=f"{BEN},{CAT}")
    ana.ok("setnotify", notifytoken="a-push-token", fcm="1")
    ana.ok("setgroup", gid="0", name="Crew", m=BEN)

    user = cli.json("users", "show", ANA)

    assert (user["name"], user["status"], user["country"]) == ("Ana 👩‍🚀", "On the moon", "US")
    assert user["contacts"] == 2
    (session,) = user["sessions"]
    assert (session["appid"], session["device"], session["push"]) == ("com.example.messenger", "Pixel", True)
    (group,) = user["groups"]
    assert (group["name"], group["role"], group["members"]) == ("Crew", "owner", 2)
    assert cli.json("users", "show", BEN)["groups"][0]["role"] == "member"


def test_people_read_the_same_as_programs(cli: Cli, ana: Phone, ben: Phone) -> None:
    ana.ok("setgroup", gid="0", name="Crew", m=BEN)
    output = cli.ok("users", "show", BEN)
    for line in ("number    919876543210", "name      Ben", "Sessions: 1", "Groups: 1"):
        assert line in output.splitlines()
    assert "com.example.messenger" in output
    assert "Crew" in output


def test_it_is_shown_why_push_tokens_went(cli: Cli, ana: Phone, ben: Phone) -> None:
    ana.ok("setnotify", notifytoken="a-push-token", dt=2, prod=1)
    ben.ok("setnotify", notifytoken="a-push-token", dt=2)
    ben.ok("logout")
    (anas,), (bens,) = (cli.json("users", "show", number)["gone_push_tokens"] for number in (ANA, BEN))
    assert [anas[name] for name in ("why", "device_type", "production", "fcm")] == [
        *("other_account", 2, True, False)
    ]
    assert bens["why"] == "logged_out"
    assert anas["token"] == bens["token"], "the same token is known again"
    assert 0 <= anas["gone_at"] - anas["registered_at"] < 60
    lines = cli.ok("users", "show", ANA).splitlines()
    at = lines.index("Push tokens that went within 90 days: 1")
    assert lines[at + 1].split() == ["GONE", "WHY", "DEVICE", "REGISTERED", "TOKEN"]
    assert lines[at + 2].split()[2:4] == ["other_account", "2"]
    assert lines[at + 2].endswith(anas["token"][:12])


def test_no_token_is_ever_shown(cli: Cli, ana: Phone) -> None:
    ana.ok("setnotify", notifytoken="a-push-token", fcm="1")
    for arguments in (("users", "show", ANA), ("users", "list")):
        for output in (cli.ok(*arguments), cli.ok(*arguments, "--json")):
            assert ana.token not in output
            assert "a-push-token" not in output


def test_an_empty_installation_lists_nobody(cli: Cli, installation: Product) -> None:
    assert cli.json("users", "list") == []
    assert cli.ok("users", "list").splitlines()[1:] == []


def test_tables_that_were_never_made_are_made_in_sqlite_and_asked_for_in_mysql(
    cli: Cli, keys: dict[str, str]
) -> None:
    result = cli.run("users", "list", "--json", **keys)
    if "sqlite" in keys["MESSENGER_SQLALCHEMY_DATABASE_URI"]:
        assert (result.exit_code, result.stdout) == (0, "[]\n")
    else:
        assert result.exit_code == 1
        assert "messenger-api db upgrade" in result.stderr

"""`messenger-api groups`: the groups and their members, on both databases."""

from __future__ import annotations

import pytest

from tests.cli.commands import Cli
from tests.product import Phone, Product

ANA, BEN = "14155550101", "919876543210"


@pytest.fixture
def ana(installation: Product) -> Phone:
    installation.log_in(BEN, "Ben")
    return installation.log_in(ANA, "Ana")


def test_groups_are_listed_in_the_order_of_their_gids(cli: Cli, ana: Phone) -> None:
    gids = [ana.ok("setgroup", name=name, m=BEN)["gid"] for name in ("Crew 🚀", "Hike")]
    first, second = cli.json("groups", "list")
    assert set(first) == {"gid", "name", "owner", "members", "created_at", "changed_at"}
    assert [first["gid"], second["gid"]] == sorted(gids)
    assert (first["name"], first["owner"], first["members"]) == ("Crew 🚀", ANA, 2)
    head, *lines = cli.ok("groups", "list").splitlines()
    assert head.split() == ["GID", "NAME", "OWNER", "MEMBERS", "SINCE"]
    assert "Crew 🚀" in lines[0]


def test_the_next_page_begins_behind_the_last_gid(cli: Cli, ana: Phone) -> None:
    first, second = sorted(ana.ok("setgroup", name=name)["gid"] for name in ("a", "b"))
    result = cli.run("groups", "list", "--limit", "1")
    assert f"--after {first}" in result.stderr
    [found] = cli.json("groups", "list", "--after", str(first))
    assert found["gid"] == second


def test_a_group_is_shown_with_its_members_and_their_roles(cli: Cli, ana: Phone) -> None:
    gid = ana.ok("setgroup", name="Crew", m=BEN)["gid"]
    found = cli.json("groups", "show", str(gid))
    assert set(found) == {"gid", "name", "photo", "changed_at", "members"}
    assert [(m["address"], m["role"]) for m in found["members"]] == [(ANA, "owner"), (BEN, "member")]
    output = cli.ok("groups", "show", str(gid))
    for line in ("name      Crew", "Members: 2"):
        assert line in output.splitlines()
    assert ANA in output


def test_a_group_that_is_not_there_is_said_not_to_be(cli: Cli, ana: Phone) -> None:
    result = cli.run("groups", "show", "77")
    assert (result.exit_code, result.stderr) == (1, "There is no group 77.\n")

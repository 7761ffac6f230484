"""`messenger-api mesibo import` and `export`: nothing unasked, nothing twice, nothing lost."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from messenger_api.sandbox.faults import Faults
from messenger_api.sandbox.server import SandboxServer
from messenger_api.sandbox.store import SandboxStore
from tests.cli.commands import Cli
from tests.gateways.mesibo_stub import Stub, hang_up, ok, refused

DIGITS = ["--alphabet", "0123456789"]


def rows_of(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".csv":
        return list(csv.DictReader(path.read_text().splitlines()))
    return [json.loads(line) for line in path.read_text().splitlines()]


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


# Export


@pytest.mark.parametrize("ending", [".csv", ".jsonl"])
def test_what_is_exported_is_imported_elsewhere(
    sandboxed: Cli, store: SandboxStore, tmp_path: Path, ending: str
) -> None:
    for number in range(30):
        store.put_user(f"49{number:02d}", name=f"Ä {number}", active=number > 0)
    walks = store.add_group("Walks", ["4900", "4901"]).gid
    cooks = store.add_group("Cooks, and more", ["4902"]).gid
    files = {kind: tmp_path / f"{kind}{ending}" for kind in ("users", "groups", "members")}
    for kind, file in files.items():
        letters = DIGITS if kind == "users" else []
        match = ["--match", "49*"] if kind == "users" else []
        assert str(file) in sandboxed.ok("mesibo", "export", str(file), "--of", kind, *match, *letters)
    with SandboxStore(tmp_path / "other.sqlite3") as other, SandboxServer(other) as server:
        there = {"MESSENGER_MESIBO_API_URL": f"{server.url}/backend"}
        other.add_group("before")
        groups, members = str(files["groups"]), str(files["members"])
        sandboxed.ok("mesibo", "import", str(files["users"]), "--of", "users", "--go", **there)
        sandboxed.ok("mesibo", "import", groups, "--of", "groups", "--new", "--go", **there)
        sandboxed.ok("mesibo", "import", members, "--of", "members", "--groups", groups, "--go", **there)
        found = {user.address: (user.name, user.active) for user in other.users()}
        assert found == {user.address: (user.name, user.active) for user in store.users()}
        named = {group.name: set(group.members) for group in other.groups()}
        assert named == {"before": set(), "Walks": {"4900", "4901"}, "Cooks, and more": {"4902"}}
        assert {group.gid for group in other.groups()} != {walks, cooks}
        assert other.tokens("4900") == [], "a user who is brought keeps the token there is"


def test_a_large_group_is_told_and_no_part_of_it_is_written(
    sandboxed: Cli, store: SandboxStore, tmp_path: Path
) -> None:
    for number in range(20):
        store.put_user(f"49{number:02d}")
    large = store.add_group("Large", [f"49{number:02d}" for number in range(20)]).gid
    small = store.add_group("Small", ["4900"]).gid
    file = tmp_path / "m.csv"
    gids = ["--gid", str(large), "--gid", str(small)]
    result = sandboxed.run("mesibo", "export", str(file), "--of", "members", *gids)
    assert result.exit_code == 1
    assert str(large) in result.stderr
    assert [row["gid"] for row in rows_of(file)] == [str(small)]


def test_an_export_that_fails_leaves_no_half_file(
    sandboxed: Cli, store: SandboxStore, tmp_path: Path
) -> None:
    Faults(store).add("usersget", error="BADVALUE")
    assert sandboxed.run("mesibo", "export", str(tmp_path / "u.csv"), "--of", "users").exit_code == 1
    Faults(store).add("groupgetmembers", error="BADVALUE")
    asked = ["mesibo", "export", str(tmp_path / "m.csv"), "--of", "members", "--gid", "7"]
    assert sandboxed.run(*asked).exit_code == 1
    assert not list(tmp_path.glob("*.csv"))


def test_only_an_outage_is_no_large_group(scripted: tuple[Cli, Stub], tmp_path: Path) -> None:
    cli, stub = scripted
    stub.answers.append(ok())
    asked = ["mesibo", "export", str(tmp_path / "m.csv"), "--of", "members", "--gid", "7"]
    assert "bad answer" in cli.run(*asked).stderr


# Import


USERS = ("address,name,active,flags", "491,Ana,true,", "492,Ben,no,3")


def test_nothing_is_sent_without_go(scripted: tuple[Cli, Stub], tmp_path: Path) -> None:
    cli, stub = scripted
    file = write(tmp_path / "u.csv", *USERS)
    told = cli.ok("mesibo", "import", str(file), "--of", "users")
    assert told == "2 users to bring, 0 done before, 0 skipped.\nNothing was sent: --go does it.\n"
    assert stub.seen == []
    assert sorted(path.name for path in tmp_path.glob("u*")) == ["u.csv"]


def test_a_second_run_sends_what_the_first_did_not(scripted: tuple[Cli, Stub], tmp_path: Path) -> None:
    cli, stub = scripted
    file = write(tmp_path / "u.csv", *USERS)
    stub.answers.extend([ok(user={"uid": 1}), refused(error="AUTHFAIL", code=401)])
    result = cli.run("mesibo", "import", str(file), "--of", "users", "--go")
    assert (result.exit_code, result.stdout) == (1, "1 users brought, 0 done before.\n")
    assert "AUTHFAIL" in result.stderr
    again = cli.ok("mesibo", "import", str(file), "--of", "users", "--go")
    assert again == "1 users brought, 1 done before.\n0 skipped.\n"
    sent = [seen.json["user"] for seen in stub.seen]
    assert sent[0] == {"address": "491", "name": "Ana", "active": True}
    assert sent[1] == sent[2] == {"address": "492", "name": "Ben", "active": False, "flags": 3}
    assert "0 users to bring, 2 done before" in cli.ok("mesibo", "import", str(file), "--of", "users")


def test_a_state_that_was_cut_off_costs_one_row_at_most(scripted: tuple[Cli, Stub], tmp_path: Path) -> None:
    cli, stub = scripted
    file = write(tmp_path / "u.csv", *USERS)
    cli.ok("mesibo", "import", str(file), "--of", "users", "--go")
    state = tmp_path / "u.csv.done"
    state.write_text(state.read_text()[:-9])
    assert "1 users brought, 1 done before" in cli.ok("mesibo", "import", str(file), "--of", "users", "--go")
    assert "0 users to bring, 2 done" in cli.ok("mesibo", "import", str(file), "--of", "users")
    assert len(stub.seen) == 3


FAULTS = {
    "users": [
        ('{"address": "491", "name": "Ana"}', ""),
        ('{"name": "Nobody"}', "a column that is needed is empty"),
        ('{"address": "a,b"}', "address must be a text that is not empty and holds no comma"),
        ('{"address": "492", "active": "maybe"}', "active: maybe is neither true nor false"),
        ('{"address": "493", "flags": "x"}', "flags: x is no whole number"),
        ('{"address": "494", "shoe": 44}', "unknown column: shoe"),
        ("[1]", "no JSON object"),
        ("{", "no JSON object"),
        ("", ""),
    ],
    "members": [
        ('{"gid": "x", "address": "491"}', "gid: x is no whole number"),
        ('{"gid": 0, "address": "491"}', "gid must be at least 1"),
        ('{"gid": true, "address": "491"}', "gid must be a whole number"),
        ('{"gid": 7}', "must not be empty"),
        ('{"address": "491"}', "a column that is needed is empty"),
    ],
    "groups": [('{"gid": 7, "expiry": [1]}', "expiry: [1] is no whole number")],
}


@pytest.mark.parametrize("kind", FAULTS)
def test_rows_with_faults_stand_in_a_file_with_the_reason(
    scripted: tuple[Cli, Stub], tmp_path: Path, kind: str
) -> None:
    cli, _ = scripted
    file = write(tmp_path / "r.jsonl", *(line for line, _ in FAULTS[kind]))
    cli.ok("mesibo", "import", str(file), "--of", kind)
    reasons = [row["reason"] for row in rows_of(tmp_path / "r.skipped.jsonl")]
    wanted = [reason for _, reason in FAULTS[kind] if reason]
    assert len(reasons) == len(wanted)
    for reason, said in zip(reasons, wanted, strict=True):
        assert said in reason


def test_skipped_rows_are_mended_and_imported_from_their_file(
    sandboxed: Cli, store: SandboxStore, tmp_path: Path
) -> None:
    store.put_user("491")
    gid = str(store.add_group("Walks").gid)
    lines = (f"{gid},491,true", f"{gid},492,true", f"{gid},493,true,x")
    file = write(tmp_path / "m.csv", "gid,address,send", *lines)
    result = sandboxed.run("mesibo", "import", str(file), "--of", "members", "--go")
    assert (result.exit_code, result.stdout.splitlines()[0]) == (1, "1 members brought, 0 done before.")
    skipped = tmp_path / "m.skipped.csv"
    rows = rows_of(skipped)
    assert [row["address"] for row in rows] == ["493", "492"]
    assert rows[0]["reason"] == "more cells than the head has columns"
    assert rows[1]["reason"].startswith("BADVALUE: ")
    store.put_user("492")
    store.put_user("493")
    sandboxed.ok("mesibo", "import", str(skipped), "--of", "members", "--go")
    group = store.group(int(gid))
    assert group
    assert set(group.members) == {"491", "492", "493"}
    sandboxed.ok("mesibo", "import", str(file.with_name("m.csv")), "--of", "members")
    assert [row["address"] for row in rows_of(skipped)] == ["493"]


def test_members_of_a_group_go_together(scripted: tuple[Cli, Stub], tmp_path: Path) -> None:
    cli, stub = scripted
    lines = [f"7,{number}" for number in range(150)] + ["8,1"]
    file = write(tmp_path / "m.csv", "gid,address", *lines)
    cli.ok("mesibo", "import", str(file), "--of", "members", "--go")
    assert [len(seen.json["group"]["members"]["m"].split(",")) for seen in stub.seen] == [100, 50, 1]


def test_a_group_with_a_gid_is_changed_and_one_without_is_made(
    sandboxed: Cli, store: SandboxStore, tmp_path: Path
) -> None:
    gid = store.add_group("Walks").gid
    file = write(tmp_path / "g.csv", "gid,name", f"{gid},Long walks", ",Cooks", ",Cooks")
    for _ in range(2):
        sandboxed.ok("mesibo", "import", str(file), "--of", "groups", "--go")
    assert sorted(group.name for group in store.groups()) == ["Cooks", "Cooks", "Long walks"]


def test_a_group_that_may_have_been_made_is_never_made_again_unasked(
    scripted: tuple[Cli, Stub], tmp_path: Path
) -> None:
    cli, stub = scripted
    file = write(tmp_path / "g.csv", "name", "Walks", "Cooks")
    stub.answers.extend([hang_up, ok(group={"gid": 8})])
    result = cli.run("mesibo", "import", str(file), "--of", "groups", "--go")
    assert "It may have been done all the same." in result.stderr
    result = cli.run("mesibo", "import", str(file), "--of", "groups", "--go")
    assert (result.exit_code, result.stdout.splitlines()[0]) == (1, "1 groups brought, 1 done before.")
    assert [seen.json["group"]["name"] for seen in stub.seen] == ["Walks", "Cooks"]
    [row] = rows_of(tmp_path / "g.skipped.csv")
    assert row["name"] == "Walks"
    assert "may exist" in row["reason"]


def test_a_group_that_was_refused_is_tried_again(scripted: tuple[Cli, Stub], tmp_path: Path) -> None:
    cli, stub = scripted
    file = write(tmp_path / "g.csv", "name", "Walks")
    stub.answers.extend([refused(error="BADVALUE", code=400, properties=["name"]), ok(group={"gid": 8})])
    assert cli.run("mesibo", "import", str(file), "--of", "groups", "--go").exit_code == 1
    assert rows_of(tmp_path / "g.skipped.csv")[0]["reason"] == "BADVALUE:  (name)"
    cli.ok("mesibo", "import", str(file), "--of", "groups", "--go")
    assert not (tmp_path / "g.skipped.csv").exists()


def test_a_member_of_a_group_that_was_not_imported_is_skipped(
    scripted: tuple[Cli, Stub], tmp_path: Path
) -> None:
    cli, stub = scripted
    groups = write(tmp_path / "g.csv", "gid,name", "7,Walks")
    members = write(tmp_path / "m.csv", "gid,address", "7,491", "8,492")
    stub.answers.append(ok(group={"gid": 70}))
    cli.ok("mesibo", "import", str(groups), "--of", "groups", "--new", "--go")
    assert (
        cli.run(
            "mesibo", "import", str(members), "--of", "members", "--groups", str(groups), "--go"
        ).exit_code
        == 1
    )
    assert stub.seen[1].json["group"]["gid"] == 70
    assert rows_of(tmp_path / "m.skipped.csv")[0]["reason"] == "the group 8 was not imported"


def test_a_body_that_grew_too_long_together_goes_in_single_calls(
    scripted: tuple[Cli, Stub], tmp_path: Path
) -> None:
    cli, stub = scripted
    file = write(tmp_path / "m.csv", "gid,address", *(f"7,{'x' * 1000}{number}" for number in range(10)))
    cli.ok("mesibo", "import", str(file), "--of", "members", "--go", MESSENGER_MESIBO_MAX_BODY="8192")
    assert len(stub.seen) == 10


@pytest.mark.parametrize(
    ("name", "says"), [("u.txt", "ends neither in .csv nor in .jsonl"), ("none.csv", "There is no file")]
)
def test_a_file_that_is_none_is_told(
    scripted: tuple[Cli, Stub], tmp_path: Path, name: str, says: str
) -> None:
    cli, _ = scripted
    result = cli.run("mesibo", "import", str(tmp_path / name), "--of", "users")
    assert result.exit_code != 0
    assert says in result.stderr


def test_a_file_in_another_encoding_is_told(scripted: tuple[Cli, Stub], tmp_path: Path) -> None:
    cli, stub = scripted
    file = tmp_path / "u.csv"
    file.write_bytes("address,name\n491,J\xfcrgen\n".encode("latin-1"))
    result = cli.run("mesibo", "import", str(file), "--of", "users", "--go")
    assert (result.exit_code, result.stderr) == (1, f"Error: {file} is not in UTF-8\n")
    assert stub.seen == []


def test_rows_that_were_skipped_are_for_the_owner_of_their_file(
    scripted: tuple[Cli, Stub], tmp_path: Path
) -> None:
    cli, _ = scripted
    (tmp_path / "u.skipped.csv").touch(0o644)
    cli.ok("mesibo", "import", str(write(tmp_path / "u.csv", "address,flags", "491,x")), "--of", "users")
    assert (tmp_path / "u.skipped.csv").stat().st_mode & 0o077 == 0

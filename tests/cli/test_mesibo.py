"""`messenger-api mesibo`: every op as a command, against the sandbox over HTTP."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from messenger_api.cli.commands import mesibo_credentials, mesibo_rows
from messenger_api.cli.commands.mesibo import mesibo as group
from messenger_api.mesibo.specification import OpSpecification, operations
from messenger_api.sandbox.store import SandboxStore
from tests.cli.commands import Cli
from tests.gateways.mesibo_stub import Stub, ok, refused
from tests.mesibo.cases import KEY

# A file of commands is loaded when one of them is chosen: here at once.
LOADED = (mesibo_credentials, mesibo_rows)
ANA, BEN = "4915112345", "4915112346"


def test_users_are_made_listed_and_deleted(sandboxed: Cli, store: SandboxStore) -> None:
    made = sandboxed.json("mesibo", "useradd", "--address", ANA, "--appid", "com.acme", "--name", "Ana")
    user = store.user(ANA)
    assert user
    assert (made["uid"], user.name) == (user.uid, "Ana")
    assert store.token(made["token"])
    sandboxed.ok("mesibo", "useradd", "--address", BEN, "--no-active")
    listed = sandboxed.json("mesibo", "usersget", "--address", "49*")
    assert sorted(each["address"] for each in listed) == [ANA, BEN]
    table = sandboxed.ok("mesibo", "usersget", "--address", "49*").splitlines()
    assert table[0].split()[:2] == ["UID", "ADDRESS"]
    assert sandboxed.ok("mesibo", "userdel", "--address", ANA, "--yes") == "Done.\n"
    assert store.user(ANA) is None


def test_a_list_is_walked_to_its_end(sandboxed: Cli, store: SandboxStore) -> None:
    for number in range(30):
        store.put_user(f"49{number:02d}")
    asked = ["mesibo", "usersget", "--address", "49*"]
    assert len(sandboxed.json(*asked)) == 20
    assert len(sandboxed.json(*asked, "--all", "--alphabet", "0123456789")) == 30


def test_groups_have_their_commands(sandboxed: Cli, store: SandboxStore) -> None:
    store.put_user(ANA)
    store.put_user(BEN)
    gid = sandboxed.json("mesibo", "groupadd", "--name", "Walks", "--members", ANA)["gid"]
    sandboxed.ok("mesibo", "groupeditmembers", "--gid", str(gid), "--members", f"{ANA}, {BEN}")
    members = sandboxed.json("mesibo", "groupgetmembers", "--gid", str(gid))
    assert [member["address"] for member in members] == [ANA, BEN]
    assert [each["name"] for each in sandboxed.json("mesibo", "groupsget", "--all")] == ["Walks"]
    sandboxed.ok("mesibo", "groupdel", "--gid", str(gid), "--yes")
    assert store.group(gid) is None


@pytest.mark.parametrize(
    "command",
    [
        ["userdel", "--address", ANA],
        ["groupdel", "--gid", "5001"],
        ["usertoken", "--address", ANA, "--appid", "a", "--delete"],
        ["groupeditmembers", "--gid", "5001", "--members", ANA, "--remove"],
    ],
)
def test_nothing_is_deleted_unasked(scripted: tuple[Cli, Stub], command: list[str]) -> None:
    cli, stub = scripted
    result = cli.run("mesibo", *command)
    assert result.exit_code == 1
    assert f"{command[0]}: " in result.stderr
    assert stub.seen == []
    cli.ok("mesibo", *command, "--yes")
    assert len(stub.seen) == 1


def test_users_are_deleted_by_a_pattern_after_their_number_is_told(
    sandboxed: Cli, store: SandboxStore
) -> None:
    for number in range(25):
        store.put_user(f"49{number:02d}")
    store.put_user("1")
    assert "Delete 25 users, 4900 to 4924?" in sandboxed.run("mesibo", "userdel", "--address", "49*").stderr
    assert len(store.users()) == 26
    assert sandboxed.json("mesibo", "userdel", "--address", "49*", "--yes") == {"deleted": 25}
    assert [user.address for user in store.users()] == ["1"]
    assert sandboxed.ok("mesibo", "userdel", "--address", "49*", "--yes") == "0 users deleted.\n"


def test_a_user_who_is_gone_meanwhile_is_deleted_enough(scripted: tuple[Cli, Stub]) -> None:
    cli, stub = scripted
    stub.answers.append(ok(users=[{"address": ANA}]))
    stub.answers.append(refused(error="NOTFOUND", code=404))
    assert cli.ok("mesibo", "userdel", "--address", "49*", "--yes") == "1 users deleted.\n"
    stub.answers.append(ok(users=[{"address": ANA}]))
    stub.answers.append(refused(error="BADVALUE", code=400))
    assert "refused userdel" in cli.run("mesibo", "userdel", "--address", "49*", "--yes").stderr


# Every op


@pytest.mark.parametrize("op", operations().values(), ids=lambda op: str(op.name))
def test_every_op_has_a_command_with_an_option_for_each_field_and_no_other(op: OpSpecification) -> None:
    ours = {"--json", "--yes", "--unread", "--key", "--all", "--alphabet"}
    options = {name for each in group.commands[op.name].params for name in each.opts} - ours
    assert options == {f"--{name}" for name in op.fields}
    others = set(group.commands) - set(operations())
    assert others == {"raw", "ping", "import", "export", "credentials"}


def test_a_section_and_its_switches_are_typed_with_a_dot(scripted: tuple[Cli, Stub]) -> None:
    cli, stub = scripted
    options = [
        "--id",
        "3",
        "--peers",
        "2",
        "--message.incoming",
        "--no-call.video",
        "--ratelimit.call",
        "60:5,90:6",
    ]
    assert cli.ok("mesibo", "uacset", *options) == "Done.\n"
    assert stub.seen[0].json["uac"] == {
        "id": 3,
        "peers": 2,
        "message": {"incoming": 1},
        "call": {"video": 0},
        "ratelimit": {"call": "60:5,90:6"},
    }


def test_files_and_the_accounts_key_are_sent(scripted: tuple[Cli, Stub], tmp_path: Path) -> None:
    cli, stub = scripted
    (tmp_path / "bot.js").write_text("log()")
    cli.ok("mesibo", "scriptadd", "--file", "bot.js", "--sid", "3")
    assert b'filename="bot.js"' in stub.seen[0].body
    stub.answers.append(ok(token="new0token", account={"uid": "10"}))
    made = cli.json("mesibo", "appadd", "--name", "Chat", MESIBO_ACCOUNT_KEY=KEY)
    assert (made["token"], made["uid"]) == ("new0token", "10")
    assert stub.seen[1].form == {"op": "appadd", "name": "Chat", "key": KEY, "id": stub.seen[1].form["id"]}


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["groupeditmembers", "--gid", "1", "--members", "a,,b"], "--members"),
        (["uacset", "--ratelimit.call", "60"], "--ratelimit.call"),
        (["uacset", "--peers", "7"], "--peers"),
        (["scriptadd", "--file", "none.js"], "none.js: No such file"),
        (["userset", "--active"], "Not sent. userset: one of uid, address is required."),
        (["usersget", "--count", "21"], "Not sent. count must be at most 20."),
        (["raw", "op", "[]"], "FIELDS must be a JSON object."),
        (["raw", "op", "{"], "FIELDS must be a JSON object."),
    ],
)
def test_what_cannot_be_sent_is_said(scripted: tuple[Cli, Stub], command: list[str], says: str) -> None:
    cli, stub = scripted
    result = cli.run("mesibo", *command)
    assert result.exit_code in (1, 2)
    assert says in result.stderr
    assert stub.seen == []


def test_without_an_app_token_nobody_is_asked(cli: Cli) -> None:
    assert "Set MESIBO_APP_TOKEN" in cli.run("mesibo", "ping").stderr


# Failures


def test_a_refusal_is_told_whole(scripted: tuple[Cli, Stub]) -> None:
    cli, stub = scripted
    said = refused(error="BADVALUE", code=400, cause="no such gid", action="send one", properties=["gid"])
    stub.answers.extend([said, said])
    result = cli.run("mesibo", "groupdel", "--gid", "1", "--yes")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "mesibo refused groupdel: BADVALUE (code 400)",
        "  cause: no such gid",
        "  action: send one",
        "  at fault: gid",
    ]
    result = cli.run("mesibo", "groupdel", "--gid", "1", "--yes", "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["error"], found["properties"]) == (1, "BADVALUE", ["gid"])
    assert (found["can_help"], found["op"]) == (False, "groupdel")


def test_an_outage_says_what_may_have_happened_and_what_can_help(scripted: tuple[Cli, Stub]) -> None:
    cli, stub = scripted
    stub.answers.extend([refused(code=500, error="DBFAIL")] * 2)
    result = cli.run("mesibo", "groupadd", "--name", "Walks")
    assert result.stderr.splitlines()[1:] == [
        "  It may have been done all the same.",
        "  Trying again later can help.",
    ]
    found = json.loads(cli.run("mesibo", "groupadd", "--name", "Walks", "--json").stdout)
    assert (found["reason"], found["maybe_done"], found["can_help"]) == ("fault DBFAIL", True, True)


def test_raw_and_ping(scripted: tuple[Cli, Stub]) -> None:
    cli, stub = scripted
    stub.answers.append(ok(news=[1]))
    assert json.loads(cli.ok("mesibo", "raw", "groupnews", '{"group":{"gid":1}}'))["news"] == [1]
    assert stub.seen[0].json["group"] == {"gid": 1}
    assert "takes the app token" in cli.ok("mesibo", "ping")

"""Library, command line, docs and sandbox say what specification.json says, nothing less and nothing more."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest

from messenger_api import mesibo
from messenger_api.cli.commands import mesibo as commands
from messenger_api.mesibo import Wire, wire
from messenger_api.mesibo.specification import document, operations, read_operations
from messenger_api.sandbox.mesibo import ACCOUNT_KEY
from messenger_api.sandbox.server import APP_TOKEN, sandbox_app
from messenger_api.sandbox.store import SandboxStore
from messenger_api.sandbox.wire import BESIDE
from tests.scripts import script

from .cases import CASES, KEY, TOKEN

ROOT = Path(__file__).resolve().parent.parent.parent

# What the sandbox understands beside the specification: the name that groupeditmembers has for it (inferred).
BESIDE_IN_THE_SANDBOX = {("usertoken", "user.token.remove")}


RECORDS, PAGE = script("make-mesibo-ops"), script("make-mesibo-page")


def differences(said: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Which of library, bytes, docs and command line say something else than this specification."""
    try:
        ops = read_operations(said)
        records = RECORDS.modules(ops)
        page = PAGE.page(said)
    except (KeyError, TypeError, AttributeError, StopIteration) as error:
        return {f"unreadable: {error!r}"}
    found = set()
    if records != {path.name: path.read_text() for path in RECORDS.FOLDER.glob("*.py")}:
        found.add("records: run scripts/make-mesibo-ops")
    if page != PAGE.PAGE.read_text():
        found.add("docs: run scripts/make-mesibo-page")
    if {name: shown(commands.command_of(op)) for name, op in ops.items()} != {
        name: shown(command)
        for name, command in commands.mesibo.commands.items()
        if name not in ("raw", "ping", "import", "export", "credentials")
    }:
        found.add("command line")
    with monkeypatch.context() as patch:
        patch.setattr(wire, "operations", lambda: ops)
        if not all(map(bytes_agree, CASES)):
            found.add("bytes")
    return found


def shown(command: click.Command) -> object:
    return command.help, [(each.opts, each.required, getattr(each, "help", "")) for each in command.params]


def bytes_agree(case: Any) -> bool:
    writer = Wire(TOKEN, "form" if case.style == "form" else "json", key=KEY)
    try:
        written = writer.encode(case.op, boundary="b")
    except (ValueError, KeyError):
        return False
    return written.body.decode() == str(case.body)


def test_all_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    assert differences(document(), monkeypatch) == set()


# A changed file


def leaves(node: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from leaves(value, (*path, key))
    elif isinstance(node, list):
        for at, value in enumerate(node):
            yield from leaves(value, (*path, at))
    else:
        yield path


def sample() -> list[tuple[Any, ...]]:
    """The first fact of each kind of each op, by its last name, and each fact beside the ops."""
    seen: set[object] = set()
    found = []
    for path in leaves(document()):
        kind = path[:1] + path[2:3] + tuple(str(each) for each in path[-2:] if not isinstance(each, int))
        kind = kind if path[:2] == ("ops", "useradd") else (path[0], path[-1])
        if kind not in seen:
            seen.add(kind)
            found.append(path)
    return found


def other(value: object) -> object:
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else f"{value}x"


@pytest.mark.parametrize("path", sample(), ids=lambda path: ".".join(map(str, path)))
def test_any_changed_fact_is_noticed(path: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    changed: Any = copy.deepcopy(dict(document()))
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = other(inner[path[-1]])
    assert differences(changed, monkeypatch)


@pytest.mark.parametrize("op", ["useradd", "appset"])
def test_an_op_more_or_less_is_noticed_and_so_is_a_field(op: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for change in ("op gone", "op new", "field gone", "field new"):
        changed: Any = copy.deepcopy(dict(document()))
        fields = changed["ops"][op]["fields"]
        if change == "op gone":
            del changed["ops"][op]
        elif change == "op new":
            changed["ops"]["other"] = {**changed["ops"][op], "record": "Other"}
        elif change == "field gone":
            fields.popitem()
        else:
            fields["other"] = {"type": "text", "form": {"name": "other", "source": "inferred"}, "about": "X."}
        assert differences(changed, monkeypatch), change


# The sandbox


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Any]:
    with SandboxStore(tmp_path / "sandbox.sqlite3") as store:
        yield sandbox_app(store).test_client()


def post(sandbox: Any, request: Any, style: str) -> Any:
    path = "/api.php" if style == "form" else "/backend"
    return json.loads(sandbox.post(path, data=request.body, content_type=request.content_type).data)


def test_the_sandbox_serves_every_op_and_no_other(sandbox: Any) -> None:
    def is_served(op: str) -> bool:
        answer = sandbox.post("/backend", json={"op": op, "token": APP_TOKEN, "key": ACCOUNT_KEY}).get_json()
        return bool(answer.get("error") != "BADOP")

    assert all(map(is_served, operations()))
    assert not any(map(is_served, document()["not_ops"]))
    assert {
        (op, spelt.name)
        for op, fields in BESIDE.items()
        for each in fields
        for spelt in each.spellings.values()
    } == BESIDE_IN_THE_SANDBOX


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.op.OP}-{case.style}")
@pytest.mark.parametrize("strict", [True, False])
def test_the_sandbox_knows_every_field(tmp_path: Path, case: Any, strict: bool) -> None:
    with SandboxStore(tmp_path / "sandbox.sqlite3") as store:
        sandbox = sandbox_app(store, strict=strict).test_client()
        writer = Wire(APP_TOKEN, "form" if case.style == "form" else "json", key=ACCOUNT_KEY)
        answer = post(sandbox, writer.encode(case.op), case.style)
    # It may miss the user or the group that the case names, and find fault with no field.
    assert "not a field" not in answer.get("cause", ""), answer
    assert answer.get("error") in (None, "BADVALUE"), answer
    assert "type or range" not in answer.get("cause", ""), answer


def held(answer: Any, prefix: str = "") -> Iterator[str]:
    """The dotted names of an answer's leaves, a list counting as one."""
    for name, value in answer.items():
        if isinstance(value, dict):
            yield from held(value, f"{prefix}{name}.")
        else:
            yield prefix + name


@pytest.mark.parametrize("style", ["json", "form"])
def test_the_sandbox_answers_what_is_specified_and_nothing_else(sandbox: Any, style: str) -> None:
    writer = Wire(APP_TOKEN, style, key=ACCOUNT_KEY)

    def ask(op: Any) -> Any:
        answer = post(sandbox, writer.encode(op, id=7), style)
        assert answer["result"] is True, answer
        return answer

    asked: list[Any] = [
        mesibo.UserAdd(address="491", appid="com.acme"),
        mesibo.UserToken(address="491", appid="com.acme"),
        mesibo.UsersGet(),
        mesibo.Otp(address="491"),
        mesibo.GroupAdd(name="Walks", members=["491"]),
        mesibo.GroupSet(gid=5001, name="Walks"),
        mesibo.GroupGetMembers(gid=5001),
        mesibo.GroupsGet(),
        mesibo.Message(sender="491", to=["491"], text="x"),
        mesibo.AppAdd(name="Chat"),
    ]
    for op in asked:
        said = operations()[op.OP]
        answer = ask(op)
        own = style if style in said.styles else said.styles[0]
        wanted = {each.path for each in said.answer.values() if not each.styles or own in each.styles}
        wanted |= {said.items.path} if said.items else set()
        assert set(held(answer)) == wanted | {"op", "result", "id"}, op.OP
        if said.items:
            paths = {each.path for each in said.items.fields.values()}
            assert set(answer[said.items.path][0]) == paths, op.OP


def test_the_sandbox_refuses_with_what_is_specified_and_nothing_else(sandbox: Any) -> None:
    errors = document()["errors"]
    for body in ({"op": "x"}, {"op": "x", "token": APP_TOKEN}, {"op": "useradd", "token": APP_TOKEN}):
        answer = sandbox.post("/backend", json={**body, "id": 7}).get_json()
        assert set(answer) == set(document()["response"])
        assert answer["code"] == errors[answer["error"]]["code"]

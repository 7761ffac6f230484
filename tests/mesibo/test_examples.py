"""The examples of docs/mesibo.md run against the sandbox, in each style, from Python and by curl."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import nullcontext
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from messenger_api.mesibo import Client, Options
from messenger_api.mesibo.specification import operations
from messenger_api.sandbox import RecordedCall
from messenger_api.sandbox.mesibo import ACCOUNT_KEY
from messenger_api.sandbox.server import APP_TOKEN, SandboxServer
from messenger_api.sandbox.store import SandboxStore
from tests.processes import program

ROOT = Path(__file__).resolve().parent.parent.parent
CURLS = re.findall("^curl .*", (ROOT / "docs" / "mesibo.md").read_text(), re.MULTILINE)
ANA, BEN = "4915112345", "4915112346"


@pytest.fixture(scope="module")
def examples() -> ModuleType:
    loader = SourceFileLoader("mesibo_ops", str(ROOT / "docs" / "examples" / "mesibo_ops.py"))
    found = module_from_spec(spec_from_loader(loader.name, loader) or pytest.fail("no file"))
    loader.exec_module(found)
    return found


def people(store: SandboxStore) -> None:
    """Whom the examples name, new."""
    store.empty()
    store.put_user(ANA)
    store.put_user(BEN)
    with store.writing() as db:
        db.execute("UPDATE sqlite_sequence SET seq = 5000 WHERE name = 'groups'")
    store.add_group("Walks", [ANA])
    store.set_app({"name": "Chat"})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SandboxStore]:
    with SandboxStore(tmp_path / "sandbox.sqlite3") as store:
        people(store)
        yield store


PRINTED = {
    "useradd": r"\d+ \d+",
    "usertoken": r"\w{48}",
    "usersget": rf"\['{BEN}', '{ANA}'\]\n\['{BEN}', '{ANA}'\]",
    "groupadd": r"\d+",
    "groupgetmembers": rf"\['{ANA}'\]",
    "groupsget": r"\['Walks'\]",
    "otp": "6",
    "appadd": "64",
}


# Of a message, url and title have no name in a form.
SECOND_IS_JSON_ALONE = pytest.raises(ValueError, match="url cannot be said in the form style")
IN_EACH_STYLE = [(name, style) for name, op in operations().items() for style in op.styles]


@pytest.mark.parametrize(("op", "style"), IN_EACH_STYLE)
def test_an_example_does_in_the_sandbox_what_it_says(
    op: str, style: str, examples: ModuleType, store: SandboxStore, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[RecordedCall] = []
    with SandboxServer(store, on_call=calls.append) as server:
        own = "form" if style == "form" else "json"
        options = Options(server.mesibo_json_url, style=own, key=ACCOUNT_KEY)
        fails = SECOND_IS_JSON_ALONE if (op, style) == ("message", "form") else nullcontext()
        with Client(APP_TOKEN, options) as client, fails:
            getattr(examples, op)(client)
    assert {(call.op, call.style, call.error) for call in calls} == {(op, style, "")}
    assert re.fullmatch(PRINTED.get(op, ""), capsys.readouterr().out.strip())
    done: dict[str, Any] = {
        "userset": lambda: not getattr(store.user(ANA), "active", True),
        "usertoken": lambda: not store.tokens(ANA),
        "userdel": lambda: store.user(ANA) is None,
        "groupset": lambda: getattr(store.group(5001), "name", "") == "Long walks",
        "groupdel": lambda: store.group(5001) is None,
        "otp": lambda: list(store.otps()) == [ANA],
        "pushupload": lambda: (
            [(each.kind, each.name) for each in store.credentials()] == [("fcm", "firebase.json")]
        ),
        "scriptadd": lambda: (
            [(each.name, each.description) for each in store.scripts()] == [("bot.js", "Greets")]
        ),
        "uacset": lambda: (
            store.access()[0].fields
            == {
                "name": "Free",
                "call.incoming": 1,
                "call.outgoing": 1,
                "call.video": 0,
                "call.maxdur": 3600,
                "ratelimit.message": "60:30,3600:300",
            }
        ),
        "appadd": lambda: [app.name for app in store.added_apps()] == ["Chat"],
        "appset": lambda: store.app().settings == {"maxusers": 1000},
        "appdel": lambda: store.users() == [],
        "message": lambda: store.messages()[-1].text == "Hello",
    }
    assert done.get(op, lambda: True)()


@pytest.mark.server
def test_each_op_is_called_by_curl_in_each_of_its_styles(store: SandboxStore, tmp_path: Path) -> None:
    (tmp_path / "firebase.json").write_text('{"type": "service_account"}')
    (tmp_path / "bot.js").write_text("function Mesibo_onMessage(m) {}")
    calls: list[RecordedCall] = []
    with SandboxServer(store, "APP_TOKEN", strict=True, on_call=calls.append) as server:
        for line in CURLS:
            people(store)
            command = line.replace("https://api.mesibo.com", server.url).replace("ACCOUNT_KEY", ACCOUNT_KEY)
            words = [program("curl"), "-s", *shlex.split(command)[1:]]
            answer = json.loads(subprocess.check_output(words, cwd=tmp_path, timeout=60))
            assert answer["result"] is True, (line, answer)
    assert [(call.op, call.style) for call in calls] == IN_EACH_STYLE

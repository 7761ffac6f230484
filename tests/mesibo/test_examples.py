"""The examples of docs/mesibo.md run against the sandbox."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from messenger_api.mesibo import Client, Options
from messenger_api.mesibo.specification import operations
from messenger_api.sandbox.mesibo import ACCOUNT_KEY
from messenger_api.sandbox.server import APP_TOKEN, SandboxServer
from messenger_api.sandbox.store import SandboxStore

ROOT = Path(__file__).resolve().parent.parent.parent
ANA, BEN = "4915112345", "4915112346"


@pytest.fixture(scope="module")
def examples() -> ModuleType:
    loader = SourceFileLoader("mesibo_ops", str(ROOT / "docs" / "examples" / "mesibo_ops.py"))
    found = module_from_spec(spec_from_loader(loader.name, loader) or pytest.fail("no file"))
    loader.exec_module(found)
    return found


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SandboxStore]:
    with SandboxStore(tmp_path / "sandbox.sqlite3") as store:
        store.put_user(ANA)
        store.put_user(BEN)
        while store.add_group("Walks", [ANA]).gid < 5001:
            pass
        store.set_app({"name": "Chat"})
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


@pytest.mark.parametrize("op", sorted(operations()))
def test_an_example_does_in_the_sandbox_what_it_says(
    op: str, examples: ModuleType, store: SandboxStore, capsys: pytest.CaptureFixture[str]
) -> None:
    with SandboxServer(store) as server:
        options = Options(server.mesibo_json_url, key=ACCOUNT_KEY)
        with Client(APP_TOKEN, options) as client:
            getattr(examples, op)(client)
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
        "message": lambda: [sent.text for sent in store.messages()][1] == "Hello",
    }
    assert done.get(op, lambda: True)()

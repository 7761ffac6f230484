"""The examples of docs/mesibo.md run: against the sandbox where it serves the op, else against a script."""

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
from messenger_api.sandbox.server import APP_TOKEN, SandboxServer
from messenger_api.sandbox.store import SandboxStore
from tests.gateways.mesibo_stub import ok, serving

from .cases import KEY
from .test_agreement import NOT_IN_THE_SANDBOX

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
        yield store


PRINTED = {
    "useradd": r"\d+ \d+",
    "usertoken": r"\w{48}",
    "usersget": rf"\['{BEN}', '{ANA}'\]\n\['{BEN}', '{ANA}'\]",
    "groupadd": r"\d+",
    "groupgetmembers": rf"\['{ANA}'\]",
    "groupsget": r"\['Walks'\]",
}


@pytest.mark.parametrize("op", sorted(set(operations()) - NOT_IN_THE_SANDBOX))
def test_an_example_does_in_the_sandbox_what_it_says(
    op: str, examples: ModuleType, store: SandboxStore, capsys: pytest.CaptureFixture[str]
) -> None:
    with SandboxServer(store) as server, Client(APP_TOKEN, Options(f"{server.url}/backend")) as client:
        getattr(examples, op)(client)
    assert re.fullmatch(PRINTED.get(op, ""), capsys.readouterr().out.strip())
    done: dict[str, Any] = {
        "userset": lambda: not getattr(store.user(ANA), "active", True),
        "usertoken": lambda: not store.tokens(ANA),
        "userdel": lambda: store.user(ANA) is None,
        "groupset": lambda: getattr(store.group(5001), "name", "") == "Long walks",
        "groupdel": lambda: store.group(5001) is None,
        "message": lambda: [sent.text for sent in store.messages()][1] == "Hello",
    }
    assert done.get(op, lambda: True)()


ANSWERS: dict[str, dict[str, object]] = {"otp": {"otp": 482913}, "appadd": {"token": "t" * 64}}
SENT = {
    "otp": b'"tries":5',
    "pushupload": b'filename="firebase.json"',
    "uacset": b'"ratelimit":{"message":"60:30,3600:300"}',
    "scriptadd": b'name="description"',
    "appadd": b"key=account0key",
    "appset": b"maxusers=1000",
    "appdel": b"name=Chat",
}


@pytest.mark.parametrize("op", sorted(NOT_IN_THE_SANDBOX))
def test_any_other_example_sends_what_it_says(op: str, examples: ModuleType) -> None:
    with serving() as stub, Client("app0token", Options(stub.url, key=KEY)) as client:
        stub.answers.append(ok(**ANSWERS.get(op, {})))
        getattr(examples, op)(client)
        assert SENT[op] in stub.seen[0].body

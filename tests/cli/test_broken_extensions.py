"""Code of the operator's own that cannot be used, as people may write it: each start says what is wrong."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from textwrap import indent

import pytest

from messenger_api.cli.doctor.configuration import extensions
from messenger_api.composition import Parts
from messenger_api.configuration import build
from messenger_api.settings import SettingsError
from tests.cli.commands import Cli
from tests.processes import free_port

HEAD = """
from typing import Literal, TypedDict
from msgspec import Struct
from messenger_api.extensions import *

class P(Struct):
    text: str = ""

class Own(Extension):
"""

Write = Callable[[str], None]


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes the module `broken`."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(text: str) -> None:
        (tmp_path / "broken.py").write_text(text)

    yield write
    sys.modules.pop("broken", None)


def body(text: str) -> str:
    """A module with the class `Own`."""
    return HEAD + indent(text, "    ")


def op(function: str, given: str = "self.answer, P") -> str:
    """A module with the class `Own`, which has an op."""
    return body(f"def operations(self): return {{'own': Operation({given})}}\n{function}")


ANSWER = "def answer(self, call, given): return {}"


def with_field(field: str) -> str:
    """An op whose parameters have this field."""
    declared = f"class Q(Struct):\n    {field}\n\nclass Own"
    return op(ANSWER, "self.answer, Q").replace("class Own", declared)


def with_errors(errors: str) -> str:
    return op(ANSWER, f"self.answer, P, {errors}")


CASES = {
    "sys.exit at import": ("import sys; sys.exit(3)", "cannot be imported: SystemExit: 3"),
    "a slip at import": ("class Own(:", "cannot be imported: SyntaxError: "),
    "init raises": (
        body("def __init__(self, settings): raise KeyError('desk')"),
        "to make it raises KeyError: 'desk'",
    ),
    "init without settings": (body("def __init__(self): pass"), "to make it raises TypeError: "),
    "operations raises": (
        body("def operations(self): return 1 / 0"),
        "operations() raises ZeroDivisionError: ",
    ),
    "operations returns nothing": (body("def operations(self): pass"), "operations() raises TypeError: "),
    "a number for a name": (body("def operations(self): return {7: None}"), "7 is no name of an op"),
    "the name of calls without an op": (
        op(ANSWER).replace("'own'", "'none'"),
        "no op can be named none: /metrics counts ",
    ),
    "the name of calls with an unknown op": (
        op(ANSWER).replace("'own'", "'unknown'"),
        "no op can be named unknown: /metrics counts ",
    ),
    "a function for an op": (body("def operations(self): return {'own': print}"), "is no Operation"),
    "nothing for a function": (op("", "None, P"), "None is no function"),
    "async": (op("async def answer(self, call, given): return {}"), "no `async`, no `yield`"),
    "yield": (op("def answer(self, call, given): yield {}"), "no `async`, no `yield`"),
    "one argument": (op("def answer(self, call): return {}"), "has to take a call and its parameters"),
    "a dict for parameters": (op(ANSWER, "self.answer, dict"), "are no msgspec.Struct"),
    "an unknown annotation": (
        op("def answer(self, call, given) -> 'Nosuch': return {}"),
        "annotations of its function cannot be read: NameError: name 'Nosuch' is not defined",
    ),
    "answers a number": (
        op("def answer(self, call, given) -> int: return 1"),
        "is no TypedDict and no JsonObject",
    ),
    "answers nothing": (
        op("def answer(self, call, given) -> None: pass"),
        "is no TypedDict and no JsonObject",
    ),
    "answers what is no JSON": (
        op("def answer(self, call, given) -> TypedDict('A', {'call': Call}): return {}"),
        "the op own: to show it raises TypeError: ",
    ),
    "an unknown type": (with_field("text: 'Nosuch' = ''"), "Q cannot be read: NameError"),
    "no default": (with_field("text: str"), "Q.text needs a default"),
    "a field of ours": (with_field("token: str = ''"), "Q.token cannot be: every call has `token`"),
    "an object": (with_field("where: dict[str, str] = {}"), "Q.where has a type that is not read"),
    "a list of numbers": (with_field("gids: list[int] = []"), "Q.gids has a type that is not read"),
    "a choice of numbers": (with_field("side: Literal[0, 1] = 0"), "Q.side has a type that is not read"),
    "a class of its own": (with_field("who: Call = None"), "Q.who has a type that is not read"),
    "an array": (with_field("pass").replace("Q(Struct)", "Q(Struct, array_like=True)"), "Q is `array_like`"),
    "one error": (with_errors("errors.BadValue"), "are no frozenset"),
    "errors of Python": (with_errors("{ValueError}"), "is none of messenger_api.extensions.errors"),
    "AuthFail": (with_errors("{errors.AuthFail}"), "by which apps log their user out"),
    "tasks raises": (body("def tasks(self): return 1 / 0"), "tasks() raises ZeroDivisionError: "),
    "tasks returns nothing": (body("def tasks(self): pass"), "tasks() raises TypeError: "),
    "a function for a task": (body("def tasks(self): return [print]"), "which `handled` did not make"),
    "a task without a kind": (
        body("class T(Task): pass\ndef tasks(self): return [handled(self.T, print)]"),
        "T has no `kind`",
    ),
}


@pytest.mark.parametrize(("text", "told"), CASES.values(), ids=CASES)
def test_what_cannot_be_used_is_told_in_a_line_by_the_doctor_and_by_the_start(
    broken: Write, cli: Cli, tmp_path: Path, text: str, told: str
) -> None:
    broken(text)
    named = "EXTENSIONS = 'broken.Own': "
    result = cli.run("serve", "--sandbox", "--port", str(free_port()), MESSENGER_EXTENSIONS="broken.Own")
    assert result.exit_code == 1
    assert named in result.stderr
    assert told in result.stderr
    assert found_by_the_doctor(tmp_path).count(named) == 1
    assert told in found_by_the_doctor(tmp_path)


def found_by_the_doctor(folder: Path) -> str:
    """What it finds wrong; what the configuration refuses, it need not look for."""
    try:
        settings = build(extensions=["broken.Own"], instance_path=str(folder))
    except SettingsError as error:
        return "".join(error.faults)
    with closing(Parts.alone(settings)) as parts:
        [(state, found, to_do)] = extensions(settings, parts)
    assert (state, bool(to_do)) == ("fault", True)
    return found


def test_check_tells_of_tasks_that_another_has(broken: Write, cli: Cli) -> None:
    broken(body("class T(Task): kind = 'account_closed'\ndef tasks(self): return [handled(self.T, print)]"))
    result = cli.run("check", "--json", MESSENGER_EXTENSIONS="broken.Own")
    found = {finding["check"]: finding for finding in json.loads(result.stdout)}
    assert result.exit_code == 1
    assert found["extensions"]["state"] == "fault"
    assert "its kind, 'account_closed', is another's" in found["extensions"]["found"]

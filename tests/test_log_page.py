"""docs/operations/logs.md has every event of the log, and none that is not."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.servers import ROOT
from tests.test_house import PACKAGE

PAGE = (ROOT / "docs" / "operations" / "logs.md").read_text()
METHODS = {"debug", "info", "warning", "error", "exception", "log"}
# Named by a variable where they are logged.
BY_VARIABLE = {
    "sms.send",
    "sms.check",
    "sms.provider_failed",
    "login.prove",
    "login.deliver",
    "login.method_failed",
    "database.failed",
}


def calls() -> Iterator[tuple[str, list[ast.expr]]]:
    """What is called of the log, and with what, in all files but those that stand alone."""
    for path in PACKAGE.rglob("*.py"):
        if path.relative_to(PACKAGE).parts[0] not in ("mesibo", "migrations"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
                    yield ast.unparse(node.func), node.args


def events() -> set[str]:
    found = {
        argument.value
        for name, arguments in calls()
        if name.startswith("log.") and name[4:] in METHODS
        for argument in arguments[:2]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }
    return {each for each in found if re.fullmatch(r"[a-z_]+([._][a-z_]+)+", each)} | BY_VARIABLE


def test_every_event_is_explained() -> None:
    named = set(re.findall(r"`([a-z_]+[._][a-z_.]+)`", PAGE))
    assert events() - named == set(), "an event that the page does not explain"


def test_every_event_of_the_tables_exists() -> None:
    first_cells = re.findall(r"^\| (`[^|]+?)(?: as an error)? \|", PAGE, re.MULTILINE)
    told = {name for cell in first_cells for name in re.findall(r"`([^`]+)`", cell)}
    assert told - events() == set(), "an event that nothing logs"

"""Measures of the package: short functions and files, imports at the top, docstrings that say something."""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import messenger_api

PACKAGE = Path(messenger_api.__file__).parent
MOST_LINES_OF_A_FUNCTION = 40
MOST_BRANCHES = 10
MOST_LINES_OF_A_FILE = 330
SHORTEST_DOCSTRING = 12

FILES = [path for path in sorted(PACKAGE.rglob("*.py")) if "migrations" not in path.parts]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DOCUMENTED = (*FUNCTIONS, ast.ClassDef, ast.Module)
BRANCHES = (
    *(ast.If, ast.For, ast.While, ast.ExceptHandler, ast.IfExp),
    *(ast.comprehension, ast.match_case, ast.AsyncFor),
)

# What is out of bounds and waits for its turn. Take a line out with the fault; none comes in.
EXCEPTIONS: set[str] = set()


def faults_of(path: Path) -> Iterator[str]:
    """What is out of bounds in a file, named without figures that change."""
    place, source = path.relative_to(PACKAGE).as_posix(), path.read_text()
    if len(source.splitlines()) > MOST_LINES_OF_A_FILE:
        yield f"{place} is long"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, FUNCTIONS):
            yield from (f"{place} {node.name} {fault}" for fault in faults_of_function(node))
        if isinstance(node, DOCUMENTED) and says_nothing(ast.get_docstring(node)):
            yield f"{place} {getattr(node, 'name', 'itself')} has a docstring that says nothing"


def faults_of_function(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    body = function.body[1:] if ast.get_docstring(function) else function.body
    if body and (function.end_lineno or 0) - body[0].lineno + 1 > MOST_LINES_OF_A_FUNCTION:
        yield "is long"
    if branches(function) > MOST_BRANCHES:
        yield "has many branches"
    for name in imported(function):
        if name not in optional():
            yield f"imports {name}"


def branches(function: ast.AST) -> int:
    """Ways through a function: one, and one more for each condition, loop, handler and operand."""
    nodes = list(ast.walk(function))
    operands = sum(len(node.values) - 1 for node in nodes if isinstance(node, ast.BoolOp))
    return 1 + sum(isinstance(node, BRANCHES) for node in nodes) + operands


def imported(function: ast.AST) -> Iterator[str]:
    """The packages that a function imports."""
    for node in ast.walk(function):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield PACKAGE.name if node.level else (node.module or "").partition(".")[0]


@cache
def optional() -> set[str]:
    """The packages that come with the extras of setup.cfg alone."""
    config = configparser.ConfigParser()
    config.read(PACKAGE.parent / "setup.cfg")
    extras = config["options.extras_require"]
    wanted = {name(line) for extra in extras.values() for line in extra.split("\n") if line}
    wanted |= set(re.findall(r"\[(\w+)\]", " ".join(extras.values())))  # limits[redis] brings redis
    wanted -= {name(line) for line in config["options"]["install_requires"].split("\n") if line}
    wanted -= {name(config["metadata"]["name"])}
    return {
        package
        for package, distributions in packages_distributions().items()
        if wanted.intersection(map(name, distributions))
    }


def name(requirement: str) -> str:
    """A distribution's name, in its normal form (PEP 503)."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~; ]", requirement)[0]).lower()


def says_nothing(docstring: str | None) -> bool:
    return docstring is not None and (
        len(docstring) < SHORTEST_DOCSTRING or docstring.upper().startswith("TODO")
    )


def test_functions_files_imports_and_docstrings_are_within_bounds() -> None:
    found = {fault for path in FILES for fault in faults_of(path)}
    assert found - EXCEPTIONS == set(), "out of bounds: see MOST_LINES_OF_A_FUNCTION and so on"
    assert EXCEPTIONS - found == set(), "in bounds by now: take these lines out of EXCEPTIONS"


@pytest.mark.parametrize(
    ("source", "faults"),
    [
        ("def f():\n    'Forty lines.'\n" + "    x = 1\n" * 40, set()),
        ("def f():\n    'Forty-one lines.'\n" + "    x = 1\n" * 41, {"is long"}),
        ("def f(x):\n" + "    if x and x: pass\n" * 4, set()),
        ("def f(x):\n" + "    if x and x: pass\n" * 5, {"has many branches"}),
        ("def f():\n    import redis.client\n    from boto3 import client\n", set()),
        ("def f():\n    import json\n    from . import x\n", {"imports json", "imports messenger_api"}),
        ("def f():\n    def g():\n        import flask\n", {"imports flask"}),
    ],
)
def test_what_is_out_of_bounds_is_found(source: str, faults: set[str]) -> None:
    [function] = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef)
    assert set(faults_of_function(function)) == faults

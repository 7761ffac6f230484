"""Every part of the product is built in one place, once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "messenger_api"
# What a service is given when it is built. Records, rules and helpers are made of other things, where needed.
GIVEN = {"Database", "MesiboClient", "SmsSender", "FileStore"}
# `tasks` builds what does the tasks, for its table.
ROOT = {"composition.py", "foundation.py", "held.py", "operating.py", "tasks.py"}


def trees(folder: Path) -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(folder.rglob("*.py")):
        yield path, ast.parse(path.read_text())


def services() -> set[str]:
    """The classes of services that are given the database, files or an outside system."""
    found = set()
    for _, tree in trees(PACKAGE / "services"):
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                made = [f for f in node.body if isinstance(f, ast.FunctionDef) and f.name == "__init__"]
                names = {ast.unparse(a.annotation) for f in made for a in f.args.args if a.annotation}
                if names & GIVEN:
                    found.add(node.name)
    return found


def known(path: Path, tree: ast.Module) -> set[str]:
    """The names of services in a file: those that it defines or imports."""
    own = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("messenger_api.services")
        for alias in node.names
    }
    return imported | (own if "services" in path.parts else set())


def called(tree: ast.Module) -> set[str]:
    """The names that a file calls."""
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {func.id for func in calls if isinstance(func, ast.Name)}


def test_services_are_built_by_the_composition_root_alone() -> None:
    classes = services()
    assert len(classes) > 20
    elsewhere = [
        f"{path.relative_to(PACKAGE)}: {name}"
        for path, tree in trees(PACKAGE)
        if path.name not in ROOT
        for name in sorted(classes & known(path, tree) & called(tree))
    ]
    assert elsewhere == []

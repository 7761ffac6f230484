"""The line of text below each member of a record or shape, read from its source."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Mapping
from functools import cache
from itertools import pairwise


@cache
def lines(shape: type) -> Mapping[str, str]:
    """What is said of each member of a `Struct` or `TypedDict`, those of its bases included."""
    node = _classes(shape.__module__).get(shape.__name__)
    if node is None:
        return {}
    found: dict[str, str] = {}
    for base in node.bases:
        if isinstance(base, ast.Name) and base.id not in ("Struct", "TypedDict"):
            found.update(lines(getattr(sys.modules[shape.__module__], base.id)))
    return found | _own(node)


def about(shape: type) -> str:
    """What is said of the whole of it: the first paragraph of its docstring."""
    return one_line((inspect.getdoc(shape) or "").partition("\n\n")[0])


def one_line(text: str) -> str:
    """A text without its line ends."""
    return " ".join(text.split())


@cache
def _classes(module: str) -> Mapping[str, ast.ClassDef]:
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def _own(node: ast.ClassDef) -> dict[str, str]:
    found = {}
    for member, below in pairwise(node.body):
        if not isinstance(member, ast.AnnAssign) or not isinstance(member.target, ast.Name):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            found[member.target.id] = one_line(str(below.value.value))
    return found

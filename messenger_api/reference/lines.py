"""What is said of ops, records and shapes in their source: docstrings, and the line below each member."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Mapping
from functools import cache
from itertools import pairwise

from messenger_api.ops.call import Operation

NOTHING = "Not described."
"""What is said of what nobody described."""


@cache
def lines(shape: type) -> Mapping[str, str]:
    """What is said of each member of a `Struct` or `TypedDict`, those of its bases included."""
    node = _classes(shape.__module__).get(shape.__name__)
    if node is None:
        return {}
    found: dict[str, str] = {}
    for base in node.bases:
        if isinstance(base, ast.Name) and isinstance(kind := _named(shape, base.id), type):
            found.update(lines(kind))
    return found | _own(node)


def about(thing: object) -> str:
    """What is said of the whole of it: the first paragraph of its own docstring."""
    return one_line(inspect.cleandoc(thing.__doc__ or "").partition("\n\n")[0])


def about_op(operation: Operation) -> str:
    """What an op is for: its record says it, or else its function."""
    return about(operation.parameters) or about(operation.run) or NOTHING


def one_line(text: str) -> str:
    """A text without its line ends."""
    return " ".join(text.split())


def _named(shape: type, name: str) -> object:
    """What has this name where a record or shape is declared."""
    return getattr(sys.modules[shape.__module__], name, None)


@cache
def _classes(module: str) -> Mapping[str, ast.ClassDef]:
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except (KeyError, OSError, TypeError, SyntaxError):  # of others there may be no source
        return {}
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def _own(node: ast.ClassDef) -> dict[str, str]:
    found = {}
    for member, below in pairwise(node.body):
        if not isinstance(member, ast.AnnAssign) or not isinstance(member.target, ast.Name):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            found[member.target.id] = one_line(str(below.value.value))
    return found

"""A library that is loaded at its first use: for what is large, imported by much, and used by little.

Most commands read no phone number, and would wait for the plans of all countries. A server must not wait in
its first request instead: `composition` loads what is left for later here.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Later:
    """Stands for a module; with type checkers, beside an import that they alone see."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        found = getattr(import_module(self._name), name)
        setattr(self, name, found)  # from now on it costs what an attribute of a module does
        return found

"""`messenger-api`: the operator's commands, which ask services and print."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from messenger_api.cli import commands
from messenger_api.cli.root import main

__all__ = ["main"]

# Each adds its command to `main` by its decorator.
for _module in iter_modules(commands.__path__, f"{commands.__name__}."):
    import_module(_module.name)

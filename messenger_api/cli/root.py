"""`messenger-api` itself: its commands are files, and a file is loaded when its command is chosen.

What a command does not need, it does not wait for: Flask takes longer to load than most commands to run.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import click

from messenger_api.cli import commands
from messenger_api.version import VERSION


class Commands(click.Group):
    """The commands of `cli/commands`: NAME.py makes NAME, and NAME_MORE.py adds to the group NAME."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Their names, in order."""
        return sorted({name.partition("_")[0] for name in _files()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, from its file and those that add to it."""
        for name in _files():
            if cmd_name and name.partition("_")[0] == cmd_name:
                import_module(f"{commands.__name__}.{name}")
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of `--help`, for which no file is loaded: what they say of themselves is read."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _summary(name)) for name in self.list_commands(ctx)])


def _files() -> Iterator[str]:
    return (module.name for module in iter_modules(commands.__path__))


def _summary(name: str) -> str:
    """The first sentence of the function that is the command."""
    tree = ast.parse((Path(commands.__path__[0]) / f"{name}.py").read_text())
    said = {each.name: ast.get_docstring(each) for each in tree.body if isinstance(each, ast.FunctionDef)}
    return click.Command(name, help=said[name]).get_short_help_str(limit=200)


@click.group(cls=Commands)
@click.version_option(VERSION, prog_name="messenger-api")
def main() -> None:
    """The private API for mesibo's messenger apps."""

"""`messenger-api` itself: its commands are files, and a file is loaded when its command is chosen.

What a command does not need, it does not wait for: Flask takes longer to load than most commands to run.
"""

from __future__ import annotations

import ast
import atexit
import gc
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import click

from messenger_api.cli import commands
from messenger_api.version import VERSION


class Subcommands(click.Group):
    """The commands of a group: those of its own file, and of NAME_MORE.py, which is loaded for them alone."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names, in order."""
        for name in self._more():
            _load(name)
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, from the file that says that it has it."""
        for name in self._more():
            if cmd_name in _added(name):
                _load(name)
        return super().get_command(ctx, cmd_name)

    def _more(self) -> list[str]:
        return [name for name in _files() if name.startswith(f"{self.name}_")]


class Commands(click.Group):
    """The commands of `cli/commands`: NAME.py makes NAME, and TWO_WORDS.py, without a TWO.py, two-words."""

    group_class = Subcommands

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Their names, in order."""
        names = set(_files())
        own = (name for name in names if "_" not in name or name.partition("_")[0] not in names)
        return sorted(name.replace("_", "-") for name in own)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, from its file."""
        if cmd_name in self.list_commands(ctx):
            _load(cmd_name.replace("-", "_"))
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of `--help`, for which no file is loaded: what they say of themselves is read."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _summary(name.replace("-", "_"))) for name in self.list_commands(ctx)])


def _files() -> Iterator[str]:
    return (module.name for module in iter_modules(commands.__path__))


def _load(name: str) -> None:
    module = f"{commands.__name__}.{name}"
    if module in sys.modules:
        return
    # What is loaded stays: to look for rings in it takes a fifteenth of a short command.
    gc.disable()
    try:
        import_module(module)
    finally:
        gc.freeze()
        gc.enable()


def _functions(name: str) -> list[ast.FunctionDef]:
    """The functions of a file of commands, which is not loaded for it."""
    tree = ast.parse((Path(commands.__path__[0]) / f"{name}.py").read_text())
    return [each for each in tree.body if isinstance(each, ast.FunctionDef)]


def _summary(name: str) -> str:
    """The first sentence of the function that is the command."""
    said = {each.name: ast.get_docstring(each) for each in _functions(name)}
    return click.Command(name, help=said[name]).get_short_help_str(limit=200)


def _added(name: str) -> set[str]:
    """The names of the commands that a file adds to its group."""
    found = set()
    for function in _functions(name):
        for made in function.decorator_list:
            if isinstance(made, ast.Call) and ast.unparse(made.func).endswith(".command"):
                named = [ast.literal_eval(given) for given in made.args]
                found.add(named[0] if named else function.name.replace("_", "-"))
    return found


@click.group(cls=Commands)
@click.version_option(VERSION, prog_name="messenger-api")
def main() -> None:
    """The private API for mesibo's messenger apps."""
    # At its end the interpreter looks for rings in all that was loaded: a sixth of a short command.
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)

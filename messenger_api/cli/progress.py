"""How far a long command is, told on the standard error."""

from __future__ import annotations

import sys
import time

import click

# Seconds between two words on a terminal, and elsewhere.
TOLD_SECONDS = (0.2, 10.0)
WIDTH = 50


class Progress:
    """Tells how much of something is done, now and then."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._told = time.monotonic()

    def __call__(self, what: str, done: int, expected: int) -> None:
        """`done` of `expected`, which is 0 where that is not known."""
        now = time.monotonic()
        if now - self._told < TOLD_SECONDS[not self._is_terminal]:
            return
        self._told = now
        of = f" of {expected:,}" if expected else ""
        line = f"{what}: {done:,}{of}"
        click.echo(f"\r{line:<{WIDTH}}" if self._is_terminal else line, nl=not self._is_terminal, err=True)

    def end(self) -> None:
        """Clear the line of a terminal for what follows."""
        if self._is_terminal:
            click.echo("\r" + " " * WIDTH + "\r", nl=False, err=True)

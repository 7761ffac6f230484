"""`messenger-api db`: the database's tables."""

from __future__ import annotations

import click

from messenger_api.cli.common import operating
from messenger_api.cli.root import main


@main.group()
def db() -> None:
    """The database's tables."""


@db.command()
def upgrade() -> None:
    """Bring the tables to this version.

    It may be killed and run again: it goes on where it stopped. Of two that run at once, one waits.
    """
    with operating() as parts:
        before = parts.schema.current()
        parts.schema.upgrade(click.echo)
        after = parts.schema.current()
    click.echo(
        f"Already at {after}." if before == after else f"Upgraded from {before or 'nothing'} to {after}."
    )


@db.command()
def current() -> None:
    """Show the tables' version, and whether it is this program's."""
    with operating() as parts:
        found, needed = parts.schema.current(), parts.schema.newest
    click.echo(f"{found or 'no tables'}{'' if found == needed else f' (this version needs {needed})'}")

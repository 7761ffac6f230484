"""`messenger-api outbox`: the work that follows the answers."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

import click

from messenger_api.cli.common import (
    as_json,
    fail,
    local_time,
    looking,
    print_json,
    print_table,
)
from messenger_api.cli.root import main
from messenger_api.services.operator.outbox import OutboxControl, OutboxStatus


@main.group()
def outbox() -> None:
    """Work that follows the answers: update messages, mirrored groups, ended tokens."""


@outbox.command()
@click.option("--limit", default=50, show_default=True, type=click.IntRange(0), help="Dead items to list.")
@as_json
def status(limit: int, as_json: bool) -> None:
    """Show what waits, and what was given up and why."""
    with looking() as parts:
        now = parts.operator.outbox.status(limit)
    if as_json:
        print_json(now)
    else:
        _print(now)


def _of_given_up(
    done: str,
) -> Callable[[Callable[[OutboxControl, int | None], int]], Callable[[int | None, bool], None]]:
    """A command about a dead item, or all of them with `--all`, from a function that returns how many it met.

    Args:
        done: what is printed before their number.
    """

    def as_command(
        do: Callable[[OutboxControl, int | None], int],
    ) -> Callable[[int | None, bool], None]:
        @click.argument("item", metavar="[ID]", required=False, type=click.IntRange(1))
        @click.option("--all", "every", is_flag=True, help="All that were given up.")
        @wraps(do)
        def command(item: int | None, every: bool) -> None:
            if bool(item) == every:
                fail("Name an item or say --all.")
            with looking() as parts:
                count = do(parts.operator.outbox, item)
            if item and not count:
                fail(f"No item {item} was given up.")
            click.echo(f"{done}: {count}")

        return command

    return as_command


@outbox.command()
@_of_given_up("Queued again")
def retry(control: OutboxControl, item: int | None) -> int:
    """Try again what was given up, from its first try on."""
    return control.retry(item)


@outbox.command()
@click.confirmation_option("--yes", prompt="Remove what was given up, for good?")
@_of_given_up("Removed")
def purge(control: OutboxControl, item: int | None) -> int:
    """Remove what was given up, for good."""
    return control.purge(item)


def _print(now: OutboxStatus) -> None:
    click.echo(f"queued  {now.queued}" + (f", the oldest for {now.oldest} s" if now.oldest else ""))
    click.echo(f"dead    {now.dead}")
    if now.dead_items:
        click.echo()
        rows = [(i.id, i.kind, i.attempts, local_time(i.created_at), i.last_error) for i in now.dead_items]
        print_table(("ID", "KIND", "ATTEMPTS", "CREATED", "LAST ERROR"), rows)
    if now.unknown_groups:
        click.echo("\nGroups that may be at mesibo and that nobody here knows; look for them in its console:")
        groups = [(local_time(g.created_at), g.name, " ".join(g.members)) for g in now.unknown_groups]
        print_table(("ASKED FOR", "NAME", "MEMBERS"), groups)

"""`messenger-api outbox`: the work that follows the answers."""

from __future__ import annotations

import click

from messenger_api.cli.common import (
    as_json,
    fail,
    local_time,
    print_json,
    print_table,
    ready_product,
)
from messenger_api.cli.root import main
from messenger_api.services.operator.outbox import OutboxStatus


@main.group()
def outbox() -> None:
    """Work that follows the answers: update messages, mirrored groups, ended tokens."""


@outbox.command()
@click.option("--limit", default=50, show_default=True, type=click.IntRange(0), help="Dead items to list.")
@as_json
def status(limit: int, as_json: bool) -> None:
    """Show what waits, and what was given up and why."""
    with ready_product() as parts:
        now = parts.operator.outbox.status(limit)
    if as_json:
        print_json(now)
    else:
        _print(now)


_one = click.argument("item", metavar="[ID]", required=False, type=click.IntRange(1))
_all = click.option("--all", "every", is_flag=True, help="All that were given up.")


@outbox.command()
@_one
@_all
def retry(item: int | None, every: bool) -> None:
    """Try again what was given up, from its first try on."""
    _check(item, every)
    with ready_product() as parts:
        count = parts.operator.outbox.retry(item)
    _report("Queued again", item, count)


@outbox.command()
@_one
@_all
@click.confirmation_option("--yes", prompt="Remove what was given up, for good?")
def purge(item: int | None, every: bool) -> None:
    """Remove what was given up, for good."""
    _check(item, every)
    with ready_product() as parts:
        count = parts.operator.outbox.purge(item)
    _report("Removed", item, count)


def _check(item: int | None, every: bool) -> None:
    if bool(item) == every:
        fail("Name an item or say --all.")


def _report(what: str, item: int | None, count: int) -> None:
    if item and not count:
        fail(f"No item {item} was given up.")
    click.echo(f"{what}: {count}")


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

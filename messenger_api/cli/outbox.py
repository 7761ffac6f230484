"""`messenger-api outbox`: the work that follows the answers."""

from __future__ import annotations

import click
import msgspec

from messenger_api.cli.common import as_json, local_time, prepare_schema, print_json, print_table, product
from messenger_api.storage import outbox as storage


class DeadItem(msgspec.Struct, frozen=True):
    """An item that was given up; `created_at` is in unix seconds."""

    id: int
    kind: str
    attempts: int
    created_at: int
    last_error: str


class OutboxStatus(msgspec.Struct, frozen=True):
    """Items waiting and given up, and the age in seconds of the oldest that is due."""

    queued: int
    dead: int
    oldest: int
    dead_items: list[DeadItem]


@click.group()
def outbox() -> None:
    """Work that follows the answers: update messages, mirrored groups, ended tokens."""


@outbox.command()
@click.option("--limit", default=50, show_default=True, type=click.IntRange(0), help="Dead items to list.")
@as_json
def status(limit: int, as_json: bool) -> None:
    """Show what waits, and what was given up and why."""
    with product() as parts:
        prepare_schema(parts)
        database = parts.services.database
        found = database.run(lambda tx: storage.status(tx, database.now()))
        rows = database.run(lambda tx: storage.dead(tx, limit))
    items = [DeadItem(row.id, row.kind, row.attempts, row.created_at, row.last_error) for row in rows]
    now = OutboxStatus(found.queued, found.dead, found.oldest, items)
    if as_json:
        print_json(now)
    else:
        _print(now)


def _print(now: OutboxStatus) -> None:
    click.echo(f"queued  {now.queued}" + (f", the oldest for {now.oldest} s" if now.oldest else ""))
    click.echo(f"dead    {now.dead}")
    if now.dead_items:
        click.echo()
        rows = [(i.id, i.kind, i.attempts, local_time(i.created_at), i.last_error) for i in now.dead_items]
        print_table(("ID", "KIND", "ATTEMPTS", "CREATED", "LAST ERROR"), rows)

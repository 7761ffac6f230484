"""`messenger-api groups`: the groups and their members."""

from __future__ import annotations

import click

from messenger_api.cli.common import (
    as_json,
    fail,
    limit_of,
    local_time,
    looking,
    print_details,
    print_json,
    print_table,
)
from messenger_api.cli.root import main
from messenger_api.services.operator.groups import ShownGroup


@main.group()
def groups() -> None:
    """The groups and their members."""


@groups.command("list")
@click.option("--after", default=0, metavar="GID", help="Begin behind this gid: the next page.")
@limit_of("Groups")
@as_json
def list_groups(after: int, limit: int, as_json: bool) -> None:
    """List groups in the order of their gids."""
    with looking() as parts:
        found = parts.operator.groups.page(after=after, limit=limit)
    if as_json:
        print_json(found)
        return
    print_table(
        ("GID", "NAME", "OWNER", "MEMBERS", "SINCE"),
        [(g.gid, g.name, g.owner, g.members, local_time(g.created_at)) for g in found],
    )
    if len(found) == limit:
        click.echo(f"There may be more: --after {found[-1].gid}", err=True)


@groups.command()
@click.argument("gid", type=click.IntRange(1))
@as_json
def show(gid: int, as_json: bool) -> None:
    """Show a group and its members."""
    with looking() as parts:
        found = parts.operator.groups.show(gid)
    if found is None:
        fail(f"There is no group {gid}.")
    if as_json:
        print_json(found)
    else:
        _print(found)


def _print(group: ShownGroup) -> None:
    print_details(
        [
            ("gid", group.gid),
            ("name", group.name),
            ("photo", group.photo),
            ("changed", local_time(group.changed_at)),
        ]
    )
    click.echo(f"\nMembers: {len(group.members)}")
    print_table(("UID", "NUMBER", "ROLE"), [(m.uid, m.address, m.role) for m in group.members])

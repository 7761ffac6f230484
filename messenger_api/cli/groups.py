"""`messenger-api groups`: the groups and their members."""

from __future__ import annotations

import click
import msgspec

from messenger_api.cli.common import (
    as_json,
    fail,
    local_time,
    prepare_schema,
    print_details,
    print_json,
    print_table,
    product,
)
from messenger_api.storage import groups as storage
from messenger_api.storage.groups import GroupState

PAGE = 50


class ListedGroup(msgspec.Struct, frozen=True):
    """A line of the list; times are unix seconds. `owner` is a number."""

    gid: int
    name: str
    owner: str
    members: int
    created_at: int
    changed_at: int


class ShownMember(msgspec.Struct, frozen=True):
    """Somebody in a group; `role` is member, admin or owner."""

    uid: int
    address: str
    role: str


class ShownGroup(msgspec.Struct, frozen=True):
    """A group with its members, in the order in which apps show them."""

    gid: int
    name: str
    photo: str
    changed_at: int
    members: list[ShownMember]


@click.group()
def groups() -> None:
    """The groups."""


@groups.command("list")
@click.option("--after", default=0, metavar="GID", help="Begin behind this gid: the next page.")
@click.option("--limit", default=PAGE, show_default=True, type=click.IntRange(1), help="Groups to list.")
@as_json
def list_groups(after: int, limit: int, as_json: bool) -> None:
    """List groups in the order of their gids."""
    with product() as parts:
        prepare_schema(parts)
        rows = parts.services.database.run(lambda tx: storage.page(tx, after=after, limit=limit))
    found = [ListedGroup(*row) for row in rows]
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
    with product() as parts:
        prepare_schema(parts)
        state = parts.services.database.run(lambda tx: storage.find(tx, gid))
    if state is None:
        fail(f"There is no group {gid}.")
    found = _shown(state)
    if as_json:
        print_json(found)
    else:
        _print(found)


def _shown(state: GroupState) -> ShownGroup:
    members = [ShownMember(m.uid, m.address, m.role.name.lower()) for m in state.roster.members]
    return ShownGroup(state.gid, state.name, state.photo, state.changed_at, members)


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

"""`messenger-api mesibo import` and `export`: users, groups and members at mesibo as files."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import click

from messenger_api.cli.commands.mesibo import mesibo
from messenger_api.cli.common import fail, say
from messenger_api.cli.mesibo import mesibo_client
from messenger_api.cli.moving import BEGUN, COLUMNS, MAYBE, Import, operation
from messenger_api.cli.rows import BadRow, Done, Row, Skipped, format_of, progress, read_rows, writing
from messenger_api.mesibo import Client, MesiboUnreachable, Operation
from messenger_api.mesibo.walking import ALPHABET

kind_option = click.option(
    "--of", "kind", type=click.Choice(list(COLUMNS)), required=True, help="What the rows are."
)
file_argument = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@mesibo.command("export")
@file_argument
@kind_option
@click.option("--match", default="*", help="Which addresses, or names of groups; `*` stands for any text.")
@click.option("--alphabet", default=ALPHABET, help="Characters of the names; fewer are quicker.")
@click.option("--gid", "gids", multiple=True, type=click.IntRange(1), help="Of this group; repeatable.")
def export(file: Path, kind: str, match: str, alphabet: str, gids: tuple[int, ...]) -> None:
    """Write users, groups or members at mesibo to FILE (.csv or .jsonl); exit with 1 when some are missing.

    Groups, and members without --gid, need a backend API on one's own premises. mesibo names 20 members of a
    group; of a larger one none is written.
    """
    format_of(file)
    missing: list[int] = []
    count = 0
    with mesibo_client() as client:
        rows = _found(client, kind, match, alphabet, gids, missing)
        with (
            writing(file, COLUMNS[kind]) as write,
            progress(kind, rows=rows) as shown,
        ):
            for row in shown:
                write({name: row.get(name) for name in COLUMNS[kind]})
                count += 1
    say(f"{count} {kind} in {file}.")
    if missing:
        named = ", ".join(map(str, missing))
        fail(f"mesibo does not name all members of the groups {named}: none of them is written.")


def _found(
    client: Client, kind: str, match: str, alphabet: str, gids: tuple[int, ...], missing: list[int]
) -> Iterator[dict[str, Any]]:
    if kind == "users":
        seen: set[object] = set()
        for user in client.users(match, alphabet=alphabet):
            if user.address not in seen:  # mesibo may have an item for each app id
                seen.add(user.address)
                yield dataclasses.asdict(user)
    elif kind == "groups":
        yield from map(dataclasses.asdict, client.groups(match, alphabet=alphabet))
    else:
        yield from _members(client, gids or _gids(client, match, alphabet), missing)


def _gids(client: Client, match: str, alphabet: str) -> list[int]:
    return [group.gid or 0 for group in client.groups(match, alphabet=alphabet)]


def _members(client: Client, gids: Iterable[int], missing: list[int]) -> Iterator[dict[str, Any]]:
    for gid in gids:
        try:
            members = client.members(gid)
        except MesiboUnreachable as failure:
            if failure.reason != "too many":
                raise
            missing.append(gid)
            continue
        yield from ({**dataclasses.asdict(member), "gid": gid} for member in members)


@mesibo.command("import")
@file_argument
@kind_option
@click.option("--go", is_flag=True, help="Do it; without this, only say what would be done.")
@click.option("--new", is_flag=True, help="Make groups anew, whatever gid their rows have.")
@click.option(
    "--groups",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The file from which the members' groups were imported with --new: their gids are looked up there.",
)
def import_rows(file: Path, kind: str, go: bool, new: bool, groups: Path | None) -> None:
    """Bring users, groups or members in FILE (.csv or .jsonl) to mesibo; exit with 1 when some are skipped.

    Rows that are done are remembered beside the file (.done): a second run goes on where the first ended, and
    makes nothing twice. Rows that cannot be used stand in a file .skipped with the reason, to be mended there
    and imported from there. A user keeps the token; a group with a gid is changed, one without is made.
    """
    format_of(file)
    if not file.exists():
        fail(f"There is no file {file}.")
    done, skipped = Done(file), Skipped(file)
    gids = _new_gids(groups) if groups else None
    with mesibo_client() as client:
        make = partial(operation, kind, new=new, gids=gids)
        calls, before = _calls(client, file, done, skipped, make)
        if not go:
            skipped.save()
            say(f"{len(calls)} {kind} to bring, {before} done before, {skipped}.")
            say("Nothing was sent: --go does it.")
            return
        work = Import(client, done, skipped)
        try:
            with progress(kind, length=len(calls)) as bar:
                for settled in work.run(calls):
                    bar.update(settled)
        finally:
            skipped.save()
            say(f"{work.sent} {kind} brought, {before} done before.")
    say(f"{skipped}.")
    if len(skipped):
        raise SystemExit(1)


def _calls(
    client: Client, file: Path, done: Done, skipped: Skipped, make: Callable[[Row], Operation[Any]]
) -> tuple[list[tuple[Row, Operation[Any]]], int]:
    found, before = [], 0
    for row in read_rows(file):
        if row.key in done.results:
            before += 1
            if done.results[row.key] == BEGUN:
                skipped.add(row, MAYBE)
            continue
        try:
            op = make(row)
            client.size(op)
        except (BadRow, ValueError) as fault:
            skipped.add(row, str(fault))
        else:
            found.append((row, op))
    return found, before


def _new_gids(groups: Path) -> Mapping[int, int]:
    results = Done(groups).results
    return {
        int(row.values["gid"]): results[row.key]
        for row in read_rows(groups)
        if isinstance(results.get(row.key), int) and str(row.values.get("gid", "")).isdigit()
    }

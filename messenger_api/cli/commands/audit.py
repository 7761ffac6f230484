"""`messenger-api audit`: what operators did, and whether the rows that tell it are as they were written."""

from __future__ import annotations

import sys

import click

from messenger_api.cli.common import (
    as_json,
    limit_of,
    local_time,
    looking,
    print_json,
    print_table,
    say,
)
from messenger_api.cli.root import main
from messenger_api.operating import OperatorParts
from messenger_api.services.operator.audit import Entry


@main.group()
def audit() -> None:
    """What administrators and commands did."""


@audit.command("list")
@click.option("--user", "number", default="", metavar="NUMBER", help="Only what is about this number.")
@click.option("--before", default=0, metavar="ID", help="Begin behind this row: the next page.")
@limit_of("Rows")
@as_json
def list_rows(number: str, before: int, limit: int, as_json: bool) -> None:
    """List what was done, newest first. Rows outlive the account that they are about."""
    with looking() as parts:
        found = parts.audit.page(before=before, user=_address(parts, number), most=limit)
        names = {parts.audit.name_of(one.name): one.name for one in parts.administrators.every()}
    if as_json:
        print_json(found)
        return
    print_table(
        ("ID", "TIME", "BY", "EVENT", "ABOUT", "FIELDS"),
        [_line(row, names) for row in found],
    )


@audit.command()
@as_json
def verify(as_json: bool) -> None:
    """Look whether any row was altered, removed or put elsewhere; exit with 1 if so."""
    with looking() as parts:
        found = parts.audit.verify()
    if as_json:
        print_json(found)
    else:
        for fault in found.faults:
            say(f"FAULT  {fault}")
        say(f"{found.rows} rows, the last one {found.last}: {found.chain}")
        say("Compare it with the lines audit.last of the log: rows may be gone from the end.")
    sys.exit(bool(found.faults))


def _address(parts: OperatorParts, number: str) -> str:
    """The address that rows about a number are found by: also where the account is gone."""
    who = parts.identities.read(number, parts.settings.default_country) if number else None
    return who.address if who else number


def _line(row: Entry, names: dict[str, str]) -> tuple[object, ...]:
    by, about = names.get(row.actor, row.actor) or "command", names.get(row.subject, row.subject)
    fields = " ".join(f"{name}={value}" for name, value in row.fields.items())
    return row.id, local_time(row.at), by, row.event, about, fields

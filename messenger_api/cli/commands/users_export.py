"""`messenger-api users export`: the accounts here as a file, or all that is kept about one."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from messenger_api.cli.commands.users import users
from messenger_api.cli.common import looking, print_json, ready_services, say, uid_of
from messenger_api.cli.rows import FORMATS, progress, writing
from messenger_api.operating import OperatorParts
from messenger_api.services.operator.users import ExportedUser


@users.command()
@click.argument("which", metavar="[FILE/NUMBER]", default="")
def export(which: str) -> None:
    """Write all accounts to FILE (.csv or .jsonl), or print all that is kept about the user with NUMBER.

    Without either, all accounts go to the standard output as JSON lines. Of each its profile is written: no
    token, code, password or phone book. Of a single user is printed, as JSON, what `exportaccount` answers.
    """
    if which and Path(which).suffix not in FORMATS:
        _print_one(which)
        return
    with looking() as parts:
        if which:
            _write_all(parts, Path(which))
        else:
            for account in parts.operator.users.exported():
                print_json(account, indent=0)


def _print_one(number: str) -> None:
    with ready_services() as (parts, services):
        files_url = parts.settings.files_url(parts.settings.public_url.rstrip("/"))
        found = services.exports.of(uid_of(parts, number), files_url)
    print_json(found)


def _write_all(parts: OperatorParts, file: Path) -> None:
    count = 0
    with (
        writing(file, ExportedUser.__struct_fields__) as write,
        progress("accounts", rows=parts.operator.users.exported()) as shown,
    ):
        for account in shown:
            write(msgspec.to_builtins(account))
            count += 1
    say(f"{count} accounts in {file}.")

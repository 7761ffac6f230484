"""`messenger-api users import`: accounts that a file brings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from messenger_api.cli.commands.users import users
from messenger_api.cli.common import (
    built,
    check_fit,
    fail,
    ready_product,
    say,
)
from messenger_api.cli.rows import (
    BadRow,
    Row,
    Skipped,
    format_of,
    progress,
    read_rows,
    truth,
)
from messenger_api.domain.errors import TryLater
from messenger_api.gateways.mesibo import MesiboError
from messenger_api.services.operator.imports import Brought, Imports, NotImported
from messenger_api.services.operator.users import ExportedUser

COLUMNS = ExportedUser.__struct_fields__
WITHOUT_TOKENS = (
    "mesibo's api.php makes no user without an app: for the import set MESIBO_API_URL to its /backend or"
    " /mesiboapi, and MESIBO_API_STYLE to json."
)

Account = tuple[Row, Brought]


@users.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--go", is_flag=True, help="Do it; without this, only say what would be done.")
def import_accounts(file: Path, go: bool) -> None:
    """Make accounts of the rows in FILE (.csv or .jsonl), or change those there are; exit with 1 when some
    are skipped.

    `address` is read as at login; `name`, `status` and `blocked` (true or false) are set, and what is empty
    stays as it is. The other columns of an export are not read. mesibo makes the user, and the owner logs in
    as ever. A second run does what the first did not, and nothing twice. Rows that cannot be used stand in a
    file .skipped with the reason, to be mended there and imported from there.
    """
    format_of(file)
    skipped = Skipped(file)
    with ready_product() as parts:
        if go:
            check_fit(parts.settings)
            if not parts.mesibo.makes_users:
                fail(WITHOUT_TOKENS)
        imports = built(lambda: parts.imports)
        accounts, read = _accounts(imports, file, skipped)
        wanted = imports.outstanding([account for _row, account in accounts])
        waiting = [each for each, is_wanted in zip(accounts, wanted, strict=True) if is_wanted]
        unchanged = len(accounts) - len(waiting)
        if not go:
            skipped.save()
            say(f"{read} read: {len(waiting)} to import, {unchanged} unchanged, {skipped}.")
            say("Nothing was changed: --go does it.")
            return
        imported = _bring(imports, waiting, skipped)
    say(f"{read} read: {imported} imported, {unchanged} unchanged, {skipped}.")
    if len(skipped):
        raise SystemExit(1)


def _accounts(imports: Imports, file: Path, skipped: Skipped) -> tuple[list[Account], int]:
    """The accounts in a file, and how many rows it has. Of rows about one account the first counts."""
    found: list[Account] = []
    keys: set[bytes] = set()
    read = 0
    for row in read_rows(file):
        read += 1
        try:
            account = _account(imports, row)
            if account.key in keys:
                raise BadRow("an earlier row has the same account")
        except (BadRow, NotImported) as fault:
            skipped.add(row, str(fault))
        else:
            keys.add(account.key)
            found.append((row, account))
    return found, read


def _account(imports: Imports, row: Row) -> Brought:
    values = row.checked(COLUMNS)
    address = _text(values, "address")
    if address is None:
        raise BadRow("address: is empty")
    blocked = truth("blocked", values["blocked"]) if "blocked" in values else None
    return imports.read(address, name=_text(values, "name"), status=_text(values, "status"), blocked=blocked)


def _text(values: dict[str, Any], name: str) -> str | None:
    value = values.get(name)
    if isinstance(value, bool | list | dict):
        raise BadRow(f"{name}: is no text")
    return None if value is None else str(value)


def _bring(imports: Imports, waiting: Sequence[Account], skipped: Skipped) -> int:
    """How many were brought. When mesibo or the database is away, the command ends, and can begin again."""
    imported = 0
    try:
        with progress("accounts", length=len(waiting)) as bar:
            for row, account in waiting:
                try:
                    imports.bring(account)
                    imported += 1
                except NotImported as fault:
                    skipped.add(row, str(fault))
                bar.update(1)
    except BaseException as error:
        say(f"{imported} of {len(waiting)} imported; the same command goes on.")
        if isinstance(error, TryLater) and isinstance(error.__cause__, MesiboError):
            fail(f"{error.__cause__}.")
        raise
    finally:
        skipped.save()
    return imported

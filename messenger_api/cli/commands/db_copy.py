"""`messenger-api db copy`: from SQLite to MySQL, and back."""

from __future__ import annotations

import time
from dataclasses import replace

import click

from messenger_api.cli.commands.backup import keeping_refusals
from messenger_api.cli.commands.db import db
from messenger_api.cli.common import fail, operating, print_table, say
from messenger_api.cli.progress import Progress
from messenger_api.keeping.copying import Copy
from messenger_api.operating import OperatorParts
from messenger_api.settings.conversions import Unacceptable
from messenger_api.settings.database import as_database


@db.command()
@click.argument("uri", envvar="COPY_TO")
def copy(uri: str) -> None:
    """Copy all rows into the empty database URI, as SQLALCHEMY_DATABASE_URI has it. Stop the server first.

    The variable COPY_TO does for URI, so that no list of processes shows the password. It may be killed and
    run again: it goes on where it stopped. At its end both databases are compared.
    """
    try:
        named = as_database(uri)
    except Unacceptable as error:
        fail(f"URI: expected {error}")
    progress, began = Progress(), time.monotonic()
    with keeping_refusals(), operating() as parts:
        target = OperatorParts.alone(replace(parts.settings, sqlalchemy_database_uri=named))
        try:
            counted = Copy(parts.database, target.database, progress, click.echo).run()
        finally:
            target.close()
    progress.end()
    print_table(("TABLE", "COPIED", "ROWS"), [(each.table, each.copied, each.rows) for each in counted])
    say(f"All {sum(each.rows for each in counted)} rows are alike in both; {time.monotonic() - began:.1f} s.")
    say("Now name the new database in the configuration; SECRET_KEY stays as it is.")

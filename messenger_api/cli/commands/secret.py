"""`messenger-api secret`: another SECRET_KEY."""

from __future__ import annotations

import time

import click

from messenger_api.cli.commands.backup import keeping_refusals
from messenger_api.cli.common import (
    fail,
    is_to_be_made,
    operating,
    prepare_tables,
    print_table,
    say,
    settings,
)
from messenger_api.cli.progress import Progress
from messenger_api.cli.root import main
from messenger_api.keeping.rotating import Rotation
from messenger_api.keyfile import FORMER, NEXT, key_path
from messenger_api.settings import Settings

# What becomes of the rows of a table that cannot be put under another key.
LEFT = {
    "users": "",
    "contacts": "numbers that nobody has: removed; they come back when the apps send their phone books",
    "former_contacts": "removed; NEW_NUMBERS begins at nothing, or a phone book sent again would not fit",
    "blocks": "BLOCKS OF NUMBERS THAT NOBODY HAS: LIFTED, and nobody can tell whose numbers they were",
    "login_steps": "removed: `why` knows nothing of them",
    "sent_texts": "stay with their cost, without saying whose they were",
    "gone_push_tokens": "stay without their hash",
}
ALSO = """\
Sessions of the apps, groups, messages and pictures stay. Audit and authenticators are sealed anew.
Forgotten: codes under way (people ask for another one), logins at the console, and the counts of limits by
network and by numbers and ranges of which nobody has one: these begin at nothing. What was counted for the
budgets, the hour, countries, and the numbers and ranges of accounts stands."""


@main.group()
def secret() -> None:
    """The SECRET_KEY."""


@secret.command()
@click.option("--go", is_flag=True, help="Do it. Stop all servers and workers first.")
@click.option("--yes", is_flag=True, help="With --go: do not ask whether all are stopped.")
def rotate(go: bool, yes: bool) -> None:
    """Put all data under a new SECRET_KEY; without --go, tell what that would do.

    All of it is one transaction. After a kill, run it again: it says which key is the good one.
    """
    config, progress, began = settings(), Progress(), time.monotonic()
    if is_to_be_made(config):
        fail("There is no database yet: there is nothing to put under another key.")
    with keeping_refusals(), operating(config) as parts:
        prepare_tables(parts)
        rotation = Rotation(parts, progress, key_in_file=not config.secret_key)
        if rotation.is_to_be_finished:
            say(f"The data are under the new key already, that in {config.instance / NEXT}.")
        else:
            _print(rotation)
        if not go:
            say("Nothing was written. Stop all servers and workers, make a backup, and add --go.")
            return
        if not yes:
            click.confirm("Are all servers and workers of this database stopped?", abort=True, err=True)
        rotation.go()
    progress.end()
    say(f"All data are under the new SECRET_KEY; {time.monotonic() - began:.1f} s.")
    _tell_where(config)


def _print(rotation: Rotation) -> None:
    counted = rotation.look()
    print_table(
        ("TABLE", "ROWS", "RE-KEYED", "NOT"),
        [(each.table, each.rows, each.known, each.rows - each.known) for each in counted],
    )
    for each in counted:
        if each.rows > each.known:
            say(f"  {each.table}, {each.rows - each.known}: {LEFT[each.table]}")
    say(ALSO)


def _tell_where(config: Settings) -> None:
    if config.secret_key:
        file = config.instance / NEXT
        say(
            f"It stands in {file}, for its owner alone: put it as SECRET_KEY where the former one is, on"
            " every machine, and delete the file. Until then no server starts."
        )
    else:
        former = config.instance / FORMER
        say(f"It is in {key_path(config)}, the former one in {former}: that goes when its backups do.")
    say("Make a backup, and keep a copy of the key elsewhere: older backups need the former one.")

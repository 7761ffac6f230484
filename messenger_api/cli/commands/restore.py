"""`messenger-api restore`: an installation from its backup."""

from __future__ import annotations

from pathlib import Path

import click

from messenger_api.cli.commands.backup import keeping_refusals, passphrase_file, tell_content
from messenger_api.cli.common import say, settings
from messenger_api.cli.progress import Progress
from messenger_api.cli.root import main
from messenger_api.keeping import restore as restoring
from messenger_api.keeping.manifest import Manifest
from messenger_api.private_files import writing


@main.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--replace", "replacing", default="", metavar="NAME", help="Delete what the database NAME holds."
)
@click.option("--check", "only_check", is_flag=True, help="Read every byte of the backup, and write nothing.")
@click.option(
    "--key-into",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the sealed SECRET_KEY to this new file, and do no more.",
)
@passphrase_file
def restore(folder: Path, replacing: str, only_check: bool, key_into: Path | None, passphrase: str) -> None:
    """Bring FOLDER back, which `backup` wrote, into an empty database. Stop the server first.

    Everything is checked before anything is written. After a kill, run it again.
    """
    asked, progress = restoring.Asked(folder, replacing, passphrase), Progress()
    with keeping_refusals():
        if key_into:
            _write_key(asked, key_into, progress)
            return
        if only_check:
            found = restoring.checked(asked, progress)
        else:
            found = restoring.restore(settings(), asked, progress, click.echo)
    progress.end()
    tell_content(found)
    if passphrase:
        _tell_of_key(found)
    say("Whole; nothing was written." if only_check else "Restored. Whoever was logged in still is.")


def _tell_of_key(found: Manifest) -> None:
    if restoring.has_key(found):
        say("SECRET_KEY: in the backup, and the passphrase opens it.")
    else:
        say("SECRET_KEY: NOT in the backup, which was made without --passphrase-file.", err=True)


def _write_key(asked: restoring.Asked, file: Path, progress: Progress) -> None:
    key = restoring.unsealed_key(asked, restoring.checked(asked, progress))
    with writing(file, new=True) as target:
        target.write(key)
    progress.end()
    say(f"The SECRET_KEY stands in {file}: put it into the configuration, and delete the file.")

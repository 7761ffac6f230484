"""`messenger-api backup`: the installation as a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from messenger_api.cli.common import fail, is_to_be_made, operating, plainly, say, settings
from messenger_api.cli.progress import Progress
from messenger_api.cli.root import main
from messenger_api.keeping import backup as backups
from messenger_api.keeping.manifest import FILES, THUMBNAILS, KeepingError, Manifest
from messenger_api.keeping.sealing import SHORTEST_PASSPHRASE
from messenger_api.keyfile import key_path
from messenger_api.settings import Settings

passphrase_file = click.option(
    "--passphrase-file",
    "passphrase",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    callback=lambda _context, _option, path: _passphrase(path) if path else "",
    help="A file whose first line is the passphrase that seals the SECRET_KEY.",
)


@main.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@passphrase_file
def backup(folder: Path, passphrase: str) -> None:
    """Write database and files to FOLDER, which must be new; the server may go on.

    The SECRET_KEY goes along only under a passphrase. The configuration does not.
    """
    config, progress = settings(), Progress()
    if is_to_be_made(config):
        fail("There is no database yet: there is nothing to keep.")
    with keeping_refusals(), operating() as parts:
        made = backups.make(parts, folder, passphrase, progress)
    progress.end()
    tell_content(made)
    if not passphrase:
        _tell_of_key(config)
    say(f"Whole: {folder}")


@contextmanager
def keeping_refusals() -> Iterator[None]:
    """What speaks against a backup or restore ends the command with a sentence."""
    try:
        with plainly():
            yield
    except KeepingError as error:
        fail(str(error))


def tell_content(manifest: Manifest) -> None:
    """Say what a backup holds."""
    rows = manifest.rows
    counts = f"{rows.get('users', 0)} accounts, {rows.get('sessions', 0)} sessions"
    say(f"Database: {counts}, {sum(rows.values())} rows in all; tables {manifest.revision}.")
    for place in (FILES, THUMBNAILS):
        bucket = manifest.elsewhere.get(place)
        what = f"kept in the bucket {bucket}, not copied" if bucket else str(manifest.count(place))
        say(f"{place.capitalize()}: {what}.")


def _tell_of_key(config: Settings) -> None:
    where = "in the configuration" if config.secret_key else str(key_path(config))
    say(
        f"The SECRET_KEY ({where}) is NOT in this backup, and without it nobody can log in after a restore."
        " Keep a copy elsewhere, or take --passphrase-file.",
        err=True,
    )


def _passphrase(path: Path) -> str:
    found = path.read_text(encoding="utf-8").partition("\n")[0].strip()
    if len(found) < SHORTEST_PASSPHRASE:
        raise click.BadParameter(f"{path} holds fewer than {SHORTEST_PASSPHRASE} characters")
    return found

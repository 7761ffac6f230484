"""`messenger-api move`: from mesibo's PHP demo to here."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from messenger_api.cli.common import (
    as_json,
    fail,
    plainly,
    prepare_tables,
    print_json,
    print_table,
    product,
    say,
)
from messenger_api.cli.progress import Progress
from messenger_api.cli.root import main
from messenger_api.moving.mended import Mended
from messenger_api.moving.move import Asked, Move, MoveRefused
from messenger_api.moving.php_config import Taken, written
from messenger_api.moving.pictures import Folders
from messenger_api.moving.report import Report
from messenger_api.moving.source import SourceError
from messenger_api.private_files import UnreadableError
from messenger_api.settings.sources import path_in

MODES = ("check", "rehearse", "go")
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@main.group()
def move() -> None:
    """Move in from mesibo's PHP demo."""


@move.command()
@click.option(
    "--from",
    "source",
    required=True,
    envvar="MOVE_FROM",
    help="The demo's database, mysql://user:password@host/database; or the variable MOVE_FROM.",
)
@click.option("--appid", required=True, help="The apps' id at mesibo, which the demo did not keep.")
@click.option("--check", "mode", flag_value="check", help="Tell what would happen.")
@click.option("--rehearse", "mode", flag_value="rehearse", help="Do it all into tables that are dropped.")
@click.option("--go", "mode", flag_value="go", help="Move.")
@click.option("--files", type=FOLDER, help="The demo's $files_path, unless it is FILES_PATH.")
@click.option("--thumbnails", type=FOLDER, help="The demo's $files_tn_path, unless it is FILES_TN_PATH.")
@click.option("--mended", type=FILE, help="A file of skipped rows whose values you have mended.")
@click.option(
    "--skipped",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the rows that are skipped are written  [default: move-skipped-MODE.csv]",
)
@as_json
def php(
    source: str,
    appid: str,
    mode: str | None,
    files: Path | None,
    thumbnails: Path | None,
    mended: Path | None,
    skipped: Path | None,
    as_json: bool,
) -> None:
    """Move accounts, sessions, phone books, groups and pictures of the PHP demo in; it is only read.

    Every row is moved, merged with another one, or skipped: then it stands in a file with the reason. A move
    that was cut short is begun anew by the same command.
    """
    if mode is None:
        raise click.UsageError("Say --check, --rehearse or --go.")
    skipped = skipped or Path(f"move-skipped-{mode}.csv")
    if mended and skipped.resolve() == mended.resolve():
        fail(f"{mended} would be overwritten: name another file with --skipped.")
    progress = Progress()
    with _refusing(), product() as parts:
        prepare_tables(parts)
        parts.installation.check_key()
        given = Mended.read(mended) if mended else Mended()
        asked = Asked(source, appid, Folders(files, thumbnails), given, skipped)
        moving = Move(parts, asked, progress)
        began = time.monotonic()
        report = {"check": moving.check, "rehearse": moving.rehearse, "go": moving.go}[mode]()
        seconds = time.monotonic() - began
    if as_json:
        print_json({"mode": mode, "seconds": round(seconds, 2), "tables": report.as_json()})
        return
    progress.end()
    _print(report, moving.absent)
    _print_end(mode, report, skipped, seconds)
    if unused := len(given) - len(given.used):
        say(f"{unused} rows of {mended} are not in the source.")


@move.command()
@click.argument("config_php", type=FILE)
@click.option("--database", default="messenger", show_default=True, help="The name of the new database.")
def config(config_php: Path, database: str) -> None:
    """Write config.py from the PHP demo's config.php, which is read as text; nothing is ever overwritten."""
    target = path_in({})
    with plainly():
        try:
            taken = written(config_php, target, database)
        except FileExistsError:
            fail(f"{target.absolute()} exists, and stays as it is. Move it away, or set MESSENGER_CONFIG.")
    _print_taken(taken, target)


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except (MoveRefused, SourceError, UnreadableError) as error:
        fail(str(error))


def _print(report: Report, absent: object) -> None:
    heads = ("TABLE", "READ", "MOVED", "MERGED", "SKIPPED", "SECONDS")
    rows = [
        (name, c.read, c.moved, c.merged, c.skipped.total(), f"{c.seconds:.1f}")
        for name, c in report.tables.items()
    ]
    print_table(heads, rows)
    for name, count in report.tables.items():
        for reason, many in count.skipped.most_common():
            say(f"  {name}, skipped {many}: {reason}")
        for reason, many in count.notes.most_common():
            say(f"  {name}, moved {many}: {reason}")
    if isinstance(absent, list) and absent:
        say(f"  Not in the source: {', '.join(absent)}")


def _print_end(mode: str, report: Report, skipped: Path, seconds: float) -> None:
    done = {"check": "Nothing was written.", "rehearse": "All of it was dropped again.", "go": "Moved."}[mode]
    say(f"{done} {seconds:.1f} s. What was skipped, with reasons: {skipped}")
    if not report.balances:
        fail("The counts do not add up with those of the source: this is a fault of this program.")


def _print_taken(taken: Taken, target: Path) -> None:
    say(f"{target.absolute()}: {', '.join(taken.keys)}")
    for name, instead in taken.left.items():
        say(f"  {name}: {instead}")

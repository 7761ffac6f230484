"""The SECRET_KEY of an installation that configures none: made on the first start and kept in a file.

Without that file, a database that holds accounts is refused: another key would match none of them.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

from messenger_api.domain.secrets import new_secret_key
from messenger_api.private_files import FILE_MODE
from messenger_api.settings import Settings, SettingsError

NAME = "secret_key"
NEXT = "secret_key.next"
"""The key that takes its place; made before the data are put under it."""
FORMER = "secret_key.former"
"""The key whose place was taken."""


def with_secret_key(settings: Settings) -> Settings:
    """The settings with the key of this installation: configured, or made on the first start and kept.

    Raises:
        SettingsError: the file is gone or empty, while there are data that were made with its key.
    """
    if settings.secret_key:
        return settings
    if faults := key_faults(settings):
        raise SettingsError(faults)
    path = settings.in_instance(NAME)
    if not path.exists():
        keep(settings, new_secret_key())
    return replace(settings, secret_key=path.read_text().strip())


def kept_key(settings: Settings) -> str:
    """The key of this installation, configured or kept; "" when none is made yet, or it cannot be read."""
    if settings.secret_key:
        return settings.secret_key
    try:
        return key_path(settings).read_text().strip()
    except OSError:
        return ""


def key_path(settings: Settings) -> Path:
    """The file in which the key is kept that was made on the first start."""
    return settings.instance / NAME


def key_faults(settings: Settings) -> list[str]:
    """What is wrong with the kept key; nothing when it is still to be made."""
    path = key_path(settings)
    if path.exists():
        empty = not path.read_text().strip()
        return [f"{path}: is empty; put back what it held, or set SECRET_KEY to that"] if empty else []
    if not _has_accounts(settings):
        return []
    return [
        f"{path}: is gone, and the accounts in the database were made with the key that it held. Put the file"
        " back from a backup, or set SECRET_KEY to that key"
    ]


def _has_accounts(settings: Settings) -> bool:
    """Whether a SQLite file is there and holds accounts; it is not made by looking."""
    file = Path(settings.sqlite_path)
    if not (settings.is_sqlite and file.is_file()):
        return False
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT 1 FROM users LIMIT 1").fetchone() is not None
    except sqlite3.Error:  # no such table, or no database at all
        return False


def keep(settings: Settings, key: str) -> None:
    """Write the key where none is kept. Of several processes that start at once, one key is kept for all."""
    path = settings.in_instance(NAME)
    with tempfile.NamedTemporaryFile("w", dir=path.parent) as file:
        file.write(key)
        file.flush()
        with suppress(FileExistsError):
            os.link(file.name, path)


def next_key(settings: Settings) -> str:
    """The key that is to take the place of the one in use; "" for none."""
    try:
        return (settings.instance / NEXT).read_text().strip()
    except FileNotFoundError:
        return ""


def keep_next(settings: Settings, key: str) -> None:
    """Have this key on the disk before anything is made with it."""
    _write(settings.in_instance(NEXT), key)


def take_next(settings: Settings) -> None:
    """Put the next key into the place of the kept one, which stays beside it."""
    _write(settings.instance / FORMER, key_path(settings).read_text())
    (settings.instance / NEXT).replace(key_path(settings))
    _settle(settings.instance)


def _write(path: Path, text: str) -> None:
    """Write a file for its owner alone: whole, or not at all, and on the disk when this returns."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
        file.write(text)
        file.flush()
        os.fchmod(file.fileno(), FILE_MODE)
        os.fsync(file.fileno())
    Path(file.name).replace(path)
    _settle(path.parent)


def _settle(folder: Path) -> None:
    """Have the names in a folder on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Makes a backup of an installation, while its servers go on.

Files are copied before and after the database is saved. A name of a file is written in the database when the
file is there, and a file goes after its name: so what was there before the backup began, and what came before
the database was saved, is in it. Only a photo that came and was replaced again in between may be missing.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from messenger_api.keeping import manifest as manifests
from messenger_api.keeping.manifest import FILES, SEALED_KEY, THUMBNAILS, KeepingError, Manifest, Tell
from messenger_api.keeping.mysql import MySql
from messenger_api.keeping.saved import Keeper
from messenger_api.keeping.sealing import sealed
from messenger_api.keeping.sqlite import Sqlite
from messenger_api.operating import OperatorParts
from messenger_api.private_files import create
from messenger_api.settings import Settings
from messenger_api.settings.files import is_bucket
from messenger_api.storage.files.folder import sync_folder
from messenger_api.storage.files.names import is_name
from messenger_api.version import VERSION

FOLDER_MODE = 0o700


def keeper_of(parts: OperatorParts) -> Keeper:
    """What saves and loads the database of these settings."""
    return Sqlite(parts.settings) if parts.settings.is_sqlite else MySql(parts)


def places_of(settings: Settings) -> Mapping[str, str]:
    """Where files and thumbnails rest."""
    return {FILES: settings.files_path, THUMBNAILS: settings.files_tn_path}


def make(parts: OperatorParts, folder: Path, passphrase: str, tell: Tell) -> Manifest:
    """Make the backup `folder`; with a passphrase the key goes along, sealed.

    Raises:
        KeepingError: the folder holds something, another backup into it is under way, or the database
            cannot be saved.
        OSError: something cannot be read or written.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise KeepingError(f"{folder} holds something: name a folder that is not there yet")
    with _part_of(folder) as part:
        sums: dict[str, str] = {}
        _copy_files(parts.settings, part, sums, tell)
        keeper = keeper_of(parts)
        saved = keeper.save(part / keeper.file, tell)
        if not saved.revision:
            raise KeepingError(f"The database {keeper.name} has no tables of this program")
        sums[keeper.file] = manifests.sum_of(part, keeper.file)
        _copy_files(parts.settings, part, sums, tell)
        if passphrase:
            with os.fdopen(create(part / SEALED_KEY), "wb") as file:
                file.write(sealed(parts.settings.secret_key, passphrase))
            sums[SEALED_KEY] = manifests.sum_of(part, SEALED_KEY)
        made = Manifest(
            version=VERSION,
            made_at=parts.database.now(),
            engine=keeper.engine,
            revision=saved.revision,
            rows=saved.rows,
            key=parts.keys.fingerprint,
            elsewhere={name: path for name, path in places_of(parts.settings).items() if is_bucket(path)},
            sums=sums,
        )
        manifests.write(part, made)
    return made


@contextmanager
def _part_of(folder: Path) -> Iterator[Path]:
    """A new folder that gets the name `folder` at the end, and goes with whatever fails before.

    One that a killed backup left is deleted. Raises KeepingError: a backup writes there now, or it is no
    folder of this user's, but a link to something else, say.
    """
    part = folder.absolute().with_name(f".{folder.name}.part")
    part.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    if part.lstat().st_uid != os.geteuid() or part.is_symlink():
        raise KeepingError(f"{part} is not this user's own folder: delete it")
    descriptor = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise KeepingError(f"Another backup into {folder} is under way") from None
    try:
        for left in part.iterdir():
            shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
        yield part
        for written in (*filter(Path.is_dir, part.iterdir()), part):
            sync_folder(written)
        part.rename(folder.absolute())
        sync_folder(part.parent)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    finally:
        os.close(descriptor)


def _copy_files(settings: Settings, part: Path, sums: dict[str, str], tell: Tell) -> None:
    """Copy what is not in `sums` yet. A file that goes meanwhile is passed over."""
    for place, path in places_of(settings).items():
        target = part / place
        target.mkdir(mode=FOLDER_MODE, exist_ok=True)
        if is_bucket(path) or not Path(path).is_dir():
            continue
        with os.scandir(path) as entries:
            names = [entry.name for entry in entries if is_name(entry.name) and entry.is_file()]
        for done, name in enumerate(names):
            tell(place, done, len(names))
            if f"{place}/{name}" not in sums:
                try:
                    with (Path(path) / name).open("rb") as file:
                        sums[f"{place}/{name}"] = manifests.copied(file, target / name)
                except FileNotFoundError:
                    continue

"""What a backup says of itself, and the check that it is still so."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable
from io import BufferedReader
from pathlib import Path

import msgspec

from messenger_api.private_files import create
from messenger_api.storage.files.names import is_name

NAME = "manifest.json"
SUM = "manifest.sha256"
SEALED_KEY = "secret_key.sealed"
FILES, THUMBNAILS = "files", "thumbnails"
PLACES = (FILES, THUMBNAILS)

CHUNK_BYTES = 1024 * 1024

_OWN = re.compile(r"database\.(?:sqlite3|sql)|secret_key\.sealed")

Tell = Callable[[str, int, int], None]
"""Is told what is being done, how many are done, and of how many; 0 where that is not known."""


class KeepingError(Exception):
    """A backup cannot be made or restored as things are; the text says what to do."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds.

    `version` of the program and `revision` of the tables; `engine` is "sqlite" or "mysql"; `rows` of each
    table; `key`: the fingerprint of the SECRET_KEY. `sums` has the SHA-256 of each file, in hexadecimal.
    `elsewhere`: the places of files that are in a bucket, and not in here.
    """

    format: int = 1
    version: str
    made_at: int
    engine: str
    revision: str
    rows: dict[str, int]
    key: str
    elsewhere: dict[str, str]
    sums: dict[str, str]

    def count(self, place: str) -> int:
        """How many files of a place are in here."""
        return sum(name.startswith(f"{place}/") for name in self.sums)


def opened(folder: Path, name: str) -> BufferedReader:
    """A file of a backup, to be read.

    Raises:
        KeepingError: a link, a pipe or the like is in its place.
        OSError: it cannot be read.
    """
    path = folder / name
    links = [each for each in (path.parent, path) if each != folder and each.is_symlink()]
    if links:
        raise KeepingError(f"{links[0]} is a link: a backup has none, nothing was restored")
    # A pipe would be waited at for whoever writes into it.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise KeepingError(f"{path} is no file: nothing was restored")
    return os.fdopen(descriptor, "rb")


def content(folder: Path, name: str) -> bytes:
    """The bytes of a file of a backup. Raises as `opened`."""
    with opened(folder, name) as file:
        return file.read()


def copied(source: BufferedReader, target: Path) -> str:
    """Copy a file onto the disk; returns its SHA-256. Raises OSError."""
    digest = hashlib.sha256()
    with os.fdopen(create(target), "wb") as write:
        while chunk := source.read(CHUNK_BYTES):
            digest.update(chunk)
            write.write(chunk)
        write.flush()
        os.fsync(write.fileno())
    return digest.hexdigest()


def sum_of(folder: Path, name: str) -> str:
    """The SHA-256 of a file, which goes onto the disk if it was not there yet. Raises as `opened`."""
    with opened(folder, name) as file:
        os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(folder: Path, manifest: Manifest) -> None:
    """Write the manifest and its sum, as sha256sum does."""
    for name, data in (
        (NAME, msgspec.json.format(msgspec.json.encode(manifest), indent=1)),
        (SUM, b""),
    ):
        text = data or f"{sum_of(folder, NAME)}  {NAME}\n".encode()
        with os.fdopen(create(folder / name), "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())


def read(folder: Path) -> Manifest:
    """The manifest of a backup. Raises KeepingError: it is none, or was changed; and as `opened`."""
    try:
        data, noted = content(folder, NAME), content(folder, SUM).decode("ascii")
    except (FileNotFoundError, NotADirectoryError):
        raise KeepingError(f"{folder} is no whole backup: it has no {NAME} or no {SUM}") from None
    except UnicodeDecodeError:
        noted = ""
    if noted.partition(" ")[0] != hashlib.sha256(data).hexdigest():
        raise KeepingError(f"{folder / NAME} was changed: it does not have the sum that {SUM} notes")
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except msgspec.DecodeError:
        raise KeepingError(f"{folder / NAME} was written by another version of this program") from None
    if manifest.format != Manifest.__struct_defaults__[0] or not all(map(_is_known, manifest.sums)):
        raise KeepingError(f"{folder / NAME} was written by a newer version of this program")
    return manifest


def check(folder: Path, manifest: Manifest, tell: Tell) -> None:
    """Read every file. Raises KeepingError: one is gone, or was changed; and as `opened`."""
    for done, (name, noted) in enumerate(manifest.sums.items()):
        tell("checking", done, len(manifest.sums))
        try:
            found = sum_of(folder, name)
        except FileNotFoundError:
            raise KeepingError(f"{folder / name} is gone: nothing was restored") from None
        if found != noted:
            raise KeepingError(f"{folder / name} was changed or is damaged: nothing was restored")


def _is_known(name: str) -> bool:
    place, _, key = name.rpartition("/")
    return (place in PLACES and is_name(key)) or bool(_OWN.fullmatch(name))

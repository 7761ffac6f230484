"""The store of pictures and attachments: a folder, with a second one for the thumbnails.

Another store, such as an S3 bucket, takes its place by the same methods. Names are made here and cannot
be guessed: whoever knows the name of a file may read it.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path

from messenger_api.domain.errors import TryLater
from messenger_api.domain.images import EXTENSIONS, Picture

# `<unix seconds>-<32 hex digits>.<extension>`; the PHP demo wrote 16 digits, and an installation that
# began with it goes on serving its pictures.
_NAME = re.compile(r"([0-9]{1,12}-[0-9a-f]{16}(?:[0-9a-f]{16})?)\.([a-z0-9]{1,8})")

# What an attachment may be called. None of these runs, or shows as a page in a browser.
_SOUND = ("aac", "amr", "flac", "m4a", "mp3", "oga", "ogg", "opus", "wav")
_FILM = ("3gp", "m4v", "mkv", "mov", "mp4", "ogv", "webm")
_DOCUMENTS = ("csv", "docx", "ics", "odp", "ods", "odt", "pdf", "pptx", "txt", "vcf", "xlsx")
_OTHER = ("7z", "gz", "heic", "heif", "rar", "tar", "zip")
HARMLESS = frozenset(_SOUND + _FILM + _DOCUMENTS + _OTHER)
# Anything else: the word says no more than that these are bytes.
OPAQUE = "bin"
PICTURES = frozenset(EXTENSIONS.values())

FOLDER_MODE = 0o750
FILE_MODE = 0o640
# 16 bytes are the 32 hex digits of a name.
NAME_BYTES = 16


def safe_extension(filename: str) -> str:
    """The ending of an attachment's name in lower case if it is a harmless one, else "bin"."""
    _stem, dot, ending = filename.lower().rpartition(".")
    return ending if dot and ending in HARMLESS else OPAQUE


class FileStore:
    """Files in the folder `files`, thumbnails in `thumbnails`.

    Both are created with mode 0750, their files with 0640, less what the umask of the process takes.
    A full or broken disk is `TryLater`, with the `OSError` as its cause.
    """

    def __init__(self, files: Path, thumbnails: Path) -> None:
        self.files = files
        self.thumbnails = thumbnails
        for folder in (files, thumbnails):
            folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)

    def save_picture(self, picture: Picture, now: int) -> str:
        """Keep a profile photo and its thumbnail; returns the name. `now` is in unix seconds."""
        name = _new_name(picture.extension, now)
        thumbnail = base64.b64decode(picture.thumbnail)
        # The photo comes last: a name that `path` knows is complete.
        self._write(self._thumbnail_of(name), thumbnail)
        try:
            self._write(self.files / name, picture.data)
        except TryLater:
            _discard(self._thumbnail_of(name))
            raise
        return name

    def save(self, data: bytes, extension: str, now: int) -> str:
        """Keep an attachment and return its name. `now` is in unix seconds.

        An extension that is neither a picture's nor a harmless one becomes "bin".
        """
        known = extension in HARMLESS or extension in PICTURES
        name = _new_name(extension if known else OPAQUE, now)
        self._write(self.files / name, data)
        return name

    def remove(self, name: str) -> None:
        """Delete a file and its thumbnail. What is not there, or no name of ours, is passed over."""
        if not _NAME.fullmatch(name):
            return
        try:
            (self.files / name).unlink(missing_ok=True)
            self._thumbnail_of(name).unlink(missing_ok=True)
        except OSError as error:
            raise TryLater from error

    def path(self, name: str) -> Path | None:
        """Where the file `name` lies, or None if there is none or the name is not one of ours."""
        return _existing(self.files / name) if _NAME.fullmatch(name) else None

    def thumbnail_path(self, name: str) -> Path | None:
        """Where the thumbnail of the photo `name` lies, under the same conditions as `path`."""
        return _existing(self._thumbnail_of(name)) if _NAME.fullmatch(name) else None

    def check(self) -> None:
        """Write and remove a file in both folders.

        Raises:
            OSError: when that is not possible.
        """
        for folder in (self.files, self.thumbnails):
            probe = folder / f".check-{secrets.token_hex(NAME_BYTES)}"
            try:
                _write_synced(probe, b"check")
            finally:
                probe.unlink(missing_ok=True)

    def _thumbnail_of(self, name: str) -> Path:
        return self.thumbnails / f"{name.partition('.')[0]}.jpg"

    def _write(self, target: Path, data: bytes) -> None:
        """Make the file appear whole or not at all, also after a power cut."""
        temporary = target.with_name(f".{target.name}.part")
        try:
            _write_synced(temporary, data)
            temporary.replace(target)
            _sync_folder(target.parent)
        except OSError as error:
            _discard(temporary)
            _discard(target)
            raise TryLater from error


def _new_name(extension: str, now: int) -> str:
    return f"{now}-{secrets.token_hex(NAME_BYTES)}.{extension}"


def _existing(path: Path) -> Path | None:
    return path if path.is_file() else None


def _discard(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _write_synced(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

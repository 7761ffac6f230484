"""The store: names, and the order in which a photo and its thumbnail come and go."""

from __future__ import annotations

import base64
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from messenger_api.domain.errors import TryLater
from messenger_api.domain.images import Picture
from messenger_api.settings import Settings
from messenger_api.settings.files import is_bucket
from messenger_api.storage.files.base import Found, Opened, Part, Place
from messenger_api.storage.files.folder import Folder
from messenger_api.storage.files.names import is_name, new_name, thumbnail_of

if TYPE_CHECKING:
    from messenger_api.storage.files.s3 import S3


class Entry(NamedTuple):
    """Where a file lies if there is one: `find` and `open` say, as those of the place do."""

    place: Place
    key: str

    def find(self) -> Found | None:
        """What is known of the file without reading it; None if there is none."""
        return self.place.find(self.key)

    def open(self, part: Part | None = None) -> Opened | None:
        """The file or a part of it; None if there is none."""
        return self.place.open(self.key, part)


class FileStore:
    """Files in the place `files`, thumbnails in `thumbnails`; all methods raise `TryLater` as places do."""

    def __init__(self, files: Place, thumbnails: Place) -> None:
        self.files = files
        self.thumbnails = thumbnails

    @classmethod
    def from_settings(cls, settings: Settings) -> FileStore:
        """The store that `FILES_PATH` and `FILES_TN_PATH` describe.

        Raises:
            OSError: a folder can be neither found nor made. A bucket is asked only when it is used.
        """
        place = _places(settings)
        return cls(place(settings.files_path), place(settings.files_tn_path))

    def save_picture(self, picture: Picture, now: int) -> str:
        """Keep a profile photo and its thumbnail; returns the name. `now` is in unix seconds."""
        name = new_name(picture.extension, now)
        # The photo comes last: a photo that can be found is complete.
        self.thumbnails.put(thumbnail_of(name), base64.b64decode(picture.thumbnail))
        try:
            self.files.put(name, picture.data)
        except TryLater:
            with suppress(TryLater):
                self.thumbnails.remove(thumbnail_of(name))
            raise
        return name

    def save(self, data: bytes, extension: str, now: int) -> str:
        """Keep an attachment and return its name. `now` is in unix seconds.

        An extension that is neither a picture's nor a harmless one becomes "bin".
        """
        name = new_name(extension, now)
        self.files.put(name, data)
        return name

    def remove(self, name: str) -> None:
        """Delete a file and its thumbnail. What is not there, or no name of ours, is passed over."""
        if is_name(name):
            self.files.remove(name)
            self.thumbnails.remove(thumbnail_of(name))

    def file(self, name: str) -> Entry | None:
        """Where the file `name` lies if there is one; None if the name is not one of ours."""
        return Entry(self.files, name) if is_name(name) else None

    def thumbnail(self, name: str) -> Entry | None:
        """Where the thumbnail of the photo `name` lies, under the same conditions as `file`."""
        return Entry(self.thumbnails, thumbnail_of(name)) if is_name(name) else None

    def sweep(self) -> None:
        """Remove what was left half written in both places, when it is time to look."""
        self.files.sweep()
        self.thumbnails.sweep()

    def check(self) -> None:
        """Write and remove a file in both places.

        Raises:
            OSError: when that is not possible; `Unusable` if it is known what helps.
        """
        self.files.check()
        self.thumbnails.check()

    def close(self) -> None:
        """Let go of what is open; the store is of no use afterwards."""
        self.files.close()
        self.thumbnails.close()


def _places(settings: Settings) -> Callable[[str], Place]:
    if not settings.uses_buckets:
        return lambda path: Folder(Path(path))
    # boto3 costs memory and time at the start, which an installation with folders need not spend.
    s3: S3 = import_module("messenger_api.storage.files.s3").S3.from_settings(settings)
    return lambda path: s3.bucket(path) if is_bucket(path) else Folder(Path(path))

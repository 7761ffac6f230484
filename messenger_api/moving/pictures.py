"""Files of the PHP demo: left where they are, linked, or sent to a bucket; and the thumbnails of photos."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from messenger_api.domain.errors import ApiError
from messenger_api.domain.filetypes import true_type
from messenger_api.domain.images import THUMBNAIL_CHARACTERS, profile_photo
from messenger_api.moving.mended import Skipped
from messenger_api.moving.report import PICTURES, Report
from messenger_api.moving.targets import Target
from messenger_api.storage.files import FileStore, Folder, Place, is_name, thumbnail_of
from messenger_api.storage.files.folder import FILE_MODE, FOLDER_MODE

NOT_SERVED = "its name is none that the demo gives: not served here"
NO_FILE = "no regular file"
NOT_READ = "cannot be read or kept"
MISSING = "is named by an account or group, and is not in the folder"
NO_THUMBNAIL = "has no thumbnail that can be used: one was made"
NO_PICTURE = "has no thumbnail, and is no picture that can be read: goes without"
# Hidden, and none of the names that are served.
REHEARSAL = ".move-rehearsal"

Keep = Callable[[str, Path], None]


@dataclass(frozen=True)
class Folders:
    """The demo's two folders; None: where our own are."""

    files: Path | None
    thumbnails: Path | None


class Pictures:
    """Moves files under their names. What cannot be moved is passed over."""

    def __init__(
        self, store: FileStore, folders: Folders, report: Report, skipped: Skipped, max_pixels: int
    ) -> None:
        self._store = store
        self._files = folders.files or _folder(store.files)
        self._thumbnails = folders.thumbnails or _folder(store.thumbnails)
        self._report = report
        self._skipped = skipped
        self._max_pixels = max_pixels

    def move(self, keep_files: Keep, keep_thumbnails: Keep) -> None:
        """Have every file of both folders kept."""
        for path in _listed(self._files):
            self._report[PICTURES].read += 1
            self._report.tell(PICTURES)
            self._keep(path, path.name, keep_files)
        for path in _listed(self._thumbnails):
            if is_name(path.name):  # anything else there was told of, or is nobody's
                with suppress(OSError, ApiError):
                    keep_thumbnails(thumbnail_of(path.name), path)

    def write_thumbnails(self, photos: Iterable[str], target: Target) -> None:
        """Hand over what apps are shown as `tn`, for each of these photos."""
        for name in sorted(set(photos)):
            if tn := self._thumbnail(name):
                target.add("thumbnails", (name, tn))
        target.flush("thumbnails")

    def _keep(self, path: Path, name: str, keep: Keep) -> None:
        count = self._report[PICTURES]
        reason = ""
        if not is_name(name):
            reason = NOT_SERVED
        elif path.is_symlink() or not path.is_file():
            reason = NO_FILE
        else:
            try:
                keep(name, path)
            except (OSError, ApiError):
                reason = NOT_READ
        if reason:
            count.skipped[reason] += 1
            self._skipped.add(PICTURES, name, reason, photo=name)
        else:
            count.moved += 1

    def _thumbnail(self, name: str) -> str:
        """The base64 of a thumbnail: the demo's, else made from the photo; "" where neither can be."""
        notes = self._report[PICTURES].notes
        small = _content(self._thumbnails, name)
        text = base64.b64encode(small).decode()
        if true_type(small) == "jpg" and len(text) <= THUMBNAIL_CHARACTERS:
            return text
        photo = _content(self._files, name)
        if not photo:
            notes[MISSING] += 1
        for data in filter(None, (photo, small)):
            with suppress(ApiError):
                made = profile_photo(data, max_pixels=self._max_pixels).thumbnail
                notes[NO_THUMBNAIL] += 1
                return made
        if photo:
            notes[NO_PICTURE] += 1
        return ""


def keepers(store: FileStore, folders: Folders) -> tuple[Keep, Keep]:
    """What keeps files, and what keeps thumbnails, for good."""
    return _keeper(store.files, folders.files), _keeper(store.thumbnails, folders.thumbnails)


@contextmanager
def rehearsing(store: FileStore) -> Iterator[tuple[Keep, Keep]]:
    """The same in folders that are removed afterwards; nothing is sent to a bucket."""
    forget_rehearsal(store)
    try:
        yield _rehearsed(store.files), _rehearsed(store.thumbnails)
    finally:
        forget_rehearsal(store)


def forget_rehearsal(store: FileStore) -> None:
    """Remove the folders of a rehearsal."""
    for folder in filter(None, map(_folder, (store.files, store.thumbnails))):
        shutil.rmtree(folder / REHEARSAL, ignore_errors=True)


def _rehearsed(place: Place) -> Keep:
    folder = _folder(place)
    if folder is None:
        return _left
    side = folder / REHEARSAL
    side.mkdir(mode=FOLDER_MODE)
    return _linked_into(side)


def _left(_name: str, _path: Path) -> None:
    """The file stays where it is."""


def _keeper(place: Place, source: Path | None) -> Keep:
    folder = _folder(place)
    if folder is None:
        return lambda name, path: None if place.find(name) else place.put(name, path.read_bytes())
    in_place = _linked_into(folder)
    if source is None or source.resolve() == folder.resolve():
        # Thumbnails of pictures that are no JPEG have another ending here.
        return lambda name, path: None if name == path.name else in_place(name, path)
    return in_place


def _linked_into(folder: Path) -> Keep:
    """A second name for the same file; where the file system has no such thing, a copy."""

    def keep(name: str, path: Path) -> None:
        target = folder / name
        try:
            os.link(path, target)
        except FileExistsError:
            return
        except OSError:
            _copy(path, target)

    return keep


def _copy(path: Path, target: Path) -> None:
    part = target.with_name(f".{target.name}.part")
    shutil.copyfile(path, part)
    part.chmod(FILE_MODE)
    part.replace(target)


def _folder(place: Place) -> Path | None:
    return place.path if isinstance(place, Folder) else None


def _listed(folder: Path | None) -> Iterator[Path]:
    """What lies in a folder, but folders and hidden files, in no order."""
    if folder is None:
        return
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and not entry.is_dir(follow_symlinks=False):
                    yield Path(entry.path)
    except OSError:  # there is none, or it may not be read: nothing is found there
        return


def _content(folder: Path | None, name: str) -> bytes:
    if folder is None:
        return b""
    try:
        return (folder / name).read_bytes()
    except OSError:
        return b""

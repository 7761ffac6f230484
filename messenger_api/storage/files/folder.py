"""Files in a folder of this machine, or of a file system that several machines share."""

from __future__ import annotations

import errno
import fcntl
import math
import os
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import structlog

from messenger_api.domain.errors import TryLater
from messenger_api.storage.files.base import CHUNK_BYTES, Found, Opened, Part, Place
from messenger_api.storage.files.names import probe_name
from messenger_api.throttle import Throttle

# A file is written under such a name first, by a process that holds a lock on it.
PART = ".part"
# Seconds after which one that nobody holds is left over from a process that died. Programs before this
# version hold none; what one of them loses so is answered with TRYLATER.
LEFT_OVER_SECONDS = 5
# The same where the file system knows no locks.
FORGOTTEN_SECONDS = 3600
SWEEP_SECONDS = 3600
FOLDER_MODE = 0o750
FILE_MODE = 0o640

log = structlog.get_logger(__name__)
_seldom = Throttle()


class Folder(Place):
    """Created with mode 0750, its files with 0640, less what the umask of the process takes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._next_sweep = -math.inf
        path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)

    def put(self, key: str, data: bytes) -> None:
        """Make the file appear whole or not at all, also after a power cut."""
        target = self.path / key
        temporary = target.with_name(f".{key}{PART}")
        try:
            _write_synced(temporary, data)
            temporary.replace(target)
            sync_folder(self.path)
        except OSError as error:
            _discard(temporary)
            _discard(target)
            self._complain(error)
            raise TryLater from error

    def _complain(self, error: OSError) -> None:
        """Say why nothing can be kept, and what helps: once a minute and not once a picture."""
        if _seldom.is_due(str(self.path)):
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            log.error(
                "files.cannot_write",
                folder=str(self.path),
                reason=error.strerror or type(error).__name__,
                to_do="make room on this disk" if full else "let the server's user write to this folder",
            )

    def remove(self, key: str) -> None:
        """Delete a file; one that is not there is passed over."""
        try:
            (self.path / key).unlink(missing_ok=True)
        except OSError as error:
            raise TryLater from error

    def find(self, key: str) -> Found | None:
        """Size and time of a file; None if there is none, or something that is no file."""
        try:
            state = (self.path / key).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise TryLater from error
        return Found(state.st_size, state.st_mtime) if stat.S_ISREG(state.st_mode) else None

    def open(self, key: str, part: Part | None = None) -> Opened | None:
        """A file, or a part of it; None if there is none."""
        found = self.find(key)
        if found is None:
            return None
        try:
            file = (self.path / key).open("rb")
        except FileNotFoundError:  # removed since it was found
            return None
        except OSError as error:
            raise TryLater from error
        return Opened(found, _FileBody(file, part or Part(0, found.size)))

    def sweep(self) -> None:
        """Remove what processes that died left half written: at once, then once an hour."""
        if time.monotonic() < self._next_sweep:
            return
        soon = False
        with suppress(OSError), os.scandir(self.path) as entries:
            for entry in entries:
                if entry.name.startswith(".") and entry.name.endswith(PART):
                    with suppress(OSError):
                        soon |= not _swept(Path(entry.path), time.time() - entry.stat().st_mtime)
        self._next_sweep = time.monotonic() + (LEFT_OVER_SECONDS if soon else SWEEP_SECONDS)

    def check(self) -> None:
        """Write a file and remove it; raises the `OSError` that forbids it."""
        probe = self.path / probe_name()
        try:
            _write_synced(probe, b"check")
        finally:
            probe.unlink(missing_ok=True)


class _FileBody:
    """A part of an open file."""

    def __init__(self, file: BinaryIO, part: Part) -> None:
        self._file = file
        self._part = part

    def __iter__(self) -> Iterator[bytes]:
        self._file.seek(self._part.start)
        left = self._part.stop - self._part.start
        while left and (chunk := self._file.read(min(CHUNK_BYTES, left))):
            left -= len(chunk)
            yield chunk

    def close(self) -> None:
        self._file.close()


def _discard(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _swept(part: Path, age: float) -> bool:
    """Remove a file that nobody writes any more; False if it is too young to tell."""
    if age < LEFT_OVER_SECONDS:
        return False
    descriptor = os.open(part, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        part.unlink(missing_ok=True)
    except BlockingIOError:
        pass
    except OSError:
        if age > FORGOTTEN_SECONDS:
            part.unlink(missing_ok=True)
    finally:
        os.close(descriptor)
    return True


def _write_synced(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder onto the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Files about people or with secrets: made for their owner's eyes alone, read with their faults told."""

from __future__ import annotations

import csv
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

FILE_MODE = 0o600
_MAKING = threading.Lock()


class UnreadableError(Exception):
    """A file cannot be read; the text says which one, and why."""


@contextmanager
def reading(path: Path) -> Iterator[TextIO]:
    """An open file of rows in UTF-8, as spreadsheets write it too.

    Raises:
        UnreadableError: it cannot be opened, is in another encoding, or is no CSV.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield file
    except OSError as error:
        raise UnreadableError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UnreadableError(f"{path} is not in UTF-8") from error
    except csv.Error as error:
        raise UnreadableError(f"{path}: {error}") from error


def writing(path: Path, *, new: bool = False) -> TextIO:
    """Open a file to write it anew.

    Raises:
        FileExistsError: it is there although it is to be `new`.
        OSError: it cannot be written.
    """
    return open(path, "x" if new else "w", encoding="utf-8", newline="", opener=_private)


def create(path: Path) -> int:
    """A descriptor of a new file, to write it. Raises OSError: it exists, or cannot be made."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)


def make(path: Path) -> None:
    """Make an empty file where there is none; one that is there stays as it is. Raises OSError."""
    # With a descriptor that is closed go the locks that this process has on the file: SQLite's, in a thread
    # that has found the file there already.
    with _MAKING, suppress(FileExistsError):
        os.close(create(path))


def _private(path: str, flags: int) -> int:
    descriptor = os.open(path, flags, FILE_MODE)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.fchmod(descriptor, FILE_MODE)  # one that was there keeps its mode otherwise
    return descriptor

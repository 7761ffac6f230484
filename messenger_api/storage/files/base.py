"""A place where files rest: what the store asks of a folder or a bucket."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import NamedTuple, Protocol

CHUNK_BYTES = 64 * 1024


class Found(NamedTuple):
    """A file that is there: its size in bytes, and when it was written, in unix seconds."""

    size: int
    written: float


class Part(NamedTuple):
    """The bytes from `start` up to, and without, `stop`."""

    start: int
    stop: int


class Body(Protocol):
    """Bytes on their way, a chunk at a time; whoever has one closes it, read to its end or not."""

    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None: ...  # noqa: D102 - said above


class Opened(NamedTuple):
    """A file, and the bytes of it that were asked for."""

    found: Found
    body: Body


class Place(ABC):
    """Files by their keys, which are plain names without a slash.

    Every method but `check` raises `TryLater`, with its cause, when the place is full, broken or down.
    """

    @abstractmethod
    def put(self, key: str, data: bytes) -> None:
        """Keep `data`, whole or not at all."""

    @abstractmethod
    def remove(self, key: str) -> None:
        """Delete a file; one that is not there is passed over."""

    @abstractmethod
    def find(self, key: str) -> Found | None:
        """What is known of a file without reading it; None if there is none."""

    @abstractmethod
    def open(self, key: str, part: Part | None = None) -> Opened | None:
        """A file, or a part of it that lies within; None if there is none."""

    @abstractmethod
    def check(self) -> None:
        """Write a file and remove it.

        Raises:
            OSError: when that is not possible; `Unusable` if it is known what helps.
        """

    def sweep(self) -> None:  # noqa: B027 - a bucket keeps nothing half written
        """Remove what was left half written. May be called at any time; it knows when there is a reason."""

    def close(self) -> None:  # noqa: B027 - a folder has nothing to let go of
        """Let go of what is open; the place is of no use afterwards."""

"""What the cleaners of all containers share."""

from __future__ import annotations

from collections.abc import Iterable

# A container of more parts than this is made to cost time. Honest ones have a part for some hundred bytes
# (GIF: 256), and more only where frames are tiny.
BYTES_A_PART = 64
FEW_PARTS = 100_000

Range = tuple[int, int]


class Unreadable(Exception):
    """The bytes begin like this container, and cannot be read as one."""


class Parts:
    """Counts the parts of one container, so that reading it costs time in proportion to its bytes."""

    def __init__(self, data: bytes, most: int | None = None) -> None:
        self._left = len(data) // BYTES_A_PART + FEW_PARTS if most is None else most

    def take(self, number: int = 1) -> None:
        """Count `number` more of them.

        Raises:
            Unreadable: there are too many.
        """
        self._left -= number
        if self._left < 0:
            raise Unreadable("too many parts")


def merged(ranges: Iterable[Range], end: int) -> list[Range]:
    """The same bytes in ranges that do not overlap, in order, none beyond `end`."""
    found: list[Range] = []
    for start, stop in sorted((max(start, 0), min(stop, end)) for start, stop in ranges):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(stop, found[-1][1]))
        elif start < stop:
            found.append((start, stop))
    return found


def copy(data: bytes, ranges: Iterable[Range], out: bytearray) -> None:
    """Put the bytes of `ranges`, which are merged ones, into `out` at the same places."""
    for start, stop in ranges:
        out[start:stop] = data[start:stop]


def erase(ranges: Iterable[Range], out: bytearray) -> None:
    """Put zeros into `ranges`, which are merged ones."""
    for start, stop in ranges:
        out[start:stop] = bytes(stop - start)

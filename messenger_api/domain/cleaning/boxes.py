"""ISO base media files (ISO/IEC 14496-12): films, HEIC, AVIF. What goes is overwritten where it is.

Sizes and places of all boxes stay, for others are found by counting bytes from the start of the file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from messenger_api.domain.cleaning.parts import Parts, Range, Unreadable

FREE = b"free"
_HEADER, _LARGE_HEADER = 8, 16
# Version and flags, which begin the body of a "full" box.
FULL = 4
# What precedes the name in the body of `hdlr`.
_HANDLER_BYTES = 24

# Children of a box that stay; None: all of them, unread.
Tree = Mapping[bytes, "Tree | None"]


def kinds(names: str) -> dict[bytes, None]:
    """Types of boxes, from a text with blanks between; as a tree none of them has children to look at."""
    return dict.fromkeys(name.encode() for name in names.split())


class Box(NamedTuple):
    """A box: its type, where it starts, where its body starts, where it ends."""

    kind: bytes
    start: int
    body: int
    end: int


def boxes(data: bytes | bytearray, start: int, end: int, parts: Parts) -> Iterator[Box]:
    """The boxes between two places; the last one may be cut by the end of the file.

    Raises:
        Unreadable: a size is nonsense.
    """
    while start + _HEADER <= end:
        parts.take()
        size, kind = struct.unpack_from(">I4s", data, start)
        body = start + _HEADER
        if size == 1:
            body = start + _LARGE_HEADER
            size = int.from_bytes(data[start + _HEADER : body])
        elif size == 0:
            size = end - start
        if size < body - start:
            raise Unreadable("the size of a box")
        yield Box(kind, start, min(body, end), min(start + size, end))
        start += size


def children(data: bytes | bytearray, box: Box, parts: Parts, *, skip: int = 0) -> Iterator[Box]:
    """The boxes within a box, which begin `skip` bytes after the start of its body.

    Raises:
        Unreadable: a size is nonsense.
    """
    return boxes(data, box.body + skip, box.end, parts)


def blank(out: bytearray, box: Box) -> None:
    """Make free space of a box, without what was in it."""
    out[box.start + 4 : box.start + _HEADER] = FREE
    out[box.body : box.end] = bytes(box.end - box.body)


def weed(out: bytearray, box: Box, tree: Tree, parts: Parts) -> None:
    """Make free space of everything within `box` that `tree` does not name, at all depths.

    Raises:
        Unreadable: a size is nonsense.
    """
    for child in list(children(out, box, parts)):
        if child.kind not in tree:
            blank(out, child)
        elif below := tree[child.kind]:
            weed(out, child, below, parts)
        elif child.kind == b"hdlr":
            # The name is often the camera's maker.
            name = child.body + _HANDLER_BYTES
            out[name : child.end] = bytes(max(child.end - name, 0))


class Reader:
    """Numbers from the body of a box, one after the other."""

    def __init__(self, data: bytes | bytearray, box: Box) -> None:
        self._data = data
        self.at = box.body
        self._end = box.end

    def number(self, size: int) -> int:
        """The next `size` bytes as an unsigned integer; 0 bytes are 0.

        Raises:
            Unreadable: the box ends before.
        """
        self.at += size
        if self.at > self._end:
            raise Unreadable("a box ends too early")
        return int.from_bytes(self._data[self.at - size : self.at])

    def numbers(self, count: int, size: int) -> tuple[int, ...]:
        """The next `count` numbers of 4 or 8 bytes.

        Raises:
            Unreadable: the box ends before.
        """
        start = self.at
        if count * size > self._end - start:
            raise Unreadable("a box ends too early")
        self.at += count * size
        return struct.unpack_from(f">{count}{'I' if size == 4 else 'Q'}", self._data, start)


def within(ranges: list[Range], box: Box) -> list[Range]:
    """The parts of `ranges` that lie in the body of `box`."""
    return [(max(start, box.body), min(stop, box.end)) for start, stop in ranges]

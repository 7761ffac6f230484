"""TIFF 6.0 and BigTIFF: what the pixels need is copied to where it was, everything else becomes zeros.

Offsets stay what they are, so nothing has to be moved. Digital negatives (DNG 1.7) are TIFF; other cameras'
raw files are, too, and lose what their makers hid in private tags.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from messenger_api.domain.cleaning import jpeg
from messenger_api.domain.cleaning.parts import Parts, Range, Unreadable, copy, merged

MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

# TIFF 6.0's tags of the pixels and their colours, with those of its supplements: no texts, dates, makers.
_PIXELS = (
    *(0x00FE, 0x00FF, 0x0100, 0x0101, 0x0102, 0x0103, 0x0106, 0x0107, 0x010A, 0x0111, 0x0112, 0x0115, 0x0116),
    *(0x0117, 0x0118, 0x0119, 0x011A, 0x011B, 0x011C, 0x0122, 0x0123, 0x0124, 0x0125, 0x0128, 0x0129, 0x012D),
    *(0x013D, 0x013E, 0x013F, 0x0140, 0x0141, 0x0142, 0x0143, 0x0144, 0x0145, 0x014A, 0x014C, 0x014E, 0x0150),
    *(0x0152, 0x0153, 0x0154, 0x0155, 0x015B, 0x0200, 0x0201, 0x0202, 0x0203, 0x0205, 0x0207, 0x0208, 0x0209),
    *(0x0211, 0x0212, 0x0213, 0x0214, 0x828D, 0x828E, 0x8773),
)
# DNG: what turns a sensor's values into a picture, without models, serial numbers, names and private data.
_RAW = range(0xC612, 0xC7D6)
_RAW_SECRETS = (
    *(0xC614, 0xC615, 0xC62F, 0xC634, 0xC635, 0xC65D, 0xC68B, 0xC68C, 0xC6F3, 0xC6F4, 0xC6F5, 0xC6F6, 0xC6F8),
    *(0xC6FE, 0xC716, 0xC717, 0xC718, 0xC719, 0xC71B, 0xC71D, 0xC763, 0xC789, 0xC7A1, 0xC7AA),
)
_KEPT = (frozenset(_PIXELS) | frozenset(_RAW)) - frozenset(_RAW_SECRETS)

_SUB_IFDS = 0x014A
# Where the pixels are and how many bytes of them: strips, tiles, an old thumbnail.
_PLACES = {0x0111: 0x0117, 0x0144: 0x0145, 0x0201: 0x0202}
_METADATA = (b"Exif", b"http://ns.adobe.com/", b"Photoshop")
_KIND_BYTES = dict(zip(range(1, 19), (1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8), strict=True))
_INTEGERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}


class _Shape(NamedTuple):
    """How one of the two kinds of file writes its numbers."""

    order: str
    first: int
    number: str
    entry: str
    offset: str

    @property
    def entry_bytes(self) -> int:
        return struct.calcsize(self.order + self.entry)


def cleaned(data: bytes) -> bytes:
    """The same pixels in all pages, with colour profile and orientation; the file keeps its length.

    Raises:
        Unreadable: there is no page with pixels.
    """
    try:
        return _File(data).cleaned()
    except struct.error as error:
        raise Unreadable("an offset points outside") from error


class _File:
    def __init__(self, data: bytes) -> None:
        order = "<" if data[:2] == b"II" else ">"
        big = data[2:4] in (b"+\0", b"\0+")
        self.shape = _Shape(order, 8, "Q", "HHQQ", "Q") if big else _Shape(order, 4, "H", "HHII", "I")
        self.data = data
        self.out = bytearray(len(data))
        self.parts = Parts(data)
        self.seen: set[int] = set()
        self.pixels: list[Range] = []
        self.directories: list[tuple[int, list[bytes], bytes]] = []
        self.values: list[Range] = []

    def cleaned(self) -> bytes:
        head = self.shape.first + struct.calcsize(self.shape.offset)
        (first,) = self._unpack(self.shape.offset, self.shape.first)
        self._walk(first)
        if not self.pixels:
            raise Unreadable("no pixels")
        end = len(self.data)
        pixels = merged(self.pixels, end)
        copy(self.data, pixels, self.out)
        self._clean_jpegs(end)
        copy(self.data, merged(self.values, end), self.out)
        self.out[:head] = self.data[:head]
        for start, entries, following in self.directories:
            written = struct.pack(self.shape.order + self.shape.number, len(entries))
            written += b"".join(entries) + following
            self.out[start : start + len(written)] = written
        return bytes(self.out[:end])

    def _unpack(self, form: str, at: int) -> tuple[int, ...]:
        return struct.unpack_from(self.shape.order + form, self.data, at)

    def _walk(self, first: int) -> None:
        """Note what is kept of the directories from here on, and of those below them."""
        waiting = [first]
        while waiting:
            start = waiting.pop()
            while start and start not in self.seen:
                self.seen.add(start)
                start, below = self._directory(start)
                waiting.extend(below)

    def _directory(self, start: int) -> tuple[int, list[int]]:
        """Note a directory; where the next one is, and those below this one."""
        (number,) = self._unpack(self.shape.number, start)
        self.parts.take(number + 1)
        at = start + struct.calcsize(self.shape.number)
        end = at + number * self.shape.entry_bytes
        (following,) = self._unpack(self.shape.offset, end)
        kept, values = [], {}
        for place in range(at, end, self.shape.entry_bytes):
            tag, kind, count, _value = self._unpack(self.shape.entry, place)
            if tag in _KEPT and _KIND_BYTES.get(kind):
                kept.append(self.data[place : place + self.shape.entry_bytes])
                values[tag] = (kind, count, self._value(place, _KIND_BYTES[kind] * count))
        self.directories.append((start, kept, self.data[end : end + struct.calcsize(self.shape.offset)]))
        for offsets, counts in _PLACES.items():
            pairs = zip(self._integers(values.get(offsets)), self._integers(values.get(counts)), strict=False)
            self.pixels += [(offset, offset + size) for offset, size in pairs]
        return following, list(self._integers(values.get(_SUB_IFDS)))

    def _value(self, entry: int, size: int) -> int:
        """Where the value of an entry is; one that is not in the entry itself is kept."""
        inline = entry + self.shape.entry_bytes - struct.calcsize(self.shape.offset)
        if size <= struct.calcsize(self.shape.offset):
            return inline
        (place,) = self._unpack(self.shape.offset, inline)
        self.values.append((place, place + size))
        return place

    def _integers(self, value: tuple[int, int, int] | None) -> Iterator[int]:
        kind, count, place = value or (0, 0, 0)
        if kind not in _INTEGERS:
            return iter(())
        self.parts.take(min(count, len(self.data)))
        return iter(self._unpack(f"{count}{_INTEGERS[kind]}", place))

    def _clean_jpegs(self, end: int) -> None:
        """Pixels may be JPEG with metadata of their own, as those of previews are."""
        left = end
        for start, stop in self.pixels:
            if self.data[start : start + 2] != jpeg.START:
                continue
            packed = self.data[start : min(stop, end)]
            left -= len(packed)
            if left < 0:
                raise Unreadable("the same pixels again and again")
            with suppress(Unreadable):
                clean = jpeg.cleaned(packed)
                if any(mark in packed for mark in _METADATA) and len(clean) <= len(packed):
                    self.out[start : start + len(packed)] = clean + bytes(len(packed) - len(clean))

"""JPEG (ITU T.81): segments are kept or left out, the coded pixels stay as they are."""

from __future__ import annotations

import re
from typing import NamedTuple

from messenger_api.domain.cleaning import exif
from messenger_api.domain.cleaning.parts import Parts, Unreadable

START = b"\xff\xd8"
END = b"\xff\xd9"

# A marker: neither a stuffed byte, nor a restart inside a scan, nor padding.
_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# Huffman and arithmetic tables, quantisation tables, number of lines, restart interval.
_TABLES = frozenset((0xC4, 0xCC, 0xDB, 0xDC, 0xDD))
# Markers that no length follows: TEM, JPG, SOI, EOI, JPG0 to JPG13.
_BARE = frozenset((0x01, 0xC8, 0xD8, _END_OF_IMAGE, *range(0xF0, 0xFE)))
_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE
_JFIF, _ICC, _ADOBE, _XMP = b"JFIF\0", b"ICC_PROFILE\0", b"Adobe", b"http://ns.adobe.com/xap/1.0/\0"
# What these two hold without a thumbnail, and without what somebody put behind.
_JFIF_BYTES, _ADOBE_BYTES = 14, 12


class Segments(NamedTuple):
    """What is kept of a JPEG, with what there is to know of it before it is decoded."""

    data: bytes
    orientation: int
    scans: int
    frame: bytes
    """The body of the frame header: precision, height, width, components."""
    progressive: bool
    in_first_scan: int
    """Components in the first scan."""
    segments: int


def cleaned(data: bytes) -> bytes:
    """The same pixels with orientation and colour profile and nothing else. Linear in time.

    What follows the end of the image goes: further pictures, films. Where the end is missing it is added.

    Raises:
        Unreadable: there are no pixels.
    """
    return read(data).data


# A segment has room for 64 KiB: an encoder needs some ten, and a colour profile in pieces 255 at most.
_MOST_SEGMENTS = 10_000


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.kept: list[bytes] = [START]
        self.frame = b""
        self.frame_kind = 0
        self.scans = 0
        self.in_first_scan = 0
        self.orientation = self.in_xmp = exif.UPRIGHT

    def read(self) -> None:
        parts, position = Parts(self.data, _MOST_SEGMENTS), len(START)
        while found := _MARKER.search(self.data, position):
            parts.take()
            marker, position = found[1][0], found.end()
            if marker == _END_OF_IMAGE and self.scans:
                return
            if marker in _BARE:
                continue
            length = int.from_bytes(self.data[position : position + 2])
            body = self.data[position + 2 : position + length]
            if length < 2 or len(body) < length - 2:
                return
            position += length
            self._segment(marker, body)
            if marker == _START_OF_SCAN:
                position = self._scan(position)

    def _segment(self, marker: int, body: bytes) -> None:
        if marker in _FRAMES:
            self.frame = self.frame or body
            self.frame_kind = self.frame_kind or marker
        elif marker == _START_OF_SCAN:
            self.in_first_scan = self.in_first_scan or int.from_bytes(body[:1])
        elif marker not in _TABLES:
            body = self._application(marker, body)
            if not body:
                return
        self.kept.append(segment(marker, body))

    def _application(self, marker: int, body: bytes) -> bytes:
        """What is kept of an application's segment or comment."""
        if marker == _APP0 and body.startswith(_JFIF):
            return body[: _JFIF_BYTES - 2] + bytes(2) if len(body) >= _JFIF_BYTES else b""
        if marker == _APP2 and body.startswith(_ICC):
            return body
        if marker == _APP14 and body.startswith(_ADOBE):
            return body[:_ADOBE_BYTES]
        if marker == _APP1:
            self._read_orientation(body)
        return b""

    def _read_orientation(self, body: bytes) -> None:
        if body.startswith(exif.JPEG_HEADER) and self.orientation == exif.UPRIGHT:
            self.orientation = exif.orientation(body)
        if body.startswith(_XMP):
            self.in_xmp = exif.orientation_in_xmp(body)

    def _scan(self, position: int) -> int:
        """Keep the coded pixels from here; where they end."""
        self.scans += 1
        found = _MARKER.search(self.data, position)
        end = found.start() if found else len(self.data)
        self.kept.append(self.data[position:end])
        return end


def read(data: bytes) -> Segments:
    """Read and clean a JPEG.

    Raises:
        Unreadable: there are no pixels.
    """
    reader = _Reader(data)
    reader.read()
    if not reader.scans or len(reader.frame) < 6:
        raise Unreadable("no pixels")
    turned = reader.orientation if reader.orientation != exif.UPRIGHT else reader.in_xmp
    if turned != exif.UPRIGHT:
        # JFIF wants its segment to be the first.
        after = 2 if reader.kept[1].startswith(b"\xff\xe0") else 1
        reader.kept.insert(after, segment(_APP1, exif.JPEG_HEADER + exif.minimal(turned)))
    return Segments(
        b"".join([*reader.kept, END]),
        turned,
        reader.scans,
        reader.frame,
        reader.frame_kind in (0xC2, 0xC6, 0xCA, 0xCE),
        reader.in_first_scan,
        len(reader.kept),
    )


def segment(marker: int, body: bytes) -> bytes:
    """A segment as it is written."""
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2) + body

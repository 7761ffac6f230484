"""EXIF, as far as it is needed: read the orientation, write nothing but that."""

from __future__ import annotations

import re
import struct

UPRIGHT = 1
JPEG_HEADER = b"Exif\0\0"

# TIFF 6.0, section 2, and EXIF 2.32, table 6: tag, type SHORT, one value from 1 to 8.
_ORIENTATION = 0x0112
_SHORT = 3
_ENTRY_BYTES = 12
_ORDERS = {b"II": "<", b"MM": ">"}
_IN_XMP = re.compile(rb"tiff:Orientation(?:=\"|>)([1-8])")


def orientation(tiff: bytes) -> int:
    """The orientation in the TIFF structure of an EXIF block, 1 to 8; 1 where none can be read."""
    tiff = tiff.removeprefix(JPEG_HEADER)
    order = _ORDERS.get(tiff[:2])
    if order is None or len(tiff) < 10:
        return UPRIGHT
    (start,) = struct.unpack_from(order + "I", tiff, 4)
    if start + 2 > len(tiff):
        return UPRIGHT
    (entries,) = struct.unpack_from(order + "H", tiff, start)
    start += 2
    for at in range(start, min(start + entries * _ENTRY_BYTES, len(tiff) - _ENTRY_BYTES + 1), _ENTRY_BYTES):
        tag, kind, number, value = struct.unpack_from(order + "HHIH", tiff, at)
        if (tag, kind, number) == (_ORIENTATION, _SHORT, 1):
            return value if value in range(1, 9) else UPRIGHT
    return UPRIGHT


def orientation_in_xmp(xmp: bytes) -> int:
    """The orientation that an XMP packet names, for pictures whose EXIF names none; 1 if it does not."""
    found = _IN_XMP.search(xmp)
    return int(found[1]) if found else UPRIGHT


def minimal(value: int) -> bytes:
    """The TIFF structure of an EXIF block that holds the orientation and nothing else."""
    entry = struct.pack(">HHIHH", _ORIENTATION, _SHORT, 1, value, 0)
    return b"MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)

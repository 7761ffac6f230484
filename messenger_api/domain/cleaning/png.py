"""PNG (third edition, 2025): chunks that make the picture are kept as they are, animations stay."""

from __future__ import annotations

import zlib

from messenger_api.domain.cleaning import exif
from messenger_api.domain.cleaning.parts import Parts, Unreadable

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_HEADER, _END, _EXIF = b"IHDR", b"IEND", b"eXIf"
_PIXELS = frozenset((b"IDAT", b"fdAT"))
_COLOURS = frozenset((b"cHRM", b"gAMA", b"iCCP", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"sBIT"))
# There is one of everything else.
_REPEATED = _PIXELS | {b"fcTL"}
# Apple's own kind of PNG is another format in this shell, and says so by its first chunk.
_KEPT = _PIXELS | _COLOURS | {b"PLTE", b"tRNS", b"bKGD", b"pHYs", b"hIST", b"acTL", b"fcTL", b"CgBI", _HEADER}
# A chunk is a length, a name, that many bytes, and a checksum.
_FRAME_BYTES = 12
_HEADER_BYTES = 13


def cleaned(data: bytes) -> bytes:
    """The same pixels with colours and orientation, without texts, times and what others put in.

    Raises:
        Unreadable: there is no header, or no pixels.
    """
    kept, turned = _kept(data)
    names = [name for name, _body in kept]
    if not names or names[0] not in (_HEADER, b"CgBI") or b"IDAT" not in names:
        raise Unreadable("no header or no pixels")
    if len(dict(kept).get(_HEADER, b"")) != _HEADER_BYTES + _FRAME_BYTES:
        raise Unreadable("no header")
    chunks = [raw for _name, raw in kept]
    if turned != exif.UPRIGHT:
        chunks.insert(1, chunk(_EXIF, exif.minimal(turned)))
    return b"".join([SIGNATURE, *chunks, chunk(_END, b"")])


def _kept(data: bytes) -> tuple[list[tuple[bytes, bytes]], int]:
    """The chunks to keep, each with its name, and the orientation."""
    parts, position, turned = Parts(data), len(SIGNATURE), exif.UPRIGHT
    found: list[tuple[bytes, bytes]] = []
    seen: set[bytes] = set()
    while position + 8 <= len(data):
        parts.take()
        length, name = int.from_bytes(data[position : position + 4]), data[position + 4 : position + 8]
        raw = data[position : position + _FRAME_BYTES + length]
        position += _FRAME_BYTES + length
        if name == _END:
            break
        if len(raw) < length + _FRAME_BYTES:
            # The file ends in it: its pixels are kept as far as they go.
            raw = chunk(name, raw[8 : 8 + length]) if name in _PIXELS else b""
        if name == _EXIF:
            turned = exif.orientation(raw[8:-4])
        elif name in _KEPT and raw and (name in _REPEATED or name not in seen):
            seen.add(name)
            found.append((name, raw))
    return found, turned


def chunk(name: bytes, body: bytes) -> bytes:
    """A chunk as it is written."""
    return len(body).to_bytes(4) + name + body + zlib.crc32(name + body).to_bytes(4)

"""WebP (RFC 9649): a RIFF file whose chunks are kept or left out, those of its frames, too."""

from __future__ import annotations

from collections.abc import Iterator

from messenger_api.domain.cleaning import exif
from messenger_api.domain.cleaning.parts import Parts, Unreadable

_RIFF_HEADER = 12
_CHUNK_HEADER = 8
_EXTENDED, _FRAME, _EXIF, _PROFILE = b"VP8X", b"ANMF", b"EXIF", b"ICCP"
_PIXELS = frozenset((b"VP8 ", b"VP8L", b"ALPH"))
# What a file has one of, in its order.
_ONCE = (_EXTENDED, _PROFILE, b"ANIM")
_EXTENDED_BYTES = 10
# What a frame begins with: place, size, duration, flags; its own chunks follow.
_FRAME_HEADER = 16
# Flags of VP8X: there is a profile, EXIF, XMP.
_HAS_PROFILE, _HAS_EXIF, _HAS_XMP = 0x20, 0x08, 0x04


def is_webp(data: bytes) -> bool:
    """Whether the bytes begin like a WebP."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def cleaned(data: bytes) -> bytes:
    """The same pixels and frames with colour profile and orientation and nothing else.

    Raises:
        Unreadable: there are no pixels.
    """
    parts, turned = Parts(data), exif.UPRIGHT
    once: dict[bytes, bytes] = {}
    pixels = []
    # What stands behind the file that RIFF measures belongs to something else.
    for name, body in _chunks(data[: 8 + int.from_bytes(data[4:8], "little")], _RIFF_HEADER, parts):
        if name == _EXIF:
            turned = exif.orientation(body)
        elif name == _FRAME:
            pixels.append(chunk(name, _frame(body, parts)))
        elif name in _PIXELS:
            pixels.append(chunk(name, body))
        elif name in _ONCE:
            once.setdefault(name, body)
    if not pixels:
        raise Unreadable("no pixels")
    if _EXTENDED in once:
        has_exif = turned != exif.UPRIGHT
        once[_EXTENDED] = _flagged(once[_EXTENDED], has_profile=_PROFILE in once, has_exif=has_exif)
        pixels += [chunk(_EXIF, exif.minimal(turned))] if has_exif else []
    written = b"".join([chunk(name, once[name]) for name in _ONCE if name in once] + pixels)
    return b"RIFF" + (len(written) + 4).to_bytes(4, "little") + b"WEBP" + written


def size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels, as the header declares them.

    Raises:
        Unreadable: it does not.
    """
    for name, body in _chunks(data, _RIFF_HEADER, Parts(data)):
        if name == _EXTENDED and len(body) >= _EXTENDED_BYTES:
            return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
        if name == b"VP8 " and len(body) >= 10:  # RFC 9649, section 2.5
            return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
        if name == b"VP8L" and len(body) >= 5:  # RFC 9649, section 3.4
            bits = int.from_bytes(body[1:5], "little")
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    raise Unreadable("no size")


def _chunks(data: bytes, position: int, parts: Parts) -> Iterator[tuple[bytes, bytes]]:
    """Name and body of each chunk; the last one is as long as the file goes."""
    while position + _CHUNK_HEADER <= len(data):
        parts.take()
        name, length = (
            data[position : position + 4],
            int.from_bytes(data[position + 4 : position + 8], "little"),
        )
        position += _CHUNK_HEADER
        yield name, data[position : position + length]
        position += length + length % 2


def _frame(body: bytes, parts: Parts) -> bytes:
    inner = [chunk(name, data) for name, data in _chunks(body, _FRAME_HEADER, parts) if name in _PIXELS]
    return body[:_FRAME_HEADER] + b"".join(inner)


def _flagged(extended: bytes, *, has_profile: bool, has_exif: bool) -> bytes:
    """The body of VP8X with the flags of what is there."""
    if len(extended) < _EXTENDED_BYTES:
        raise Unreadable("half a header")
    flags = extended[0] & ~(_HAS_PROFILE | _HAS_EXIF | _HAS_XMP)
    flags |= (_HAS_PROFILE if has_profile else 0) | (_HAS_EXIF if has_exif else 0)
    return bytes((flags,)) + extended[1:_EXTENDED_BYTES]


def chunk(name: bytes, body: bytes) -> bytes:
    """A chunk as it is written, padded to an even length."""
    return name + len(body).to_bytes(4, "little") + body + bytes(len(body) % 2)

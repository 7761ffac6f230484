"""HEIC files that say one thing of their pictures in the container and another in the coded bytes."""

from __future__ import annotations

import io
import re
import struct

import pillow_heif
from PIL import Image

from messenger_api.domain.cleaning.boxes import FULL, Box, boxes, children
from messenger_api.domain.cleaning.heif import extents
from messenger_api.domain.cleaning.parts import Parts
from tests.media.makers import box, encoded

# Where `hvcC` says which colours there are, and how many bits (ISO/IEC 14496-15, 8.3.3.1).
_COLOURS_AT, _BITS_AT = 16, 17
_420 = 1


def plain(width: int, height: int, mode: str = "RGB") -> Image.Image:
    return Image.new(mode, (width, height), 77 if mode == "L" else (50, 90, 130, 200)[: len(mode)])


def heic(width: int, height: int, **options: object) -> bytes:
    return encoded(plain(width, height), "HEIF", quality=10, **options)


def deep(width: int, height: int) -> bytes:
    """10 bits and unreduced colours."""
    file = pillow_heif.from_bytes("RGB;16", (width, height), bytes(range(6)) * (width * height))
    out = io.BytesIO()
    file.save(out, quality=10, chroma=444)
    return out.getvalue()


def said_small(data: bytes, width: int = 100, height: int = 100) -> bytes:
    """Every picture in it is declared to be of this size."""
    size = struct.pack(">II", width, height)
    return re.sub(rb"(ispe\0\0\0\0).{8}", lambda found: found[1] + size, data, flags=re.DOTALL)


def said_plain(data: bytes) -> bytes:
    """It is declared to have 8 bits and colours of half the size."""
    out, start = bytearray(data), data.index(b"hvcC") + 4
    out[start + _COLOURS_AT] = 0xFC | _420
    out[start + _BITS_AT : start + _BITS_AT + 2] = b"\xf8\xf8"
    return bytes(out)


def frames(data: bytes, count: int) -> bytes:
    """The coded bytes of its one picture, so many times."""
    ((start, end),) = described(data)[1][1]
    return _with_media(data, end - start, data[start:end] * count)


def overlay(width: int, height: int, tiles: bytes) -> bytes:
    """A canvas with two pictures on it, made of a HEIC of two tiles. The declared size stays."""
    found, places = described(tiles)
    (grid,) = [number for number, ranges in places.items() if ranges[0][0] < found[b"iloc"].start]
    out = bytearray(tiles.replace(b"grid", b"iovl"))
    canvas = (
        b"\0\1" + struct.pack(">HHHH", 65535, 0, 0, 65535) + struct.pack(">II", width, height) + bytes(16)
    )
    # Its entry in `iloc`: number, from where it counts, base, how many extents, offset, length.
    entry = out.index(struct.pack(">HHHIHII", grid, 1, 0, 0, 1, 0, 8), found[b"iloc"].start)
    struct.pack_into(">HHHIHII", out, entry, grid, 0, 0, len(out) + 8, 1, 0, len(canvas))
    return bytes(out) + box(b"mdat", canvas)


def two_tiles() -> bytes:
    return heic(1024, 512, tile_size=512)


def described(data: bytes) -> tuple[dict[bytes, Box], dict[int, list[tuple[int, int]]]]:
    """The boxes of `meta`, and where the bytes of each item are."""
    parts = Parts(data)
    meta = next(one for one in boxes(data, 0, len(data), parts) if one.kind == b"meta")
    found = {one.kind: one for one in children(data, meta._replace(body=meta.body + FULL), parts)}
    return found, dict(extents(data, found[b"iloc"], found.get(b"idat"), parts))


def _with_media(data: bytes, length: int, media: bytes) -> bytes:
    """A file of one picture, whose coded bytes end it, with others."""
    end = described(data)[0][b"iloc"].end
    assert data[end - 4 : end] == struct.pack(">I", length)
    out = data[: end - 4] + struct.pack(">I", len(media)) + data[end:]
    return out[: out.rindex(b"mdat") - 4] + box(b"mdat", media)

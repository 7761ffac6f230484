"""What decoding a picture takes, before anything is decoded."""

from __future__ import annotations

from typing import NamedTuple

from messenger_api.domain.cleaning import jpeg, layers
from messenger_api.domain.cleaning.parts import Unreadable

# Every scan of a progressive JPEG visits all pixels; libjpeg's own encoder writes 10.
MAX_SCANS = 64
# Pillow visits each segment on its own.
MAX_SEGMENTS = 1_000

# Bytes a pixel that Pillow 13 and pillow-heif 1.8 take at most, measured: while they decode, and of what they
# hold afterwards.
_DECODING = {"gif": 2.0, "webp": 17.0, "avif": 10.0}
_HELD = {"gif": 2.0, "webp": 12.0, "avif": 7.0}
# Of a HEIC: with colours at half the size and 8 bits; how often as much with more of either; transparency.
_HEIC, _HEIC_COLOURS, _HEIC_DEPTH, _HEIC_ALPHA, _HEIC_HELD = 5.0, 1.9, 1.6, 2.0, 3.0
# Of a PNG, by its colour type: grey, colours, palette, grey and colours with transparency.
_PNG_BYTES = {0: 2.0, 2: 4.2, 3: 1.2, 4: 4.2, 6: 4.2}
# What follows works on at most four times a photo's pixels, and holds them twice.
_WORKING_BYTES = 8.0
_SCALES = (8, 4, 2, 1)


def pixels(data: bytes, kind: str, declared: tuple[int, int], most: int) -> int:
    """Pixels that are decoded, which may be many more than the picture shows.

    Args:
        data: the file.
        kind: its type.
        declared: its width and height.
        most: where counting stops.

    Raises:
        Unreadable: that cannot be made out.
    """
    shown = declared[0] * declared[1]
    return max(shown, layers.pixels_to_decode(data, most)) if kind in ("heic", "avif") else shown


class Heic(NamedTuple):
    """What of a HEIC makes its decoder take more: has it transparency, how many bits, which colours."""

    transparent: bool
    bits: int
    colours: str
    """"420": of half the width and height, as everybody writes them."""


def memory(
    data: bytes, kind: str, declared: tuple[int, int], pixels: int, *, side: int, heic: Heic | None = None
) -> int:
    """Bytes that it takes to make a photo with sides of at most `side` pixels.

    Raises:
        Unreadable: a JPEG of absurdly many segments or scans.
    """
    working = min(pixels, 4 * side * side) * _WORKING_BYTES
    if kind == "jpg":
        scale = jpeg_scale(*declared, side)
        return int(pixels / scale / scale * _WORKING_BYTES) + _jpeg_coefficients(data, pixels)
    if kind == "png":
        return int(pixels * _PNG_BYTES.get(data[25], max(_PNG_BYTES.values())) + working)
    decoding, held = (_heic_bytes(heic), _HEIC_HELD) if heic else (_DECODING[kind], _HELD[kind])
    return int(max(pixels * decoding, pixels * held + working))


def _heic_bytes(heic: Heic) -> float:
    colours = 1.0 if heic.colours in ("420", "monochrome") else _HEIC_COLOURS
    depth = 1.0 if heic.bits <= 8 else _HEIC_DEPTH
    return (_HEIC + (_HEIC_ALPHA if heic.transparent else 0)) * colours * depth


def jpeg_scale(width: int, height: int, side: int) -> int:
    """By how much a JPEG can be made smaller while it is decoded, with no side below what is wanted."""
    return next((scale for scale in _SCALES if max(width, height) // scale >= side), 1)


def _jpeg_coefficients(data: bytes, pixels: int) -> int:
    """Bytes that libjpeg keeps until the last scan: two for each value of a picture of several scans."""
    found = jpeg.read(data)
    if found.scans > MAX_SCANS or found.segments > MAX_SEGMENTS:
        raise Unreadable("too many scans or segments")
    number = found.frame[5]
    components = [found.frame[at] for at in range(7, 7 + 3 * number, 3) if at < len(found.frame)]
    if found.in_first_scan >= number and not found.progressive:
        return 0
    factors = [(sampling >> 4, sampling & 15) for sampling in components]
    largest = max((across for across, _ in factors), default=1) * max(
        (down for _, down in factors), default=1
    )
    values = sum(across * down for across, down in factors) / max(largest, 1)
    return int(2 * values * pixels)

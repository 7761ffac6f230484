"""HEVC (ITU-T H.265, section 7.3; ISO/IEC 14496-15, 8.3): what a decoder is going to make of coded bytes.

What the container says of size, bits and colours is said once more in the codec's own sequence parameter
sets, and the decoder believes those.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from messenger_api.domain.cleaning.bits import Bits
from messenger_api.domain.cleaning.boxes import Box, Reader
from messenger_api.domain.cleaning.parts import Parts, Range, Unreadable

# Table 7-1: coded slices are below 32, a sequence parameter set is 33.
_SLICES, _SEQUENCE_PARAMETERS = 32, 33
_UNIT_HEADER = 2
_SIZE_BYTES = 4
# A parameter set says sooner than that what is asked of it, with seven layers of a profile each, too.
_HEAD_BYTES = 256
_PROFILE_BITS, _LEVEL_BITS = 88, 8
_COLOURS = ("monochrome", "420", "422", "444")


class Coded(NamedTuple):
    """Pictures as their parameter sets describe them; of several the most of each."""

    pixels: int = 0
    bits: int = 8
    colours: str = _COLOURS[0]
    """"420": of half the width and height, as everybody writes them."""

    def most(self, other: Coded) -> Coded:
        """What both take at most."""
        return Coded(
            max(self.pixels, other.pixels),
            max(self.bits, other.bits),
            max(self.colours, other.colours, key=_COLOURS.index),
        )


def configured(data: bytes, box: Box, parts: Parts) -> Coded:
    """What the parameter sets in a configuration (`hvcC`) describe.

    Raises:
        Unreadable: it is cut.
    """
    reader, found = Reader(data, box), Coded()
    reader.number(22)
    for _array in range(reader.number(1)):
        reader.number(1)
        for _unit in range(reader.number(2)):
            parts.take()
            size = reader.number(2)
            reader.number(size)
            found = found.most(_described(data[reader.at - size : reader.at]))
    return found


def coded(data: bytes, ranges: Iterable[Range], parts: Parts) -> Coded:
    """What the parameter sets among the coded bytes of one picture describe.

    Raises:
        Unreadable: a unit is cut, or there is more than one picture: a decoder may keep sixteen at once.
    """
    found, pictures = Coded(), 0
    for unit in _units(b"".join(data[start:stop] for start, stop in ranges), parts):
        found = found.most(_described(unit))
        # What refines the picture for larger screens is in higher layers, which nobody here decodes.
        is_picture = (
            _kind(unit) < _SLICES and not _layer(unit) and unit[_UNIT_HEADER : _UNIT_HEADER + 1] >= b"\x80"
        )
        pictures += is_picture
    if pictures > 1:
        raise Unreadable("several pictures in one")
    return found


def _units(data: bytes, parts: Parts) -> Iterator[bytes]:
    position = 0
    while position < len(data):
        parts.take()
        start = position + _SIZE_BYTES
        position = start + int.from_bytes(data[position:start])
        if position > len(data) or position < start + _UNIT_HEADER:
            raise Unreadable("a unit is cut")
        yield data[start : min(position, start + _HEAD_BYTES)]


def _kind(unit: bytes) -> int:
    return unit[0] >> 1 & 63


def _layer(unit: bytes) -> int:
    return (unit[0] & 1) << 5 | unit[1] >> 3


def _described(unit: bytes) -> Coded:
    if len(unit) < _UNIT_HEADER or _kind(unit) != _SEQUENCE_PARAMETERS:
        return Coded()
    # A 3 stands where zeros could be taken for the start of a unit.
    bits = Bits(unit[_UNIT_HEADER:].replace(b"\0\0\3", b"\0\0"))
    bits.take(4)
    layers = bits.take(3)
    bits.take(1)
    _skip_profiles(bits, layers)
    bits.golomb()
    colours = bits.golomb()
    if colours >= len(_COLOURS):
        raise Unreadable("colours that there are not")
    if colours == len(_COLOURS) - 1:
        bits.take(1)
    pixels = bits.golomb() * bits.golomb()
    if bits.take(1):
        for _side in range(4):
            bits.golomb()
    return Coded(pixels, 8 + max(bits.golomb(), bits.golomb()), _COLOURS[colours])


def _skip_profiles(bits: Bits, layers: int) -> None:
    bits.take(_PROFILE_BITS + _LEVEL_BITS)
    present = [(bits.take(1), bits.take(1)) for _ in range(layers)]
    if layers:
        bits.take(2 * (8 - layers))
    for has_profile, has_level in present:
        bits.take(has_profile * _PROFILE_BITS + has_level * _LEVEL_BITS)

"""AV1 (its specification, section 5): how large a picture may become, by what its coded bytes say."""

from __future__ import annotations

from messenger_api.domain.cleaning.bits import Bits
from messenger_api.domain.cleaning.parts import Parts, Unreadable

_SEQUENCE_HEADER = 1
_LONGEST_LEB128 = 8


def most_pixels(data: bytes, parts: Parts) -> int:
    """The largest frame that the sequence headers among these units allow; 0 if there is none.

    Raises:
        Unreadable: a unit or a header is cut.
    """
    position, most = 0, 0
    while position < len(data):
        parts.take()
        header = data[position]
        position += 2 if header & 4 else 1
        length = len(data) - position
        if header & 2:
            length, position = _leb128(data, position)
        if header >> 3 & 15 == _SEQUENCE_HEADER:
            # 100 bytes hold the header up to the size, whatever options it has.
            most = max(most, _pixels(Bits(data[position : position + min(length, 100)])))
        position += length
    return most


def _leb128(data: bytes, position: int) -> tuple[int, int]:
    """A number of variable length, and where what follows it starts."""
    value = 0
    for place in range(_LONGEST_LEB128):
        if position + place >= len(data):
            break
        value |= (data[position + place] & 127) << (7 * place)
        if data[position + place] < 128:
            return value, position + place + 1
    raise Unreadable("the size of a unit")


def _pixels(bits: Bits) -> int:
    bits.take(3 + 1)
    reduced = bits.take(1)
    if reduced:
        bits.take(5)
    else:
        _skip_operating_points(bits)
    width_bits, height_bits = bits.take(4) + 1, bits.take(4) + 1
    if not reduced:
        # Each frame may say a size of its own.
        return 1 << (width_bits + height_bits)
    return (bits.take(width_bits) + 1) * (bits.take(height_bits) + 1)


def _skip_operating_points(bits: Bits) -> None:
    delay_bits = 0
    if bits.take(1):
        bits.take(64)
        if bits.take(1):
            _skip_uvlc(bits)
        if bits.take(1):
            delay_bits = bits.take(5) + 1
            bits.take(32 + 5 + 5)
    has_delays = bits.take(1)
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > 7:
            bits.take(1)
        if delay_bits and bits.take(1):
            bits.take(2 * delay_bits + 1)
        if has_delays and bits.take(1):
            bits.take(4)


def _skip_uvlc(bits: Bits) -> None:
    zeros = 0
    while not bits.take(1):
        zeros += 1
    bits.take(min(zeros, 32))

"""How much work a HEIC or AVIF makes: both are pictures made of pictures, and may lie about their size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from messenger_api.domain.cleaning import av1, film, hevc
from messenger_api.domain.cleaning.boxes import FREE, FULL, Box, Reader, boxes, children, kinds
from messenger_api.domain.cleaning.heif import extents, items
from messenger_api.domain.cleaning.parts import Parts, Range, Unreadable

# Phones make pictures of tiles, and tiles of nothing else.
DEEPEST = 4
_HEVC = kinds("hvc1 hev1 lhv1 hvt1").keys()


class _Items(NamedTuple):
    """What of a file's items makes work, each by their number."""

    pixels: dict[int, int]
    """Of a coded item, the most of what is declared and coded."""
    canvases: dict[int, int]
    """Pixels of an overlay, which are there whatever lies on it."""
    layers: dict[int, list[int]]
    """Which items an item is made of."""


def pixels_to_decode(data: bytes, most: int) -> int:
    """Pixels that are decoded for the picture, all in all: its tiles and layers, each time one is used.

    Args:
        data: the file.
        most: where counting stops; the answer is not exact beyond.

    Raises:
        Unreadable: that cannot be made out.
    """
    parts = Parts(data)
    top = list(boxes(data, 0, len(data), parts))
    coded = [_moving_pixels(data, box, parts) for box in top if box.kind == b"moov"]
    coded += [_still_pixels(data, meta, parts, most) for meta in _metas(top)]
    if not coded:
        raise Unreadable("no picture")
    return max(coded)


def how_coded(data: bytes) -> hevc.Coded:
    """The most that the decoder of a HEIC is told, of everything that is coded in it.

    Raises:
        Unreadable: that cannot be made out.
    """
    parts, most = Parts(data), hevc.Coded()
    for meta in _metas(list(boxes(data, 0, len(data), parts))):
        found = _found(data, meta, parts)
        for box in children(data, _properties(data, found[b"iprp"], parts)[0], parts):
            if box.kind == b"hvcC":
                most = most.most(hevc.configured(data, box, parts))
        places = _places(data, found, parts)
        for number, item in items(data, found[b"iinf"], parts).items():
            if item.kind in _HEVC:
                most = most.most(hevc.coded(data, places.get(number, []), parts))
    return most


def _metas(top: Iterable[Box]) -> list[Box]:
    return [box._replace(body=box.body + FULL) for box in top if box.kind == b"meta"]


def _found(data: bytes, meta: Box, parts: Parts) -> dict[bytes, Box]:
    """What describes items, each once: of two a decoder might take the other."""
    found: dict[bytes, Box] = {}
    for box in children(data, meta, parts):
        if box.kind in found and box.kind != FREE:
            raise Unreadable("a description twice")
        found[box.kind] = box
    if not found.keys() >= {b"iinf", b"iloc", b"iprp"}:
        raise Unreadable("no items")
    return found


def _places(data: bytes, found: dict[bytes, Box], parts: Parts) -> dict[int, list[Range]]:
    """Where the bytes of each item are."""
    listed = list(extents(data, found[b"iloc"], found.get(b"idat"), parts))
    _check_bytes(data, [extent for _number, ranges in listed for extent in ranges])
    places = dict(listed)
    if len(places) < len(listed):
        raise Unreadable("an item in two places")
    return places


def _moving_pixels(data: bytes, movie: Box, parts: Parts) -> int:
    return _coded_pixels(data, film.places(data, movie, parts), parts)


def _coded_pixels(data: bytes, ranges: list[Range], parts: Parts) -> int:
    """The largest AV1 frame among these ranges."""
    _check_bytes(data, ranges)
    return max((av1.most_pixels(data[start:stop], parts) for start, stop in ranges), default=0)


def _still_pixels(data: bytes, meta: Box, parts: Parts, most: int) -> int:
    found = _found(data, meta, parts)
    listed, places = items(data, found[b"iinf"], parts), _places(data, found, parts)
    layers = _layers(data, found[b"iref"], parts) if b"iref" in found else {}
    made = _Items(_declared(data, found[b"iprp"], parts), {}, layers)
    for number, item in listed.items():
        ranges = places.get(number, [])
        if item.kind == b"iovl":
            made.canvases[number] = _canvas(data, ranges)
        # Decoders believe the coded bytes, whatever was declared.
        in_bytes = _coded_pixels(data, ranges, parts) if item.kind == b"av01" else 0
        if item.kind in _HEVC:
            in_bytes = hevc.coded(data, ranges, parts).pixels
        made.pixels[number] = max(made.pixels.get(number, 0), in_bytes)
    return max((_pixels(number, made, parts, most) for number in listed), default=0)


def _check_bytes(data: bytes, ranges: list[Range]) -> None:
    if sum(min(stop, len(data)) - start for start, stop in ranges if start < len(data)) > 2 * len(data):
        raise Unreadable("the same bytes again and again")


def _canvas(data: bytes, ranges: list[Range]) -> int:
    """Pixels of an overlay (ISO/IEC 23008-12, 6.6.2.3): flags, a colour, width and height.

    Raises:
        Unreadable: it is cut.
    """
    body = b"".join(data[start : min(stop, start + 18)] for start, stop in ranges)
    size = 4 if body[1:2] and body[1] & 1 else 2
    sides = body[10 : 10 + 2 * size]
    if len(sides) < 2 * size:
        raise Unreadable("an overlay is cut")
    return int.from_bytes(sides[:size]) * int.from_bytes(sides[size:])


def _pixels(number: int, made: _Items, parts: Parts, most: int, depth: int = 0) -> int:
    """Pixels that are decoded for one item. An item that is made of others is as costly as they are."""
    parts.take()
    if depth > DEEPEST:
        raise Unreadable("pictures within pictures")
    total = made.canvases.get(number, 0)
    for layer in made.layers.get(number, ()):
        total += _pixels(layer, made, parts, most, depth + 1)
        if total > most:
            break
    return total or made.pixels.get(number, 0)


def _layers(data: bytes, iref: Box, parts: Parts) -> dict[int, list[int]]:
    """Which items an item is made of."""
    size = 4 if data[iref.body : iref.body + 1] != b"\0" else 2
    found: dict[int, list[int]] = {}
    for box in children(data, iref, parts, skip=FULL):
        if box.kind == b"dimg":
            reader = Reader(data, box)
            number, count = reader.number(size), reader.number(2)
            parts.take(count)
            found.setdefault(number, []).extend(reader.number(size) for _ in range(count))
    return found


def _properties(data: bytes, iprp: Box, parts: Parts) -> tuple[Box, list[Box]]:
    """The list of properties, and the lists of which item has which."""
    found = list(children(data, iprp, parts))
    lists = [box for box in found if box.kind == b"ipco"]
    if len(lists) != 1:
        raise Unreadable("no properties, or two lists of them")
    return lists[0], [box for box in found if box.kind == b"ipma"]


def _declared(data: bytes, iprp: Box, parts: Parts) -> dict[int, int]:
    """Pixels of each item, as its properties declare them: its size, and how it is coded."""
    listed, associations = _properties(data, iprp, parts)
    areas = [_area(data, box, parts) for box in children(data, listed, parts)]
    sizes: dict[int, int] = {}
    for box in associations:
        for number, index in _associated(data, box, parts):
            area = areas[index - 1] if 0 < index <= len(areas) else 0
            sizes[number] = max(sizes.get(number, 0), area)
    return sizes


def _associated(data: bytes, ipma: Box, parts: Parts) -> Iterator[tuple[int, int]]:
    """Items, and which property in the list each has, counted from 1."""
    reader = Reader(data, ipma)
    version_and_flags = reader.number(FULL)
    item_size, index_size = 4 if version_and_flags >> 24 else 2, 2 if version_and_flags & 1 else 1
    for _ in range(reader.number(4)):
        parts.take()
        number = reader.number(item_size)
        for _property in range(reader.number(1)):
            # The first bit says whether the property is essential.
            yield number, reader.number(index_size) & (0x7FFF if index_size == 2 else 0x7F)


def _area(data: bytes, box: Box, parts: Parts) -> int:
    if box.kind == b"hvcC":
        return hevc.configured(data, box, parts).pixels
    reader = Reader(data, box)
    if box.kind != b"ispe":
        return 0
    reader.number(FULL)
    return reader.number(4) * reader.number(4)

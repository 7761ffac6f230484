"""How much work a HEIC or AVIF makes: both are pictures made of pictures, and may lie about their size."""

from __future__ import annotations

from messenger_api.domain.cleaning import av1, film
from messenger_api.domain.cleaning.boxes import FULL, Box, Reader, boxes, children
from messenger_api.domain.cleaning.heif import extents, items
from messenger_api.domain.cleaning.parts import Parts, Range, Unreadable

# Phones make pictures of tiles, and tiles of nothing else.
DEEPEST = 4


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
    metas = [box._replace(body=box.body + FULL) for box in top if box.kind == b"meta"]
    coded += [_still_pixels(data, box, parts, most) for box in metas]
    if not coded:
        raise Unreadable("no picture")
    return max(coded)


def _moving_pixels(data: bytes, movie: Box, parts: Parts) -> int:
    return _coded_pixels(data, film.places(data, movie, parts), parts)


def _coded_pixels(data: bytes, ranges: list[Range], parts: Parts) -> int:
    """The largest AV1 frame among these ranges."""
    if sum(stop - start for start, stop in ranges) > 2 * len(data):
        raise Unreadable("the same bytes again and again")
    return max((av1.most_pixels(data[start:stop], parts) for start, stop in ranges), default=0)


def _still_pixels(data: bytes, meta: Box, parts: Parts, most: int) -> int:
    found = {box.kind: box for box in children(data, meta, parts)}
    if not found.keys() >= {b"iinf", b"iloc", b"iprp"}:
        raise Unreadable("no items")
    listed = items(data, found[b"iinf"], parts)
    places = dict(extents(data, found[b"iloc"], found.get(b"idat"), parts))
    sizes = _declared(data, found[b"iprp"], parts)
    for number, item in listed.items():
        if item.kind == b"av01":
            # Its decoder believes the coded bytes, whatever was declared.
            sizes[number] = max(sizes.get(number, 0), _coded_pixels(data, places.get(number, []), parts))
    layers = _layers(data, found[b"iref"], parts) if b"iref" in found else {}
    return max((_pixels(number, sizes, layers, parts, most) for number in listed), default=0)


def _pixels(
    number: int, sizes: dict[int, int], layers: dict[int, list[int]], parts: Parts, most: int, depth: int = 0
) -> int:
    """Pixels that are decoded for one item. An item that is made of others is as costly as they are."""
    parts.take()
    if depth > DEEPEST:
        raise Unreadable("pictures within pictures")
    total = 0
    for layer in layers.get(number, ()):
        total += _pixels(layer, sizes, layers, parts, most, depth + 1)
        if total > most:
            break
    return total or sizes.get(number, 0)


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


def _declared(data: bytes, iprp: Box, parts: Parts) -> dict[int, int]:
    """Pixels of each item, as its properties declare them."""
    found = {box.kind: box for box in children(data, iprp, parts)}
    if not found.keys() >= {b"ipco", b"ipma"}:
        raise Unreadable("no properties")
    areas = [_area(data, box) for box in children(data, found[b"ipco"], parts)]
    reader = Reader(data, found[b"ipma"])
    version_and_flags = reader.number(FULL)
    item_size, index_size = 4 if version_and_flags >> 24 else 2, 2 if version_and_flags & 1 else 1
    sizes: dict[int, int] = {}
    for _ in range(reader.number(4)):
        parts.take()
        number = reader.number(item_size)
        for _property in range(reader.number(1)):
            # The first bit says whether the property is essential.
            index = reader.number(index_size) & (0x7FFF if index_size == 2 else 0x7F)
            area = areas[index - 1] if 0 < index <= len(areas) else 0
            sizes[number] = max(sizes.get(number, 0), area)
    return sizes


def _area(data: bytes, box: Box) -> int:
    reader = Reader(data, box)
    if box.kind != b"ispe":
        return 0
    reader.number(FULL)
    return reader.number(4) * reader.number(4)

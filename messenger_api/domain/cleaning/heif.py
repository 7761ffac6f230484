"""HEIC and AVIF (ISO/IEC 23008-12, AV1 Image File Format), still or moving."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from messenger_api.domain.cleaning import film
from messenger_api.domain.cleaning.boxes import FREE, FULL, Box, Reader, blank, boxes, children, kinds, weed
from messenger_api.domain.cleaning.parts import Parts, Range, Unreadable, copy, erase, merged

HEIC_BRANDS = kinds("heic heix heim heis hevc hevx hevm hevs mif1 mif2 msf1").keys()
AVIF_BRANDS = kinds("avif avis").keys()

_TOP = kinds("ftyp meta mdat moov")
_META = kinds("hdlr pitm iinf iref iprp iloc idat dinf grpl")
# Pictures, and what puts them together. "Exif", "mime" (XMP) and "uri " are not among them.
_PICTURES = kinds("hvc1 hev1 lhv1 hvt1 av01 avc1 vvc1 jpeg j2k1 unci mski grid iovl iden tmap")
# What a picture may be said to be: size, colour, how it is coded, turned, cut. Descriptions in words go.
_PROPERTIES = kinds(
    "ispe pixi colr pasp irot imir clap rloc auxC lsel tols oinf hvcC lhvC av1C avcC vvcC jpgC j2kH a1op a1lx"
    " mskC uncC cmpd cdef cmap cpal clli mdcv cclv amve ndwt reve"
)


class Item(NamedTuple):
    """A picture, or something about one, by its type; `at` is where that is written."""

    kind: bytes
    at: int
    end: int


class _ExtentSizes(NamedTuple):
    """In how many bytes `iloc` writes what it says of an extent."""

    number: int
    offset: int
    length: int


def cleaned(data: bytes) -> bytes:
    """The same picture without EXIF, XMP and what makers put behind; the file keeps its length.

    Bytes that belong to no picture become zeros. The orientation is a property of the picture and stays.

    Raises:
        Unreadable: what the file consists of cannot be made out.
    """
    parts, out = Parts(data), bytearray(data)
    top = list(boxes(data, 0, len(data), parts))
    meta, moving = _first(top, b"meta"), _first(top, b"moov")
    if not meta and not moving:
        raise Unreadable("no picture")
    for box in top:
        if box.kind not in _TOP:
            blank(out, box)
        elif box.kind == b"mdat" and moving is None:
            out[box.body : box.end] = bytes(box.end - box.body)
    if moving:
        film.clean_movie(data, out, moving, parts)
    if meta:
        _clean_meta(data, out, meta, parts)
    return bytes(out[: top[-1].end])


def _first(found: Iterable[Box], kind: bytes) -> Box | None:
    return next((box for box in found if box.kind == kind), None)


def _clean_meta(data: bytes, out: bytearray, meta: Box, parts: Parts) -> None:
    inside = meta._replace(body=meta.body + FULL)
    weed(out, inside, _META, parts)
    found = {box.kind: box for box in children(data, inside, parts) if box.kind in _META}
    if not found.keys() >= {b"iinf", b"iloc"}:
        raise Unreadable("no items")
    store = found.get(b"idat")
    if store:
        out[store.body : store.end] = bytes(store.end - store.body)
    listed = items(data, found[b"iinf"], parts)
    kept: list[Range] = []
    gone: list[Range] = []
    for number, ranges in extents(data, found[b"iloc"], store, parts):
        is_picture = number in listed and listed[number].kind in _PICTURES
        (kept if is_picture else gone).extend(ranges)
    _erase_names(listed.values(), out)
    for box in children(data, found.get(b"iprp", meta._replace(end=meta.body)), parts):
        if box.kind == b"ipco":
            weed(out, box, _PROPERTIES, parts)
    _copy_media(data, out, kept, gone, (meta, store))


def _erase_names(listed: Iterable[Item], out: bytearray) -> None:
    """Take the name out of every item, and the type out of those that are no pictures.

    Readers pass over a type that they do not know.
    """
    for item in listed:
        if item.kind not in _PICTURES:
            out[item.at : item.at + len(FREE)] = FREE
        out[item.at + len(FREE) : item.end] = bytes(max(item.end - item.at - len(FREE), 0))


def _copy_media(
    data: bytes, out: bytearray, kept: list[Range], gone: list[Range], around: tuple[Box, Box | None]
) -> None:
    """Put in what the kept pictures consist of. Within `meta` only its `idat` holds such bytes."""
    meta, store = around
    header = bytes(out[meta.start : store.body if store else meta.end])
    behind = bytes(out[store.end : meta.end]) if store else b""
    erase(merged(gone, len(out)), out)
    copy(data, merged(kept, len(out)), out)
    out[meta.start : meta.start + len(header)] = header
    out[meta.end - len(behind) : meta.end] = behind


def items(data: bytes, iinf: Box, parts: Parts) -> dict[int, Item]:
    """The items by their numbers.

    Raises:
        Unreadable: an item has no type, as in drafts of the format, or two have one number.
    """
    found = {}
    large = data[iinf.body : iinf.body + 1] != b"\0"
    for box in children(data, iinf, parts, skip=FULL + (4 if large else 2)):
        reader = Reader(data, box)
        version = reader.number(FULL) >> 24
        if box.kind != b"infe" or version not in (2, 3):
            raise Unreadable("an item without a type")
        number = reader.number(4 if version == 3 else 2)
        reader.number(2)
        at = reader.at
        if number in found:
            raise Unreadable("two items of one number")
        found[number] = Item(reader.number(4).to_bytes(4), at, box.end)
    return found


def extents(data: bytes, iloc: Box, store: Box | None, parts: Parts) -> Iterator[tuple[int, list[Range]]]:
    """Where the bytes of each item are, by its number.

    Raises:
        Unreadable: the list ends too early.
    """
    reader = Reader(data, iloc)
    version = reader.number(FULL) >> 24
    packed = reader.number(2)
    base_size = packed >> 4 & 15
    sizes = _ExtentSizes(packed & 15 if version else 0, packed >> 12, packed >> 8 & 15)
    for _ in range(reader.number(4 if version == 2 else 2)):
        number = reader.number(4 if version == 2 else 2)
        method = reader.number(2) & 15 if version else 0
        reader.number(2)
        base = reader.number(base_size) + (store.body if method == 1 and store else 0)
        ranges = list(_ranges(reader, sizes, base, len(data), parts))
        # The third method makes items out of others: they have no bytes of their own.
        yield number, ranges if method in (0, 1) else []


def _ranges(reader: Reader, sizes: _ExtentSizes, base: int, end: int, parts: Parts) -> Iterator[Range]:
    """The extents of one item, each behind `base`; a length of 0 is all up to `end`."""
    for _ in range(reader.number(2)):
        parts.take()
        reader.number(sizes.number)
        start = base + reader.number(sizes.offset)
        length = reader.number(sizes.length)
        yield start, start + length if length else end

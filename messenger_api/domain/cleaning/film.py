"""Films and sounds in ISO base media files and QuickTime's: MP4, MOV, M4A, 3GP."""

from __future__ import annotations

from itertools import accumulate, chain, repeat

from messenger_api.domain.cleaning.boxes import (
    FULL,
    Box,
    Reader,
    Tree,
    blank,
    boxes,
    children,
    kinds,
    weed,
    within,
)
from messenger_api.domain.cleaning.parts import Parts, Range, Unreadable, copy, erase, merged

_SAMPLES: Tree = kinds(
    "stsd stts ctts cslg stsc stsz stz2 stco co64 stss stps sdtp sgpd sbgp subs saiz saio stsh padb"
)
_INFORMATION: Tree = {**kinds("vmhd smhd sthd nmhd gmhd hdlr dinf"), b"stbl": _SAMPLES}
_MEDIA: Tree = {**kinds("mdhd hdlr elng"), b"minf": _INFORMATION}
_TRACK: Tree = {**kinds("tkhd edts tref tapt load"), b"mdia": _MEDIA}
# What a film consists of. `udta` and `meta` are where phones write position, model, time and place names.
_MOVIE: Tree = {**kinds("mvhd mvex iods"), b"trak": _TRACK}
_FRAGMENT: Tree = {
    b"mfhd": None,
    b"traf": kinds("tfhd tfdt trun sdtp sbgp sgpd subs saiz saio senc"),
}
_TOP = {*kinds("ftyp styp mdat moov moof mfra sidx ssix pdin wide")}
# Cameras write where they were also as tracks of metadata and as subtitles.
_SEEN_OR_HEARD = kinds("vide soun pict auxv")
# In the description of a picture: the codec's vendor, and its name.
_ENTRY_SECRETS = ((20, 24), (50, 82))


def cleaned(data: bytes) -> bytes:
    """The same pictures and sounds without position, camera, tags and subtitles; the file keeps its length.

    Raises:
        Unreadable: what the file consists of cannot be made out.
    """
    parts, out = Parts(data), bytearray(data)
    top = list(boxes(data, 0, len(data), parts))
    movies = [box for box in top if box.kind == b"moov"]
    if not movies:
        raise Unreadable("no film")
    for box in top:
        if box.kind not in _TOP:
            blank(out, box)
        elif box.kind == b"moof":
            weed(out, box, _FRAGMENT, parts)
    in_fragments = any(box.kind == b"moof" for box in top)
    with_metadata = [clean_movie(data, out, movie, parts) for movie in movies]
    if not in_fragments:
        _clear_between(data, out, top, parts)
    elif any(with_metadata):
        raise Unreadable("metadata in fragments")
    return bytes(out[: top[-1].end])


def _clear_between(data: bytes, out: bytearray, top: list[Box], parts: Parts) -> None:
    """Erase what stands between the samples: cameras in cars write there where they are.

    It stays where the samples of a kept track cannot be found for certain.
    """
    movies = (box for box in top if box.kind == b"moov")
    kept = chain.from_iterable(children(out, movie, parts) for movie in movies)
    try:
        used = merged(_certain([box for box in kept if box.kind == b"trak"], data, parts), len(out))
    except Unreadable:
        return
    for box in (box for box in top if box.kind == b"mdat"):
        out[box.body : box.end] = bytes(box.end - box.body)
        copy(data, merged(within(used, box), len(out)), out)


def _certain(tracks: list[Box], data: bytes, parts: Parts) -> list[Range]:
    """Where the bytes of these tracks are.

    Sizes that are said once for all samples of a sound are those of its bytes, frames or channels, by who
    wrote them; encryption has its keys between the samples.

    Raises:
        Unreadable: that cannot be made out.
    """
    if any(_is_uncertain(data, track, parts) for track in tracks):
        raise Unreadable("sizes or keys")
    return [found for track in tracks for found in _samples(data, track, parts)]


def _is_uncertain(data: bytes, track: Box, parts: Parts) -> bool:
    table = _descend(data, track, parts, b"mdia", b"minf", b"stbl")
    found = {box.kind: box for box in children(data, table, parts)} if table else {}
    if b"saio" in found or b"stsz" not in found:
        return True
    sizes = Reader(data, found[b"stsz"])
    sizes.number(FULL)
    return sizes.number(4) > 0 and _handler(data, track, parts) == b"soun"


def clean_movie(data: bytes, out: bytearray, movie: Box, parts: Parts) -> bool:
    """Clean a `moov` and take out the tracks that nobody sees or hears; whether there were such.

    Raises:
        Unreadable: such a track's place cannot be made out.
    """
    gone: list[Box] = []
    for box in children(data, movie, parts):
        if box.kind == b"cmov":
            raise Unreadable("a packed description")
        if box.kind != b"trak":
            continue
        if _handler(data, box, parts) in _SEEN_OR_HEARD:
            _clean_entries(data, out, box, parts)
        else:
            gone.append(box)
    ranges = [found for track in gone for found in _samples(data, track, parts)]
    header = slice(movie.start, movie.end)
    weed(out, movie, _MOVIE, parts)
    for track in gone:
        blank(out, track)
    described = out[header]
    erase(merged(ranges, len(out)), out)
    out[header] = described
    return bool(gone)


def places(data: bytes, movie: Box, parts: Parts) -> list[Range]:
    """Where the bytes of all tracks are.

    Raises:
        Unreadable: that cannot be made out.
    """
    tracks = [box for box in children(data, movie, parts) if box.kind == b"trak"]
    return [found for track in tracks for found in _samples(data, track, parts)]


def _descend(data: bytes, box: Box, parts: Parts, *path: bytes) -> Box | None:
    """The first box at the end of `path`."""
    for kind in path:
        found = next((child for child in children(data, box, parts) if child.kind == kind), None)
        if found is None:
            return None
        box = found
    return box


def _handler(data: bytes, track: Box, parts: Parts) -> bytes:
    box = _descend(data, track, parts, b"mdia", b"hdlr")
    return data[box.body + 8 : box.body + 12] if box else b""


def _clean_entries(data: bytes, out: bytearray, track: Box, parts: Parts) -> None:
    """Take vendor and name of the codec out of a film's description; both may be the camera's."""
    box = _descend(data, track, parts, b"mdia", b"minf", b"stbl", b"stsd")
    if box is None or _handler(data, track, parts) == b"soun":
        return
    for entry in children(data, box, parts, skip=FULL + 4):
        for start, stop in _ENTRY_SECRETS:
            if entry.start + stop <= entry.end:
                out[entry.start + start : entry.start + stop] = bytes(stop - start)


def _samples(data: bytes, track: Box, parts: Parts) -> list[Range]:
    """Where the bytes of a track are."""
    table = _descend(data, track, parts, b"mdia", b"minf", b"stbl")
    if table is None:
        return []
    found = {box.kind: box for box in children(data, table, parts)}
    places = found.get(b"co64") or found.get(b"stco")
    if places is None or b"stsc" not in found or b"stsz" not in found:
        raise Unreadable("a track without places")
    reader = Reader(data, places)
    reader.number(FULL)
    chunks = reader.numbers(reader.number(4), 8 if places.kind == b"co64" else 4)
    counts = _samples_per_chunk(data, found[b"stsc"], len(chunks))
    sizes = _chunk_sizes(data, found[b"stsz"], counts)
    return [(start, start + size) for start, size in zip(chunks, sizes, strict=True)]


def _samples_per_chunk(data: bytes, stsc: Box, chunks: int) -> list[int]:
    reader = Reader(data, stsc)
    reader.number(FULL)
    runs = reader.number(4)
    numbers = reader.numbers(runs * 3, 4)
    firsts = [*numbers[::3], chunks + 1]
    counts: list[int] = []
    for run in range(runs):
        length = min(firsts[run + 1], chunks + 1) - firsts[run]
        counts.extend(repeat(numbers[run * 3 + 1], max(length, 0)))
    return (counts + [0] * chunks)[:chunks]


def _chunk_sizes(data: bytes, stsz: Box, counts: list[int]) -> list[int]:
    """Bytes of each chunk, by how many samples each has."""
    reader = Reader(data, stsz)
    reader.number(FULL)
    constant, samples = reader.number(4), reader.number(4)
    if constant:
        return [count * constant for count in counts]
    sums = list(accumulate(chain((0,), reader.numbers(samples, 4))))
    ends = list(accumulate(counts))
    if ends and ends[-1] >= len(sums):
        raise Unreadable("more samples than sizes")
    return [sums[end] - sums[end - count] for end, count in zip(ends, counts, strict=True)]

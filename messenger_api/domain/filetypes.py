"""What a file is, by its content; the name under which it was sent chooses where that leaves a choice."""

from __future__ import annotations

from messenger_api.domain.cleaning import gif, heif, jpeg, png, tiff, webp

# Types whose content begins alike: of these the name may choose.
_ZIPS = ("zip", "docx", "odp", "ods", "odt", "pptx", "xlsx")
_OGGS = ("ogg", "oga", "ogv", "opus")
_MATROSKAS = ("mkv", "webm")
_FILMS = ("mp4", "m4a", "m4v", "mov", "3gp")
_TAGGED = ("mp3", "aac", "flac")
_BEGINNINGS: tuple[tuple[bytes, tuple[str, ...]], ...] = (
    (jpeg.START + b"\xff", ("jpg",)),
    (png.SIGNATURE, ("png",)),
    *((header, ("gif",)) for header in gif.HEADERS),
    *((magic, ("tif",)) for magic in tiff.MAGICS),
    (b"%PDF-", ("pdf",)),
    (b"PK\3\4", _ZIPS),
    (b"OggS", _OGGS),
    (b"\x1aE\xdf\xa3", _MATROSKAS),
    (b"fLaC", ("flac",)),
    (b"ID3", _TAGGED),
    (b"#!AMR", ("amr",)),
    (b"7z\xbc\xaf\x27\x1c", ("7z",)),
    (b"Rar!\x1a\7", ("rar",)),
    (b"\x1f\x8b\x08", ("gz",)),
)
# ISO/IEC 14496-12 files by their major brand; others are mp4.
_BRANDS = {b"qt  ": "mov", b"M4A ": "m4a", b"M4B ": "m4a", b"M4V ": "m4v"}
# What a QuickTime film from before that standard may begin with.
_OLD_FILMS = frozenset((b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"))
# Sizes of the second header of a BMP, by version.
_BMP_HEADERS = frozenset((12, 40, 52, 56, 64, 108, 124))


def true_type(data: bytes, named: str = "") -> str:
    """The usual file extension of the content; "" where the content does not tell.

    Args:
        data: the file.
        named: the extension that it came with; it chooses among types that begin alike.
    """
    for beginning, types in _BEGINNINGS:
        if data.startswith(beginning):
            return named if named in types else types[0]
    if webp.is_webp(data):
        return "webp"
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return "wav"
    if data[:2] == b"BM" and data[6:10] == bytes(4) and int.from_bytes(data[14:18], "little") in _BMP_HEADERS:
        return "bmp"
    return _iso_type(data, named)


def _iso_type(data: bytes, named: str) -> str:
    size, kind = int.from_bytes(data[:4]), data[4:8]
    if kind != b"ftyp":
        return "mov" if kind in _OLD_FILMS and (size == 1 or 8 <= size <= len(data)) else ""
    major, compatible = data[8:12], {data[at : at + 4] for at in range(16, min(size, len(data), 1024), 4)}
    return _picture_type(major, compatible) or _film_type(major, named)


def _picture_type(major: bytes, compatible: set[bytes]) -> str:
    if major in heif.AVIF_BRANDS:
        return "avif"
    if major in heif.HEIC_BRANDS:
        return "avif" if compatible & heif.AVIF_BRANDS else "heic"
    return ""


def _film_type(major: bytes, named: str) -> str:
    if named in _FILMS:
        return named
    return "3gp" if major[:2] == b"3g" else _BRANDS.get(major, "mp4")

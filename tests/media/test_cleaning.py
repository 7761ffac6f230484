"""Files for chats: position, camera and owner go, the coded pixels stay bit for bit."""

from __future__ import annotations

import re
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from messenger_api.domain.cleaning import cleaned
from messenger_api.domain.errors import BadImage
from messenger_api.domain.filetypes import true_type
from tests.examples import examples
from tests.media import makers
from tests.media.makers import PIXELS, SOUND, TRACE, encoded, exif, film, made, noise, opened
from tests.stopwatch import Stopwatch


@pytest.fixture(autouse=True)
def pillow_reads_all_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The product lowers the limit for the whole process."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)


VARIANTS: dict[str, Callable[[], bytes]] = {
    **makers.STILLS,
    "progressive": lambda: makers.jpeg(6, progressive=True),
    "second picture": lambda: encoded(
        noise(), "MPO", save_all=True, append_images=[noise(80, 60)], exif=exif(), comment=makers.SECRET
    ),
    "cmyk": lambda: makers.jpeg(image=noise().convert("CMYK")),
    "grey": lambda: makers.jpeg(image=noise().convert("L")),
    "palette": lambda: makers.png(image=noise().quantize(16)),
    "16 bits": lambda: makers.png(image=Image.new("I;16", (64, 48), 0x8123)),
    "transparent png": lambda: makers.png(image=noise(mode="RGBA")),
    "transparent webp": lambda: makers.webp(image=noise(mode="RGBA")),
    "lossy webp": lambda: makers.webp(lossless=False),
    "big tiff": lambda: makers.tiff(big_tiff=True),
    "tiff of jpeg": lambda: makers.packed_tiff("jpeg"),
    "packed tiff": lambda: makers.packed_tiff("tiff_lzw"),
    "tiff of pages": lambda: makers.tiff(save_all=True, append_images=[noise(40, 30)]),
    "tiles": lambda: makers.heic(image=noise(200, 100), tile_size=128),
    "turned heic": lambda: makers.heic(6),
    "transparent avif": lambda: makers.avif(image=noise(mode="RGBA")),
}


def clean(data: bytes) -> bytes:
    return cleaned(data, true_type(data))


def frames(data: bytes) -> list[tuple[bytes, tuple[int, int], object]]:
    """What is seen of each frame or page, and for how long."""
    image, found = opened(data), []
    for number in range(getattr(image, "n_frames", 1)):
        image.seek(number)
        seen = image.convert("RGBA" if image.mode != "I;16" else "I;16")
        found.append((seen.tobytes(), image.size, image.info.get("duration")))
    return found


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_secret_stays_and_every_pixel_does(variant: str) -> None:
    source = made(VARIANTS[variant])
    assert TRACE in source

    kept = clean(source)

    assert TRACE not in kept
    # A second picture in a JPEG is another view of the first, or its brightness.
    assert frames(kept) == frames(source)[: len(frames(kept))]
    assert len(frames(kept)) == len(frames(source)) or variant == "second picture"
    assert not opened(kept).getexif().get_ifd(0x8825)
    assert clean(kept) == kept


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", makers.ORIENTED)
def test_the_orientation_stays_and_is_all_that_stays(form: str, orientation: int) -> None:
    kept = opened(clean(makers.ORIENTED[form](orientation)))

    assert kept.getexif().get(0x0112, 1) == orientation
    if form != "tif":  # its pixels are described by tags of the same kind
        assert set(kept.getexif()) <= {0x0112}


@pytest.mark.parametrize("form", ["jpg", "png", "webp", "tif", "avif"])
def test_the_colour_profile_stays(form: str) -> None:
    assert opened(clean(made(makers.STILLS[form]))).info["icc_profile"] == makers.profile()


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "AVIF"])
def test_an_animation_stays_one(form: str) -> None:
    moving = [noise(40, 30).rotate(90 * number) for number in range(4)]
    options = {"save_all": True, "append_images": moving[1:], "duration": [50, 60, 70, 80], "loop": 2}
    secrets = {"comment": makers.SECRET} if form == "GIF" else {"exif": exif(), "xmp": makers.XMP}
    source = encoded(moving[0], form, **options, **(secrets if form != "PNG" else {"exif": exif()}))
    assert TRACE in source

    kept = clean(source)

    assert TRACE not in kept
    assert len(frames(kept)) == 4
    assert frames(kept) == frames(source)
    assert opened(kept).info.get("loop") == opened(source).info.get("loop")


def test_a_jpeg_of_50_megapixels_is_cleaned_without_being_decoded() -> None:
    source = makers.jpeg(6, image=Image.new("L", (8_660, 5_780), 77))
    watch = Stopwatch()

    kept = clean(source)

    assert watch.quiet_seconds < 1
    assert true_type(source) == "jpg"
    assert TRACE not in kept
    assert (opened(kept).size, opened(kept).getexif()[0x0112]) == ((8_660, 5_780), 6)


def test_an_orientation_that_only_xmp_names_stays() -> None:
    xmp = b'<x:xmpmeta tiff:Orientation="8" secret="' + makers.SECRET + b'"/>'

    kept = clean(encoded(noise(), "JPEG", xmp=xmp))

    assert TRACE not in kept
    assert opened(kept).getexif()[0x0112] == 8


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("moov_first", [False, True])
@pytest.mark.parametrize("brand", [b"isom", b"mp42", b"qt  ", b"M4A ", b"M4V ", b"3gp5"])
def test_a_film_loses_position_and_camera_and_nothing_that_is_seen(
    brand: bytes, moov_first: bool, large: bool
) -> None:
    source = film(brand, moov_first=moov_first, large=large)
    place = source.index(PIXELS + SOUND)

    kept = clean(source)

    assert TRACE in source
    assert TRACE not in kept
    assert b"+51.4779" not in kept
    assert len(kept) == len(source)
    assert kept[place:].startswith(PIXELS + SOUND)
    assert kept.count(b"trak") == 2
    assert clean(kept) == kept


@pytest.mark.parametrize("moov_first", [False, True])
def test_what_a_camera_writes_between_the_samples_goes(moov_first: bool) -> None:
    source = film(moov_first=moov_first, between=makers.SECRET)
    place = source.index(PIXELS)

    kept = clean(source)

    assert TRACE in source
    assert TRACE not in kept
    assert kept[place:].startswith(PIXELS + bytes(len(makers.SECRET)) + SOUND)


def test_where_sizes_of_samples_are_said_once_for_a_sound_all_of_it_stays() -> None:
    sizes = struct.pack(">II", 0, 2)
    source = film(between=b"more of the sound").replace(sizes, struct.pack(">II", 1, len(SOUND)))
    place = source.index(PIXELS)

    assert clean(source)[place:].startswith(PIXELS + b"more of the sound" + SOUND)


def test_a_film_that_begins_as_before_the_standard_is_cleaned_too() -> None:
    source = film(b"qt  ", moov_first=True)[24 - 4 :]
    source = source[source.index(b"moov") - 4 :]
    assert true_type(source) == "mov"

    assert b"udta" not in clean(source)


BEGINNINGS = [
    b"\xff\xd8\xff",
    b"\xff\xd8\xff\xe0\0\x10JFIF\0",
    b"\x89PNG\r\n\x1a\n",
    b"GIF89a",
    b"II*\0",
    b"MM\0+",
    b"RIFF\x10\0\0\0WEBP",
    b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    b"\0\0\0\x18ftypavif\0\0\0\0mif1avif",
    b"\0\0\0\x18ftypisom\0\0\0\0isomisom",
]


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_what_begins_like_a_picture_and_cannot_be_read_is_refused(beginning: bytes) -> None:
    with pytest.raises(BadImage):
        clean(beginning + exif() + makers.SECRET)


@pytest.mark.parametrize(
    "data", [b"", b"%PDF-1.7\n", b"BM25 ranks texts", b"II", b"The moov", b"RIFF\0\0\0\0AVI ", exif()[:3]]
)
def test_what_is_nothing_of_that_stays_as_it_is(data: bytes) -> None:
    assert clean(data) == data


@pytest.mark.parametrize("form", makers.STILLS)
def test_the_content_says_what_a_picture_is(form: str) -> None:
    assert true_type(made(makers.STILLS[form]), "exe") == form


@pytest.mark.parametrize(
    ("data", "named", "kind"),
    [
        (film(), "jpg", "mp4"),
        (film(), "m4a", "m4a"),
        (film(b"qt  "), "", "mov"),
        (film(b"3gp4"), "", "3gp"),
        (film(b"M4A "), "bin", "m4a"),
        (encoded(noise(), "BMP"), "png", "bmp"),
        (b"PK\3\4...", "docx", "docx"),
        (b"PK\3\4...", "jpg", "zip"),
        (b"%PDF-1.7", "txt", "pdf"),
        (b"OggS", "opus", "opus"),
        (b"ID3\4", "", "mp3"),
        (b"\x1aE\xdf\xa3", "webm", "webm"),
        (b"RIFF\0\0\0\0WAVE", "", "wav"),
        (b"just words", "txt", ""),
    ],
)
def test_the_content_says_what_a_file_is(data: bytes, named: str, kind: str) -> None:
    assert true_type(data, named) == kind


# Whatever comes


SEEDS = [*VARIANTS.values(), film, partial(film, b"qt  ", moov_first=True, large=True)]


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    data = bytearray(made(draw(st.sampled_from(SEEDS))))
    for _ in range(draw(st.integers(1, 5))):
        # The structure is at the beginning and at the end.
        position = draw(st.integers(0, len(data) - 1) | st.integers(0, min(len(data) - 1, 600)))
        match draw(st.sampled_from(("set", "number", "cut", "end", "insert", "copy"))):
            case "set":
                data[position] = draw(st.sampled_from((0, 1, 0x7F, 0x80, 0xDA, 0xE1, 0xFE, 0xFF)))
            case "number":
                number = draw(st.sampled_from((0, 1, 7, 8, 0x7FFFFFFF, 0xFFFFFFFF, len(data))))
                data[position : position + 4] = struct.pack(">I", number)
            case "cut":
                del data[position : position + draw(st.integers(1, 40))]
            case "end":
                del data[position:]
            case "insert":
                data[position:position] = draw(st.binary(min_size=1, max_size=12))
            case _:
                data += data[position : position + draw(st.integers(1, 400))]
        data = data or bytearray(1)
    return bytes(data)


@settings(max_examples=examples(400), deadline=None, suppress_health_check=list(HealthCheck))
@given(mutations())
def test_hostile_bytes_raise_nothing_but_the_refusal(data: bytes) -> None:
    with suppress(BadImage):
        assert len(clean(data)) <= len(data) + 64


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", ["jpg", "png", "webp", "gif", "heic", "avif", "tif"])
@settings(max_examples=examples(25), deadline=None, suppress_health_check=list(HealthCheck))
@given(part=st.floats(0.05, 1))
def test_what_is_cut_shows_after_cleaning_what_it_showed_before(form: str, part: float) -> None:
    source = made(makers.STILLS[form])
    cut = source[: int(len(source) * part)]
    try:
        kept = clean(cut)
    except BadImage:
        return
    assert TRACE not in kept
    try:
        before = opened(cut).convert("RGBA").tobytes()
    except (OSError, ValueError, SyntaxError, RuntimeError, EOFError):
        return
    assert opened(kept).convert("RGBA").tobytes() == before


def jpeg_parts(data: bytes) -> list[bytes]:
    """The segments before the pixels, and the rest."""
    position, found = 2, []
    while data[position + 1] != 0xDA:
        end = position + 2 + int.from_bytes(data[position + 2 : position + 4])
        found.append(data[position:end])
        position = end
    return [*found, data[position:]]


@settings(max_examples=examples(50), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False), st.lists(st.binary(max_size=40), max_size=6))
def test_segments_of_a_jpeg_in_any_order(chance: object, bodies: list[bytes]) -> None:
    *segments, rest = jpeg_parts(makers.jpeg(3))
    segments += [makers.segment(0xE0 + len(body) % 16, body + makers.SECRET) for body in bodies]
    chance.shuffle(segments)  # type: ignore[attr-defined]
    source = b"\xff\xd8" + b"".join(segments) + rest

    kept = clean(source)

    assert TRACE not in kept
    assert opened(kept).convert("RGB").tobytes() == opened(source).convert("RGB").tobytes()


@settings(max_examples=examples(50), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.from_regex(rb"[a-z]{2}[A-Z][a-z]", fullmatch=True), st.binary(max_size=40))))
def test_chunks_of_a_png_with_any_names(chunks: list[tuple[bytes, bytes]]) -> None:
    source = makers.png(3)
    extra = b"".join(makers.png_chunk(name, body + makers.SECRET) for name, body in chunks)
    known = re.findall(rb"tRNS|gAMA|cHRM|sRGB|iCCP|bKGD|hIST|pHYs|sBIT|cICP|fcTL|fdAT|acTL|mDCV|cLLI", extra)
    if known:
        return

    kept = clean(source[:33] + extra + source[33:])

    assert kept == clean(source)


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8\xff" + b"\xff\xe1\0\2" * 1_000_000,
        b"\xff\xd8\xff" + b"\xff\x01" * 2_000_000,
        b"\x89PNG\r\n\x1a\n" + bytes(4_000_000),
        b"GIF89a" + bytes(7) + b"!\xfe\x01a" * 1_000_000,
        b"GIF89a" + bytes(7) + b"!\xfe" + b"\x01a" * 2_000_000,
        b"RIFF\xff\xff\xff\x7fWEBP" + b"ABCD\0\0\0\0" * 500_000,
        b"II*\0\x08\0\0\0" + b"\xff\xff" * 2_000_000,
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0\0\0\x08free" * 500_000,
        b"\0\0\0\x18ftypisom\0\0\0\0isomisom" + b"\0\0\0\x08moov" * 500_000,
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic\0\x3d\x09\0meta\0\0\0\0" + b"\0\0\0\x08iloc" * 500_000,
    ],
    ids=["segments", "markers", "chunks", "comments", "blocks", "riff", "entries", "free", "movies", "items"],
)
def test_endless_parts_cost_no_time(data: bytes) -> None:
    started = time.process_time()

    with suppress(BadImage):
        clean(data)

    assert time.process_time() - started < 6  # tests are traced; twice the bytes take twice as long, no more

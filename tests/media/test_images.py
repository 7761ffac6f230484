import base64
import io
import random
import re
import struct
import subprocess
import sys
import warnings
import zlib
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageCms, ImageDraw, ImageOps, ImageStat
from pillow_heif import register_heif_opener

from messenger_api.domain.cleaning.parts import Unreadable
from messenger_api.domain.errors import BadImage, TooLarge
from messenger_api.domain.images import MAX_SIDE, Picture, profile_photo
from messenger_api.domain.sizes import MAX_SCANS, MAX_SEGMENTS
from tests.examples import examples
from tests.stopwatch import Stopwatch

register_heif_opener()

MAX_PIXELS = 2_000_000
SECRET = b"51.4779N-secret"
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
COLOURS = {"A": RED, "B": GREEN, "C": BLUE, "D": WHITE}
Colour = tuple[int, ...]


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def photo(data: bytes, max_pixels: int = MAX_PIXELS) -> Picture:
    return profile_photo(data, max_pixels=max_pixels)


def is_near(found: object, wanted: Colour, slack: int = 12) -> bool:
    assert isinstance(found, tuple)
    return all(abs(a - b) <= slack for a, b in zip(found, wanted, strict=False))


def noise(width: int, height: int) -> Image.Image:
    return Image.frombytes("RGB", (width, height), random.Random(7).randbytes(width * height * 3))


def quadrants(letters: str, width: int = 64, height: int = 32) -> Image.Image:
    """A picture of four plain quarters, named from left to right and top to bottom."""
    image = Image.new("RGB", (width, height))
    for number, letter in enumerate(letters):
        left, top = number % 2 * width // 2, number // 2 * height // 2
        image.paste(COLOURS[letter], (left, top, left + width // 2, top + height // 2))
    return image


def corners(image: Image.Image) -> str:
    rgb = image.convert("RGB")
    width, height = rgb.size
    spots = [(x, y) for y in (height // 4, 3 * height // 4) for x in (width // 4, 3 * width // 4)]
    return "".join(
        next(name for name, colour in COLOURS.items() if is_near(rgb.getpixel(spot), colour, 30))
        for spot in spots
    )


def exif(orientation: int = 1) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x010E] = SECRET.decode()
    tags.get_ifd(0x8825)[1] = "N"
    tags.get_ifd(0x8825)[2] = (51.0, 28.0, 40.0)
    return tags


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_of_size(width: int, height: int) -> bytes:
    """A PNG whose header is right and whose pixels are rubbish."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", b"rubbish") + png_chunk(b"IEND", b"")


def jpeg_segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def after_start(jpeg: bytes, *segments: bytes) -> bytes:
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def moving_square(mode: str = "RGB", count: int = 6) -> list[Image.Image]:
    ground = (10, 20, 30) if mode == "RGB" else (0, 0, 0, 0)
    images = [Image.new(mode, (60, 40), ground) for _ in range(count)]
    for number, image in enumerate(images):
        colour = (255, number * 30 % 256, 0, 255)[: len(mode)]
        ImageDraw.Draw(image).rectangle((number * 8 % 50, 5, number * 8 % 50 + 10, 20), fill=colour)
    return images


def animated(form: str, images: list[Image.Image], **options: object) -> bytes:
    return encoded(images[0], form, save_all=True, append_images=images[1:], **options)


GIF = animated("GIF", moving_square(), duration=[50, 60, 70, 80, 90, 100], loop=0, comment=SECRET)
WEBP = animated("WEBP", moving_square(), duration=[50, 60, 70, 80, 90, 100], loop=2, exif=exif(), xmp=SECRET)
STILLS = {form: encoded(quadrants("ABCD"), form) for form in ("JPEG", "PNG", "WEBP", "GIF")}

# How the picture "ABCD" is to be shown, by its orientation (EXIF 2.32, table 6: where its first row and
# first column belong).
SHOWN = {1: "ABCD", 2: "BADC", 3: "DCBA", 4: "CDAB", 5: "ACBD", 6: "CADB", 7: "DBCA", 8: "BDAC"}


@pytest.mark.parametrize("orientation", SHOWN)
def test_a_profile_photo_is_turned_upright(orientation: int) -> None:
    data = encoded(quadrants("ABCD"), "JPEG", quality=95, exif=exif(orientation))

    upright = opened(photo(data).data)

    assert corners(upright) == SHOWN[orientation]
    assert upright.size == ((64, 32) if orientation < 5 else (32, 64))


def test_the_first_row_of_orientation_6_is_the_right_side() -> None:
    # Stored: red on top, blue below. The top row belongs to the right, so red ends up there.
    image = Image.new("RGB", (40, 40), BLUE)
    image.paste(RED, (0, 0, 40, 20))

    upright = opened(photo(encoded(image, "JPEG", quality=95, exif=exif(6))).data)

    assert is_near(upright.getpixel((35, 20)), RED)
    assert is_near(upright.getpixel((5, 20)), BLUE)


def jpeg_with_everything() -> bytes:
    plain = encoded(
        quadrants("ABCD"),
        "JPEG",
        exif=exif(),
        comment=SECRET,
        xmp=b"<x:xmpmeta>" + SECRET + b"</x:xmpmeta>",
        icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() + SECRET,
    )
    return after_start(plain, jpeg_segment(0xED, b"Photoshop 3.0\0" + SECRET)) + SECRET


@pytest.mark.parametrize("source", [GIF, WEBP], ids=["gif", "webp"])
def test_a_profile_photo_of_an_animation_is_its_first_frame(source: bytes) -> None:
    picture = photo(source)

    kept = opened(picture.data)
    assert (picture.extension, getattr(kept, "n_frames", 1)) == ("jpg", 1)
    assert is_near(kept.getpixel((5, 10)), RED, 40)


@pytest.mark.server
def test_a_frame_that_claims_a_huge_canvas_costs_no_memory() -> None:
    second = [found.start() for found in re.finditer(rb"\x00\x2c....", GIF)][1] + 6
    huge = GIF[:second] + struct.pack("<HH", 9_000, 9_000) + GIF[second + 4 :]
    program = (
        "import re, sys; from messenger_api.domain.images import profile_photo;"
        "data = sys.stdin.buffer.read();"
        "peak = lambda: int(re.search(r'VmHWM:\\s*(\\d+) kB', open('/proc/self/status').read())[1]);"
        "before = peak(); len(profile_photo(data, max_pixels=10**6).data); print(peak() - before)"
    )

    done = subprocess.run([sys.executable, "-c", program], input=huge, capture_output=True, check=True)

    assert int(done.stdout) < 50_000


@pytest.mark.parametrize(("width", "height"), [(50_000, 50_000), (2_001, 1_000), (2_000_001, 1)])
def test_a_bomb_is_refused_by_its_header(width: int, height: int) -> None:
    # The pixels cannot be decoded: BadImage would mean that somebody tried.
    with pytest.raises(TooLarge) as refusal:
        photo(png_of_size(width, height))

    assert refusal.value.values == {"limit": "2 megapixels"}


@pytest.mark.filterwarnings("ignore")
def test_a_bomb_is_refused_also_where_warnings_are_switched_off() -> None:
    photo(STILLS["PNG"])  # whatever is set up once has been set up
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(TooLarge):
            photo(png_of_size(2_001, 1_000))


def test_a_picture_of_exactly_the_limit_is_taken() -> None:
    data = encoded(Image.new("RGB", (200, 100)), "PNG")

    assert photo(data, max_pixels=20_000).extension == "jpg"
    with pytest.raises(TooLarge):
        photo(data, max_pixels=19_999)


def test_a_webp_bomb_is_refused_by_its_header() -> None:
    source = bytearray(WEBP)
    assert source[12:16] == b"VP8X"
    source[24:30] = (16_000).to_bytes(3, "little") * 2

    with pytest.raises(TooLarge):
        photo(bytes(source))


def test_a_jpeg_of_endless_scans_is_refused_in_no_time() -> None:
    jpeg = encoded(Image.new("L", (1_400, 1_400)), "JPEG", progressive=True)
    scan = jpeg[jpeg.rindex(b"\xff\xda") : -2]
    watch = Stopwatch()

    with pytest.raises(BadImage):
        photo(jpeg[:-2] + scan * MAX_SCANS + jpeg[-2:])

    assert watch.quiet_seconds < 1
    assert photo(jpeg[:-2] + scan * (MAX_SCANS // 2) + jpeg[-2:]).extension == "jpg"


# Markers that have no length: what follows must not be taken for one, or 64 kB could hide behind each.
@pytest.mark.parametrize("cover", [b"", b"\xff\xd9", b"\xff\xd8", b"\xff\xf0", b"\xff\xc8", b"\xff\x01"])
def test_a_jpeg_of_endless_segments_is_refused_in_no_time(cover: bytes) -> None:
    segments = cover + jpeg_segment(0xE1, b"Exif\0\0ab") * 5_460
    watch = Stopwatch()

    with pytest.raises(BadImage) as refusal:
        photo(after_start(STILLS["JPEG"], segments * 40))

    assert isinstance(refusal.value.__cause__, Unreadable)  # it did not even reach the decoder
    assert watch.quiet_seconds < 1


def test_a_jpeg_of_many_segments_and_a_tail_is_a_photo() -> None:
    many = [jpeg_segment(0xE2, bytes(500)) for _ in range(MAX_SEGMENTS // 2)]
    tail = b"\xff\xda" * (MAX_SCANS + 1)  # such as the film behind a "motion photo"

    assert photo(after_start(STILLS["JPEG"], *many) + tail).extension == "jpg"


def test_a_png_of_endless_chunks_costs_no_time() -> None:
    profile = png_chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(1_000_000)))
    source = STILLS["PNG"]
    watch = Stopwatch()

    assert photo(source[:33] + profile * 5_000 + source[33:]).extension == "jpg"

    assert watch.quiet_seconds < 1


def test_the_thumbnail_is_a_jpeg_of_100_by_100_from_the_centre() -> None:
    image = Image.new("RGB", (900, 300), GREEN)
    image.paste(RED, (0, 0, 295, 300))
    image.paste(BLUE, (605, 0, 900, 300))

    thumbnail = opened(base64.b64decode(photo(encoded(image, "JPEG", quality=95)).thumbnail, validate=True))

    assert (thumbnail.format, thumbnail.size, thumbnail.mode) == ("JPEG", (100, 100), "RGB")
    for spot in ((6, 50), (50, 2), (50, 97), (93, 50)):
        assert is_near(thumbnail.getpixel(spot), GREEN, 30)


@pytest.mark.parametrize("size", [(100, 100), (1_000, 1_000), (3, 3), (1, 1_500)])
def test_a_thumbnail_fits_a_request_to_mesibo(size: tuple[int, int]) -> None:
    thumbnail = photo(encoded(noise(*size), "PNG")).thumbnail

    assert len(thumbnail) <= 3_000
    assert opened(base64.b64decode(thumbnail)).size == (100, 100)


def lines(width: int, height: int) -> Image.Image:
    """Thin and thick lines: what is lost first when a picture is made smaller."""
    chance, image = random.Random(3), Image.new("RGB", (width, height), WHITE)
    draw = ImageDraw.Draw(image)
    for _ in range(60):
        ends = [chance.randrange(side) for side in (width, height, width, height)]
        draw.line(ends, fill=tuple(chance.randbytes(3)), width=chance.randrange(1, 9))
    return image


def difference(one: Image.Image, other: Image.Image) -> float:
    """The mean of the squares of what pixels differ by."""
    found = ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB")))
    return sum(found.sum2) / sum(found.count)


def thumbnail_without_haste(image: Image.Image) -> tuple[Image.Image, Image.Image]:
    """What a thumbnail should show, by the best filter alone, and that at the best quality that fits."""
    wanted = ImageOps.fit(image, (100, 100), Image.Resampling.LANCZOS)
    coded = (encoded(wanted, "JPEG", quality=quality, optimize=True) for quality in range(80, 0, -10))
    return wanted, opened(next(data for data in coded if len(base64.b64encode(data)) <= 3_000))


@pytest.mark.parametrize("size", [(100, 100), (250, 333), (640, 640), (1_280, 400), (960, 1_280)])
@pytest.mark.parametrize("kind", [lines, noise])
def test_a_thumbnail_is_as_good_as_what_it_travels_in_allows(
    kind: Callable[[int, int], Image.Image], size: tuple[int, int]
) -> None:
    image = kind(*size)
    wanted, best = thumbnail_without_haste(image)

    thumbnail = opened(base64.b64decode(photo(encoded(image, "PNG")).thumbnail))

    # 8 % are a third of a decibel.
    assert difference(thumbnail, wanted) <= 1.08 * difference(best, wanted)


def test_a_photo_is_coded_at_quality_85() -> None:
    image = lines(700, 500)

    kept = opened(photo(encoded(image, "PNG")).data)

    assert difference(kept, opened(encoded(image, "JPEG", quality=85))) == 0


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    ("size", "wanted"), [((1_500, 600), (1_280, 512)), ((600, 1_500), (512, 1_280)), ((300, 50), (300, 50))]
)
def test_a_profile_photo_is_made_smaller_never_larger(
    form: str, size: tuple[int, int], wanted: tuple[int, int]
) -> None:
    assert opened(photo(encoded(quadrants("ABCD", *size), form)).data).size == wanted


def test_a_large_jpeg_keeps_its_whole_view() -> None:
    picture = photo(encoded(quadrants("ABCD", 6_000, 4_000), "JPEG"), max_pixels=32_000_000)

    kept = opened(picture.data)
    assert (kept.size, corners(kept)) == ((1_280, 853), "ABCD")


def palette_with_hole() -> Image.Image:
    image = quadrants("ABCD").quantize(8)
    image.info["transparency"] = image.getpixel((2, 2))
    return image


def half_seen(mode: str) -> Image.Image:
    image = quadrants("ABCD").convert(mode)
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


@pytest.mark.parametrize(
    ("data", "extension"),
    [
        (encoded(quadrants("ABCD").convert("CMYK"), "JPEG"), "jpg"),
        (encoded(quadrants("ABCD").convert("L"), "JPEG"), "jpg"),
        (encoded(quadrants("ABCD").convert("1"), "PNG"), "jpg"),
        (encoded(quadrants("ABCD").quantize(8), "PNG"), "jpg"),
        (encoded(quadrants("ABCD").convert("RGBA"), "PNG"), "jpg"),
        (encoded(Image.new("I;16", (64, 32)), "PNG"), "jpg"),
        (encoded(Image.new("I;16", (64, 32)), "PNG", transparency=0), "jpg"),
        (encoded(palette_with_hole(), "PNG"), "png"),
        (encoded(palette_with_hole(), "GIF"), "png"),
        (encoded(quadrants("ABCD"), "PNG", transparency=RED), "png"),
        (encoded(half_seen("LA"), "PNG"), "png"),
        (encoded(half_seen("RGBA"), "PNG"), "png"),
        (encoded(half_seen("RGBA"), "WEBP"), "png"),
    ],
    ids=[
        "cmyk",
        "grey",
        "bit",
        "palette",
        "opaque",
        "16bit",
        "key16",
        "hole",
        "gif",
        "key",
        "la",
        "rgba",
        "webp",
    ],
)
def test_every_kind_of_picture_is_taken_and_only_transparent_ones_are_png(
    data: bytes, extension: str
) -> None:
    picture = photo(data)

    kept = opened(picture.data)
    kept.load()
    assert picture.extension == extension
    assert kept.mode == {"jpg": "RGB", "png": "RGBA"}[extension]


def test_16_bit_grey_keeps_its_tones() -> None:
    image = Image.new("I;16", (64, 64), 0x8000)

    assert is_near(opened(photo(encoded(image, "PNG")).data).getpixel((5, 5)), (128, 128, 128), 2)


def test_a_transparent_photo_has_a_white_ground_in_its_thumbnail() -> None:
    thumbnail = photo(encoded(Image.new("RGBA", (50, 50), (0, 0, 0, 0)), "PNG")).thumbnail

    assert is_near(opened(base64.b64decode(thumbnail)).getpixel((50, 50)), WHITE)


def red_and_green_exchanged() -> bytes:
    """A profile in which the channel called red stands for green."""
    plain = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return plain.replace(b"rXYZ", b"????", 1).replace(b"gXYZ", b"rXYZ", 1).replace(b"????", b"gXYZ", 1)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_colour_profile_is_applied_and_dropped(form: str) -> None:
    data = encoded(Image.new("RGB", (50, 50), RED), form, icc_profile=red_and_green_exchanged())

    kept = opened(photo(data).data)
    assert is_near(kept.convert("RGB").getpixel((25, 25)), GREEN, 40)
    assert "icc_profile" not in kept.info


@pytest.mark.parametrize(
    "profile",
    [b"rubbish", red_and_green_exchanged()[:200], red_and_green_exchanged() + bytes(9_000)],
    ids=["rubbish", "cut", "large"],
)
def test_a_broken_or_large_colour_profile_is_dropped_unused(profile: bytes) -> None:
    data = encoded(Image.new("RGB", (50, 50), RED), "JPEG", icc_profile=profile)

    assert is_near(opened(photo(data).data).getpixel((25, 25)), RED)


@pytest.mark.parametrize("options", [{}, {"progressive": True}], ids=["baseline", "progressive"])
@pytest.mark.parametrize("missing", [1, 2, 200, 2_000])
def test_a_jpeg_without_its_last_bytes_is_read_as_far_as_it_goes(
    missing: int, options: dict[str, bool]
) -> None:
    image = noise(300, 300)
    image.paste(quadrants("ABCD", 300, 200), (0, 0))
    whole = encoded(image, "JPEG", quality=95, **options)

    kept = opened(photo(whole[:-missing]).data).crop((0, 0, 300, 200))
    assert corners(kept) == "ABCD"


@pytest.mark.parametrize("length", [2, 10, 40, 200])
def test_a_jpeg_that_ends_before_its_pixels_is_refused(length: int) -> None:
    with pytest.raises(BadImage):
        photo(STILLS["JPEG"][:length])


@pytest.mark.parametrize("form", ["HEIF", "AVIF"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_what_new_phones_make_is_a_photo_and_upright(form: str, orientation: int) -> None:
    source = encoded(quadrants("ABCD", 400, 200), form, quality=90, exif=exif(orientation).tobytes())

    picture = photo(source)

    kept = opened(picture.data)
    assert (picture.extension, corners(kept)) == ("jpg", SHOWN[orientation])
    assert SECRET not in picture.data


def test_a_heic_of_tiles_is_a_photo() -> None:
    source = encoded(quadrants("ABCD", 1_500, 1_100), "HEIF", tile_size=512)

    kept = opened(photo(source, max_pixels=3_000_000).data)

    assert (kept.size, corners(kept)) == ((1_280, 939), "ABCD")


@pytest.mark.parametrize("form", ["HEIF", "AVIF"])
def test_a_transparent_heic_or_avif_stays_transparent(form: str) -> None:
    assert photo(encoded(half_seen("RGBA"), form)).extension == "png"


@pytest.mark.parametrize("form", ["HEIF", "AVIF"])
def test_what_lies_about_its_size_costs_no_memory(form: str) -> None:
    honest = encoded(Image.new("RGB", (1_600, 1_600)), form)
    places = [found.end() + 4 for found in re.finditer(b"ispe", honest)]
    assert places
    lying = honest
    for place in places:
        lying = lying[:place] + struct.pack(">II", 100, 100) + lying[place + 8 :]

    with pytest.raises((BadImage, TooLarge)):
        photo(lying)


@pytest.mark.parametrize("size", [(1, MAX_SIDE + 1), (MAX_SIDE + 1, 1), (30_000, 1_000), (1, 32_000_000)])
def test_a_side_that_is_too_long_is_refused_by_the_header(size: tuple[int, int]) -> None:
    with pytest.raises(TooLarge) as refusal:
        photo(png_of_size(*size), max_pixels=120_000_000)

    assert refusal.value.values == {"limit": "20000 pixels"}


def test_a_picture_that_would_take_too_much_memory_is_refused_by_its_header() -> None:
    with pytest.raises(TooLarge) as refusal:
        photo(png_of_size(8_000, 6_000), max_pixels=120_000_000)

    assert "megapixels" in str(refusal.value.values["limit"])


@pytest.mark.parametrize("form", ["PNG", "WEBP", "GIF", "AVIF", "HEIF"])
def test_a_truncated_picture_is_refused(form: str) -> None:
    whole = encoded(noise(64, 64), form)

    for length in (10, 40, len(whole) // 2, len(whole) - 200):
        with pytest.raises(BadImage):
            photo(whole[:length])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a",
        b"\xff\xd8\xff",
        b"%PDF-1.7\n",
        b"<?php system($_GET['c']);",
        b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>',
        *(encoded(Image.new("RGB", (32, 32)), form) for form in ("BMP", "TIFF", "ICO", "PPM")),
    ],
    ids=["empty", "gif", "jpeg", "pdf", "php", "svg", "bmp", "tiff", "ico", "ppm"],
)
def test_what_is_none_of_the_six_formats_is_no_picture(data: bytes) -> None:
    with pytest.raises(BadImage):
        photo(data)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "tags",
    [
        b"rubbish",
        b"II*\0\x08\0\0\0\xff\xff",
        b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x05\0\0\0\x01\0\0\xff\xff",
        b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x02\0\0\0\x02x\0\0\0\0\0\0\0",
    ],
    ids=["rubbish", "endless", "outside", "a word"],
)
def test_a_photo_with_broken_exif_is_a_photo_all_the_same(tags: bytes) -> None:
    data = after_start(STILLS["JPEG"], jpeg_segment(0xE1, b"Exif\0\0" + tags))

    assert corners(opened(photo(data).data)) == "ABCD"


@pytest.mark.server
def test_a_hostile_file_cannot_flood_the_log() -> None:
    entries = b"".join(struct.pack("<HHII", 0x9000 + n, 1, 60_000, 8) for n in range(2_000))
    tags = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 2_000) + entries + bytes(30_000)
    data = after_start(STILLS["JPEG"], jpeg_segment(0xE1, tags))
    program = (
        "import sys; from messenger_api.domain.images import profile_photo;"
        "profile_photo(sys.stdin.buffer.read(), max_pixels=10**6)"
    )

    done = subprocess.run([sys.executable, "-c", program], input=data, capture_output=True, check=True)

    assert done.stderr == b""


SEEDS = [*STILLS.values(), GIF, WEBP, jpeg_with_everything(), encoded(palette_with_hole(), "PNG")]


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 6))):
        position = draw(st.integers(0, len(data) - 1))
        match draw(st.sampled_from(("set", "cut", "insert", "copy"))):
            case "set":
                data[position] = draw(st.sampled_from((0, 1, 0x7F, 0x80, 0xDA, 0xFE, 0xFF)))
            case "cut":
                del data[position : position + draw(st.integers(1, 40))]
            case "insert":
                data[position:position] = draw(st.binary(min_size=1, max_size=12))
            case _:
                data += data[position : position + draw(st.integers(1, 400))]
        data = data or bytearray(1)
    return bytes(data)


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=examples(250), deadline=None, suppress_health_check=list(HealthCheck))
@given(mutations())
def test_hostile_bytes_raise_nothing_but_the_two_refusals(data: bytes) -> None:
    with suppress(BadImage, TooLarge):
        opened(photo(data, max_pixels=20_000).data).load()

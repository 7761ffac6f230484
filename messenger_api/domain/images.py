"""Profile photos: what somebody uploads, made small, safe and alike.

The content decides, never the name or the header of an upload. Pictures are cleaned first, so that a
decoder sees nothing but pixels, colours and orientation; then decoded, turned upright and encoded anew.

Colour profiles are applied when they are small, then dropped like all metadata: without that the photos
of phones with a wide gamut would look dull. Larger profiles are tables for printing; they cost much time
and open a wider door to hostile bytes, and are dropped unused.

How much memory a decoder takes is known before it starts. How many run at once is the caller's affair.
"""

from __future__ import annotations

import base64
import ctypes
import io
import warnings
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache

from PIL import ExifTags, Image, ImageCms, ImageFile
from pillow_heif import open_heif

from messenger_api.domain import sizes
from messenger_api.domain.cleaning import cleaned, layers, webp
from messenger_api.domain.errors import ApiError, BadImage, TooLarge
from messenger_api.domain.filetypes import true_type

PHOTO_SIDE = 1280
THUMBNAIL_SIDE = 100
# A thumbnail travels in base64 inside requests to mesibo that hold 8,192 bytes.
THUMBNAIL_CHARACTERS = 3_000
THUMBNAIL_QUALITIES = range(10, 90, 10)
# How many times as large as the thumbnail a photo stays when whole pixels of it are averaged, before the
# filter, which takes its time from all that it is given. What differs is less than the thumbnail's coding.
REDUCING_GAP = 1.2
QUALITY = 85

# Panoramas of phones are some 16,000 pixels wide.
MAX_SIDE = 20_000
# What all pictures that a process decodes at once may take, in bytes; a larger one is refused.
MOST_MEMORY = 150 * 1024 * 1024
# The matrix profiles that phones, cameras and screens write take 0.5 to 4 kB.
MAX_PROFILE_BYTES = 8 * 1024
# Rows of a picture that are converted at once, times the factor by which it is made smaller.
BAND = 64

# mallopt(3): M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX.
_MALLOC = ((-1, 1024 * 1024), (-3, 256 * 1024), (-8, 2))

# Pillow's names of what it may decode, by file extension. HEIC has a library of its own.
DECODERS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF", "avif": "AVIF"}
HEIC = "heic"

# Orientation in EXIF 2.32, table 6, and the turn that sets the picture upright.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Picture:
    """A profile photo, ready to be kept.

    `extension` is "jpg", or "png" when the photo has transparency; `thumbnail` is the base64 of a JPEG
    of 100 x 100 pixels, as the apps expect it in `tn`.
    """

    data: bytes
    extension: str
    thumbnail: str


@dataclass(frozen=True)
class Undecoded:
    """A picture whose header was accepted and whose pixels were not touched yet.

    `memory`: the bytes that `picture` takes at most while it works.
    """

    data: bytes
    kind: str
    max_pixels: int
    memory: int

    def picture(self) -> Picture:
        """Decode it: one upright frame in sRGB, its longest side at most 1,280 pixels.

        Raises:
            BadImage: it is damaged.
            TooLarge: it has more pixels than its header said.
        """
        with _hostile_bytes(self.max_pixels):
            small, profile = _small_heic(self.data) if self.kind == HEIC else self._small()
            photo = _srgb(small, profile)
            thumbnail = _thumbnail(photo)
            if _is_transparent(photo):
                return Picture(_encoded(photo, "PNG"), "png", thumbnail)
            return Picture(_encoded(_opaque(photo), "JPEG", quality=QUALITY), "jpg", thumbnail)

    def _small(self) -> tuple[Image.Image, object]:
        """The picture upright and no larger than a photo, and its colour profile."""
        image = _opened(self.data, self.kind)
        if self.kind == "jpg":
            scale = sizes.jpeg_scale(image.width, image.height, PHOTO_SIDE)
            image.draft(None, (max(1, image.width // scale), max(1, image.height // scale)))
        image.load()
        profile, turn = image.info.get("icc_profile"), TURNS.get(_orientation(image))
        small = _shrunk(image)
        return small if turn is None else small.transpose(turn), profile


def profile_photo(data: bytes, *, max_pixels: int) -> Picture:
    """The photo of a user or group, as `undecoded` and `Undecoded.picture` make it."""
    return undecoded(data, max_pixels=max_pixels).picture()


def undecoded(data: bytes, *, max_pixels: int) -> Undecoded:
    """Clean a picture and read its header.

    Raises:
        BadImage: not one of the six formats that are read, or damaged.
        TooLarge: more pixels than `max_pixels`, too long a side, or it would take too much memory.
    """
    kind = true_type(data)
    if kind != HEIC and kind not in DECODERS:
        raise BadImage
    with _hostile_bytes(max_pixels):
        data = cleaned(data, kind)
        _make_pillow_strict()
        _give_memory_back()
        # Pillow holds further frames and tiles to this limit while it decodes. It is one for the process,
        # and so is the setting that it comes from.
        Image.MAX_IMAGE_PIXELS = max_pixels
        size, heic = _header(data, kind)
        pixels = sizes.pixels(data, kind, size, max_pixels)
        if pixels > max_pixels:
            raise _too_many_pixels(max_pixels)
        if max(size) > MAX_SIDE:
            raise TooLarge(limit=f"{MAX_SIDE} pixels")
        memory = sizes.memory(data, kind, size, pixels, side=PHOTO_SIDE, heic=heic)
        if memory > MOST_MEMORY:
            raise _too_many_pixels(pixels * MOST_MEMORY // memory)
    return Undecoded(data, kind, max_pixels, memory)


@contextmanager
def _hostile_bytes(max_pixels: int) -> Iterator[None]:
    """Decoders answer hostile bytes with whatever exception they stumble into; two are let out."""
    try:
        yield
    except ApiError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels(max_pixels) from error
    except Exception as error:
        raise BadImage from error


def _too_many_pixels(most: int) -> TooLarge:
    return TooLarge(limit=f"{most / 1_000_000:.3g} megapixels")


def _header(data: bytes, kind: str) -> tuple[tuple[int, int], sizes.Heic | None]:
    """Width and height in pixels, as the header declares them; of a HEIC also how it is coded."""
    if kind == "webp":
        # Its decoder begins by taking memory for them.
        return webp.size(data), None
    if kind == HEIC:
        file = open_heif(io.BytesIO(data))
        coded = layers.how_coded(data)
        return file.size, sizes.Heic(file.has_alpha, coded.bits, coded.colours)
    return _opened(data, kind).size, None


def _opened(data: bytes, kind: str) -> ImageFile.ImageFile:
    return Image.open(io.BytesIO(data), formats=(DECODERS[kind],))


@cache
def _give_memory_back() -> None:
    """Let the C library return large blocks to the system as soon as they are free, once for the process.

    glibc otherwise learns from the first large picture to keep blocks of its size, for each thread: after
    some pictures a process would hold three times what it needs. Other C libraries know no such function.
    """
    with suppress(AttributeError, OSError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        for name, value in _MALLOC:
            mallopt(name, value)


@cache
def _make_pillow_strict() -> None:
    """Make Pillow's warning about bombs an error and silence its others, once for the process.

    A file can provoke thousands of the others, each a line in the operator's log.
    """
    warnings.filterwarnings("ignore", module=r"PIL\.")
    warnings.simplefilter("error", Image.DecompressionBombWarning)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # noqa: BLE001 - a photo with broken EXIF is a photo all the same
        return 1


def _shrunk(image: Image.Image) -> Image.Image:
    """`image` no larger than a photo, in a mode that colours can be converted in."""
    if image.mode in ("L", "RGB", "CMYK") and not image.has_transparency_data:
        image.thumbnail((PHOTO_SIDE, PHOTO_SIDE), Image.Resampling.LANCZOS)
        return _continuous(image)
    return _by_bands(image.size, lambda top, bottom: image.crop((0, top, image.width, bottom)))


def _by_bands(size: tuple[int, int], band: Callable[[int, int], Image.Image]) -> Image.Image:
    """A picture that is converted and made smaller a few rows at a time: its whole is never there twice."""
    width, height = size
    factor = max(1, max(size) // PHOTO_SIDE)
    small: Image.Image | None = None
    for top in range(0, height, BAND * factor):
        rows = _continuous(band(top, min(top + BAND * factor, height))).reduce(factor)
        small = small or Image.new(rows.mode, (-(-width // factor), -(-height // factor)))
        small.paste(rows, (0, top // factor))
    if small is None:
        raise BadImage
    small.thumbnail((PHOTO_SIDE, PHOTO_SIDE), Image.Resampling.LANCZOS)
    return small


def _small_heic(data: bytes) -> tuple[Image.Image, object]:
    """The first picture of a HEIC, upright as its library makes it, and its colour profile."""
    file = open_heif(io.BytesIO(data), remove_stride=False)
    image = file[file.primary_index]
    pixels, stride, mode = memoryview(image.data), image.stride, image.mode

    def band(top: int, bottom: int) -> Image.Image:
        rows = pixels[top * stride : bottom * stride]
        return Image.frombytes(mode, (image.size[0], bottom - top), rows, "raw", mode, stride)

    return _by_bands(image.size, band), image.info.get("icc_profile")


def _continuous(image: Image.Image) -> Image.Image:
    """`image` in a mode that can be resized: RGB, RGBA or CMYK."""
    if image.mode.startswith("I;16"):
        # Pillow's own conversion would cut every value above 255 down to white.
        image = image.point(lambda value: value / 256).convert("L")
        image.info = {}
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image if image.mode == "CMYK" else _opaque(image)


def _opaque(image: Image.Image) -> Image.Image:
    # Pillow copies an image also where there is nothing to convert.
    return image if image.mode == "RGB" else image.convert("RGB")


def _srgb(image: Image.Image, profile: object) -> Image.Image:
    """`image` as RGB or RGBA in the colours of the web, without any metadata."""
    if isinstance(profile, bytes) and len(profile) <= MAX_PROFILE_BYTES and image.mode != "CMYK":
        image = _converted(image, profile)
    if image.mode == "CMYK":
        image = image.convert("RGB")
    image.info = {}
    return image


def _converted(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, source, target, outputMode=image.mode) or image
    except Exception:  # noqa: BLE001 - nor does a broken colour profile spoil a photo
        return image


def _is_transparent(image: Image.Image) -> bool:
    return image.has_transparency_data and image.convert("RGBA").getchannel("A").getextrema()[0] != 255


def _thumbnail(photo: Image.Image) -> str:
    """The centre of `photo` as base64 of a small JPEG, as good as the limit of characters allows."""
    side = min(photo.size)
    left, top = (photo.width - side) / 2, (photo.height - side) / 2
    square = photo.resize(
        (THUMBNAIL_SIDE, THUMBNAIL_SIDE),
        Image.Resampling.LANCZOS,
        (left, top, left + side, top + side),
        REDUCING_GAP,
    )
    if square.mode == "RGBA":
        square = Image.alpha_composite(Image.new("RGBA", square.size, "white"), square)
    square = _opaque(square)

    @cache
    def text(quality: int) -> str:
        return base64.b64encode(_encoded(square, "JPEG", quality=quality, optimize=True)).decode()

    fitting = bisect_right(THUMBNAIL_QUALITIES, THUMBNAIL_CHARACTERS, key=lambda quality: len(text(quality)))
    return text(THUMBNAIL_QUALITIES[max(0, fitting - 1)])


def _encoded(image: Image.Image, form: str, **options: object) -> bytes:
    # For PNG half the time of the usual level 6, at a sixth more bytes.
    options |= {"compress_level": 3} if form == "PNG" else {}
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()

"""Pictures: what an upload really is, made safe to keep and to show.

The content decides, never the name or the header of an upload. JPEG, PNG, WebP and GIF are decoded,
turned upright by their EXIF orientation and encoded anew, so that nothing of the original bytes is
kept: no place, no comment, no thumbnail of the uncropped photo, no second file hidden behind the first.

Colour profiles are applied when they are small, then dropped like all metadata: without that the photos
of phones with a wide gamut would look dull. Larger profiles are tables for printing; they cost much time
and open a wider door to hostile bytes, and are dropped unused.
"""

from __future__ import annotations

import base64
import io
import re
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from PIL import ExifTags, Image, ImageCms, ImageFile, ImageOps

from messenger_api.domain.errors import ApiError, BadImage, TooLarge

PHOTO_SIDE = 1280
THUMBNAIL_SIDE = 100
# A thumbnail travels in base64 inside requests to mesibo that hold 8,192 bytes.
THUMBNAIL_CHARACTERS = 3_000
QUALITY = 85

# Bounds that no honest file meets. The first two keep a small JPEG from costing minutes: Pillow joins EXIF
# segments in quadratic time, and every scan of a progressive JPEG visits all pixels (libjpeg's own
# encoder writes 10).
MAX_SEGMENTS = 1_000
MAX_SCANS = 64
MAX_FRAMES = 1_000
MAX_ANIMATION_SECONDS = 5.0
# The matrix profiles that phones, cameras and screens write take 0.5 to 4 kB.
MAX_PROFILE_BYTES = 8 * 1024

# Pillow's names of what it may decode. MPO is a JPEG that carries further pictures behind the first.
DECODERS = ("JPEG", "PNG", "WEBP", "GIF")
EXTENSIONS = {"JPEG": "jpg", "MPO": "jpg", "PNG": "png", "WEBP": "webp", "GIF": "gif"}

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

# A JPEG marker: neither a stuffed byte, nor a restart inside a scan, nor padding.
_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
# Markers that no length follows for Pillow or libjpeg: TEM, JPG, SOI, EOI, JPG0 to JPG13.
_BARE_MARKERS = frozenset((0x01, 0xC8, 0xD8, _END_OF_IMAGE, *range(0xF0, 0xFE)))
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# The chunks that an honest PNG, animated or not, has thousands of.
_PNG_PIXELS = frozenset((b"IDAT", b"fdAT", b"fcTL"))


@dataclass(frozen=True)
class Picture:
    """A profile photo, ready to be kept.

    `extension` is "jpg", or "png" when the photo has transparency; `thumbnail` is the base64 of a JPEG
    of 100 x 100 pixels, as the apps expect it in `tn`.
    """

    data: bytes
    extension: str
    thumbnail: str


def profile_photo(data: bytes, *, max_pixels: int) -> Picture:
    """The photo of a user or group: one upright frame in sRGB, its longest side at most 1,280 pixels.

    Raises:
        BadImage: not one of the four formats, or damaged.
        TooLarge: more pixels than `max_pixels`.
    """
    with _hostile_bytes(max_pixels):
        image = _opened(data, max_pixels)
        image.draft(None, (PHOTO_SIDE, PHOTO_SIDE))
        profile = image.info.get("icc_profile")
        pixels = _continuous(_upright(image))
        pixels.thumbnail((PHOTO_SIDE, PHOTO_SIDE), Image.Resampling.LANCZOS)
        photo = _srgb(pixels, profile)
        thumbnail = _thumbnail(photo)
        if _is_transparent(photo):
            return Picture(_encoded(photo, "PNG"), "png", thumbnail)
        return Picture(_encoded(photo.convert("RGB"), "JPEG", quality=QUALITY), "jpg", thumbnail)


def shared_picture(data: bytes, *, max_pixels: int) -> tuple[bytes, str] | None:
    """A picture sent in a chat: bytes of the same format without metadata, and their file extension.

    Animations of GIF and WebP stay animations while frames times pixels are within `max_pixels`; an EXIF
    orientation, which no camera writes into one, is ignored there.

    None when the upload is not one of the four formats or cannot be decoded safely: the caller keeps it
    as an opaque download.
    """
    try:
        with _hostile_bytes(max_pixels):
            image = _opened(data, max_pixels)
            extension = EXTENSIONS[image.format or ""]
            if extension in ("gif", "webp") and getattr(image, "is_animated", False):
                return _animation(image, extension, max_pixels), extension
            return _still(image, extension), extension
    except (BadImage, TooLarge):
        return None


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


def _too_many_pixels(max_pixels: int) -> TooLarge:
    return TooLarge(limit=f"{max_pixels / 1_000_000:g} megapixels")


def _opened(data: bytes, max_pixels: int) -> ImageFile.ImageFile:
    """The picture with its header read and its declared size accepted; no pixel is decoded yet."""
    _refuse_slow_jpeg(data)
    _refuse_slow_png(data)
    _make_pillow_strict()
    # Pillow holds further frames and tiles to this limit while it decodes. It is one for the process,
    # and so is the setting that it comes from.
    Image.MAX_IMAGE_PIXELS = max_pixels
    image = Image.open(io.BytesIO(data), formats=DECODERS)
    if image.width * image.height > max_pixels:
        raise _too_many_pixels(max_pixels)
    return image


@cache
def _make_pillow_strict() -> None:
    """Make Pillow's warning about bombs an error and silence its others, once for the process.

    A file can provoke thousands of the others, each a line in the operator's log.
    """
    warnings.filterwarnings("ignore", module=r"PIL\.")
    warnings.simplefilter("error", Image.DecompressionBombWarning)


def _refuse_slow_jpeg(data: bytes) -> None:
    """Raise BadImage for a JPEG of absurdly many segments or scans."""
    if not data.startswith(b"\xff\xd8"):
        return
    position = segments = scans = 0
    while found := _MARKER.search(data, position):
        position, marker = found.end(), found[1][0]
        if marker == _END_OF_IMAGE and scans:
            return
        segments += 1
        scans += marker == _START_OF_SCAN
        if segments > MAX_SEGMENTS or scans > MAX_SCANS:
            raise BadImage
        if marker not in _BARE_MARKERS:
            position += int.from_bytes(data[position : position + 2])


def _refuse_slow_png(data: bytes) -> None:
    """Raise BadImage for a PNG of absurdly many chunks: a profile of 1 kB can unpack to 1 MB."""
    if not data.startswith(_PNG_SIGNATURE):
        return
    position, others = len(_PNG_SIGNATURE), 0
    while position < len(data):
        others += data[position + 4 : position + 8] not in _PNG_PIXELS
        if others > MAX_SEGMENTS:
            raise BadImage
        # Each chunk is a length, a name, that many bytes and a checksum.
        position += 12 + int.from_bytes(data[position : position + 4])


def _upright(image: Image.Image) -> Image.Image:
    image.load()
    turn = TURNS.get(_orientation(image))
    return image if turn is None else image.transpose(turn)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # noqa: BLE001 - a photo with broken EXIF is a photo all the same
        return 1


def _continuous(image: Image.Image) -> Image.Image:
    """`image` in a mode that can be resized: RGB, RGBA or CMYK."""
    if image.mode.startswith("I;16"):
        # Pillow's own conversion would cut every value above 255 down to white.
        image = image.point(lambda value: value / 256).convert("L")
        image.info = {}
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image if image.mode == "CMYK" else image.convert("RGB")


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
    square = ImageOps.fit(photo, (THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    if square.mode == "RGBA":
        square = Image.alpha_composite(Image.new("RGBA", square.size, "white"), square)
    square = square.convert("RGB")
    text = ""
    for quality in range(80, 0, -10):
        text = base64.b64encode(_encoded(square, "JPEG", quality=quality)).decode()
        if len(text) <= THUMBNAIL_CHARACTERS:
            break
    return text


def _encoded(image: Image.Image, form: str, **options: object) -> bytes:
    # For JPEG, Huffman tables of its own; for PNG half the time of the usual level 6, at a sixth more bytes.
    options |= {"optimize": True} if form == "JPEG" else {}
    options |= {"compress_level": 3} if form == "PNG" else {}
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def _still(image: Image.Image, extension: str) -> bytes:
    profile = image.info.get("icc_profile")
    upright = _upright(image)
    if extension == "gif" or (extension == "png" and not profile):
        # Both encoders keep every mode that their decoder gives: palettes and 16 bits lose nothing.
        upright.info = {key: upright.info[key] for key in ("transparency",) if key in upright.info}
        return _encoded(upright, extension.upper())
    flat = _srgb(_continuous(upright), profile)
    if extension == "png":
        return _encoded(flat, "PNG")
    if extension == "webp":
        return _encoded(flat, "WEBP", quality=QUALITY, method=2)
    return _encoded(flat.convert("RGB"), "JPEG", quality=QUALITY)


def _animation(image: ImageFile.ImageFile, extension: str, max_pixels: int) -> bytes:
    deadline = time.monotonic() + MAX_ANIMATION_SECONDS
    durations, transparent = _survey(image, max_pixels, deadline)
    options: dict[str, object] = {"save_all": True, "duration": durations}
    if "loop" in image.info:
        options["loop"] = image.info["loop"]
    image.seek(0)
    if extension == "webp":
        # The WebP encoder takes no metadata from the picture itself, only from its options.
        return _encoded(image, "WEBP", quality=QUALITY, **options)
    # With transparency each frame must clear the one before, or that would show through.
    frames = _frames(image, deadline)
    return _encoded(next(frames), "GIF", append_images=frames, disposal=2 if transparent else 0, **options)


def _survey(image: ImageFile.ImageFile, max_pixels: int, deadline: float) -> tuple[list[int], bool]:
    """Decode every frame once: their durations in milliseconds, and whether any has transparency."""
    size, durations, transparent = image.size, [], False
    for frame in _frames(image, deadline):
        durations.append(int(frame.info.get("duration", 0)))
        transparent = transparent or frame.has_transparency_data
        pixels = size[0] * size[1] * len(durations)
        if frame.size != size or len(durations) > MAX_FRAMES or pixels > max_pixels:
            raise _too_many_pixels(max_pixels)
    return durations, transparent


def _frames(image: ImageFile.ImageFile, deadline: float) -> Iterator[Image.Image]:
    """Copies of all frames, with what the encoder needs of their metadata."""
    number = 0
    while _seek(image, number):
        if time.monotonic() > deadline:
            raise BadImage
        frame = image.copy()
        frame.info = {key: frame.info[key] for key in ("transparency", "duration") if key in frame.info}
        yield frame
        number += 1


def _seek(image: ImageFile.ImageFile, number: int) -> bool:
    try:
        image.seek(number)
    except EOFError:
        return False
    return True

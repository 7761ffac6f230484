"""Files as phones and cameras write them, with secrets in every place that is known to hold some."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable
from functools import cache

from PIL import Image, ImageCms, PngImagePlugin
from pillow_heif import register_heif_opener

register_heif_opener()

SECRET = b"51.4779N-secret"
MODEL = b"Camera-serial-secret"
# Both begin so; nothing else does.
TRACE = b"-secret"
XMP = b'<x:xmpmeta exif:GPSLatitude="' + SECRET + b'"/>'


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


@cache
def made(make: Callable[[], bytes]) -> bytes:
    """A file that is made when the first test wants it: to encode HEIC takes a second."""
    return make()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def noise(width: int = 160, height: int = 120, mode: str = "RGB") -> Image.Image:
    size = width * height * len(mode)
    return Image.frombytes(mode, (width, height), random.Random(7).randbytes(size))


def exif(orientation: int = 1) -> bytes:
    """Position, model, serial number and a maker's note."""
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x010E] = SECRET.decode()
    tags[0x010F] = MODEL.decode()
    tags.get_ifd(0x8825)[1] = "N"
    tags.get_ifd(0x8825)[2] = (51.0, 28.0, 40.0)
    tags.get_ifd(0x8769)[0xA431] = MODEL.decode()
    tags.get_ifd(0x8769)[0x927C] = b"note" + SECRET
    return tags.tobytes()


@cache
def profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def jpeg(orientation: int = 1, image: Image.Image | None = None, **options: object) -> bytes:
    """With everything around the pixels, and a film behind them."""
    plain = encoded(
        image or noise(),
        "JPEG",
        exif=exif(orientation),
        comment=SECRET,
        xmp=XMP,
        icc_profile=profile(),
        **options,
    )
    more = [
        segment(0xE0, b"JFXX\0" + SECRET),
        segment(0xE2, b"FPXR\0" + SECRET),
        segment(0xE4, SECRET),
        segment(0xED, b"Photoshop 3.0\0" + SECRET),
        segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + SECRET),
    ]
    return plain[:2] + b"".join(more) + plain[2:] + film()


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(orientation: int = 1, image: Image.Image | None = None, **options: object) -> bytes:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", SECRET.decode())
    texts.add_text("Author", SECRET.decode(), zip=True)
    texts.add_itxt("XML:com.adobe.xmp", XMP.decode())
    texts.add(b"prVt", SECRET)
    texts.add(b"tIME", b"\x07\xe9\x0b\x1d\0\0\0")
    image = image or noise()
    data = encoded(image, "PNG", pnginfo=texts, exif=exif(orientation), icc_profile=profile(), **options)
    return data + SECRET


def webp(orientation: int = 1, image: Image.Image | None = None, **options: object) -> bytes:
    options = {"lossless": True, "exif": exif(orientation), "xmp": XMP, "icc_profile": profile(), **options}
    return encoded(image or noise(), "WEBP", **options) + SECRET


def gif(image: Image.Image | None = None, **options: object) -> bytes:
    data = encoded(image or noise(), "GIF", comment=SECRET, **options)
    packet = XMP + b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    blocks = b"".join(bytes((len(part),)) + part for part in (packet[:200], packet[200:])) + b"\0"
    return data[:-1] + b"\x21\xff\x0bXMP DataXMP" + blocks + b";" + SECRET


def tiff(orientation: int = 1, image: Image.Image | None = None, **options: object) -> bytes:
    return encoded(image or noise(), "TIFF", exif=exif(orientation), icc_profile=profile(), **options)


def packed_tiff(compression: str) -> bytes:
    """Pillow's writer of packed pixels knows no directories below the first."""
    tags = {0x010E: SECRET.decode(), 0x010F: MODEL.decode(), 0x02BC: XMP}
    return encoded(noise(), "TIFF", compression=compression, tiffinfo=tags, icc_profile=profile())


def heic(orientation: int = 1, image: Image.Image | None = None, **options: object) -> bytes:
    data = encoded(image or noise(), "HEIF", exif=exif(orientation), xmp=XMP, **options)
    return data + box(b"mpvd", film()) + box(b"uuid", bytes(16) + SECRET)


def avif(orientation: int = 1, image: Image.Image | None = None, **options: object) -> bytes:
    options = {"exif": exif(orientation), "xmp": XMP, "icc_profile": profile(), "speed": 10, **options}
    return encoded(image or noise(), "AVIF", **options) + box(b"uuid", bytes(16) + SECRET)


# Films


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def full(kind: bytes, *parts: bytes) -> bytes:
    return box(kind, bytes(4), *parts)


def _track(handler: bytes, entry: bytes, samples: bytes, place: int) -> bytes:
    table = box(
        b"stbl",
        full(b"stsd", struct.pack(">I", 1), entry),
        full(b"stts", struct.pack(">III", 1, 2, 100)),
        full(b"stsc", struct.pack(">IIII", 1, 1, 2, 1)),
        full(b"stsz", struct.pack(">IIII", 0, 2, 4, len(samples) - 4)),
        full(b"stco", struct.pack(">II", 1, place)),
    )
    name = full(b"hdlr", bytes(4), handler, bytes(12), MODEL + b"\0")
    media = box(b"mdia", full(b"mdhd", bytes(20)), name, box(b"minf", full(b"nmhd"), table))
    return box(b"trak", full(b"tkhd", bytes(80)), media, box(b"udta", box(b"name", SECRET)))


PIXELS, SOUND, PLACES = b"the pixels of a film", b"its sound, too", b"+51.4779-000.0015" + SECRET


def film(
    brand: bytes = b"isom", *, moov_first: bool = False, large: bool = False, between: bytes = b""
) -> bytes:
    """A film with a picture, a sound and a track of positions, with everything that phones write beside.

    `between` stands between picture and sound, and belongs to no track.
    """
    head = box(b"ftyp", brand, bytes(4), b"isommp42")
    media = PIXELS + between + SOUND + PLACES
    sound = len(PIXELS + between)
    packed = struct.pack(">I4sQ", 1, b"mdat", len(media) + 16) + media if large else box(b"mdat", media)

    def movie(at: int) -> bytes:
        picture = box(b"avc1", bytes(42), MODEL.ljust(32, b"\0"), bytes(4))
        return box(
            b"moov",
            full(b"mvhd", bytes(96)),
            _track(b"vide", picture, PIXELS, at),
            _track(b"soun", box(b"mp4a", bytes(28)), SOUND, at + sound),
            _track(b"meta", box(b"camm", bytes(8)), PLACES, at + sound + len(SOUND)),
            box(b"udta", box(b"\xa9xyz", SECRET), box(b"\xa9mod", MODEL)),
            full(b"meta", full(b"hdlr", b"mdta"), box(b"ilst", b"com.apple.quicktime.location" + SECRET)),
            box(b"uuid", bytes(16) + XMP),
        )

    header = len(packed) - len(media)
    rest = box(b"free", SECRET) + box(b"uuid", bytes(16) + XMP) + box(b"udta", SECRET)
    if moov_first:
        at = len(head) + len(movie(0)) + header
        return head + movie(at) + packed + rest
    return head + packed + movie(len(head) + header) + rest


ORIENTED: dict[str, Callable[..., bytes]] = {"jpg": jpeg, "png": png, "webp": webp, "tif": tiff, "avif": avif}
STILLS: dict[str, Callable[..., bytes]] = {**ORIENTED, "gif": gif, "heic": heic}

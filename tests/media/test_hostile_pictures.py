"""Pictures made to cost memory or time, six at once, against the real server."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from benchmarks.programs import cpu_seconds
from messenger_api.services.people.media import LONGEST_WAIT
from tests.cli.commands import children
from tests.matrix import LONG, some
from tests.media import lies, makers
from tests.media.makers import encoded, png_chunk
from tests.product import APPID
from tests.servers import ProductServer

pytestmark = [pytest.mark.server, pytest.mark.long]

ANA, CODE = "14155550101", "424242"
AT_ONCE = 6
MOST_MEMORY_KB = 300 * 1024
# A call waits for its turn, and then for the processor.
SECONDS = 5 - LONGEST_WAIT


def png(width: int, height: int, colour: int = 2) -> bytes:
    """A PNG of one colour, without ever having its pixels here."""
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    packer, left = zlib.compressobj(6), (1 + width * {0: 1, 2: 3, 6: 4}[colour]) * height
    some, packed = bytes(1_000_000), []
    while left:
        packed.append(packer.compress(some[:left]))
        left -= min(left, len(some))
    packed.append(packer.flush())
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", b"".join(packed)) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def endless_scans() -> bytes:
    jpeg = encoded(lies.plain(3_000, 3_000, "L"), "JPEG", progressive=True)
    scan = jpeg[jpeg.rindex(b"\xff\xda") : -2]
    return jpeg[:-2] + scan * 40 + jpeg[-2:]


def large_webp() -> bytes:
    """One that says that it has 16,383 pixels each way."""
    data = bytearray(encoded(lies.plain(60, 40, "RGBA"), "WEBP", exif=makers.exif()))
    assert data[12:16] == b"VP8X"
    data[24:30] = (16_382).to_bytes(3, "little") * 2
    return bytes(data)


def many_frames(form: str) -> bytes:
    frames = [Image.new("L", (2_000, 2_000), number % 256) for number in range(6)]
    return encoded(frames[0], form, save_all=True, append_images=frames[1:])


HOSTILE: dict[str, Callable[[], bytes]] = {
    "high png": lambda: png(1, 32_000_000, 0),
    "wide png": lambda: png(32_000_000, 1, 0),
    "broad png": lambda: png(30_000, 1_000),
    "large png": lambda: png(5_500, 4_500),
    "transparent png": lambda: png(5_000, 4_500, 6),
    "huge png": lambda: png(12_000, 12_000, 0),
    "gif": lambda: encoded(lies.plain(6_000, 5_000, "L"), "GIF"),
    "moving gif": lambda: many_frames("GIF"),
    "moving webp": lambda: many_frames("WEBP"),
    "moving png": lambda: many_frames("PNG"),
    "webp": lambda: encoded(lies.plain(2_900, 2_900, "RGBA"), "WEBP", lossless=True, method=0),
    "large webp": large_webp,
    "heic": lambda: encoded(lies.plain(*((5_700, 4_300) if LONG else (3_600, 2_700))), "HEIF", quality=10),
    "small heic": lambda: lies.said_small(lies.heic(5_700, 4_300), 5_000, 5_000),
    "plain heic": lambda: lies.said_plain(lies.deep(*((5_000, 4_500) if LONG else (2_500, 2_250)))),
    "coloured heic": lambda: lies.said_plain(lies.heic(5_000, 4_500, chroma=444)),
    "overlay": lambda: lies.overlay(20_000, 20_000, lies.two_tiles()),
    "overlays": lambda: lies.overlay(4_000, 4_000, lies.two_tiles()),
    "frames": lambda: lies.frames(lies.heic(2_000, 2_000), 200),
    "lying avif": lambda: lies.said_small(encoded(lies.plain(2_000, 2_000), "AVIF")),
    "avif": lambda: encoded(lies.plain(4_000, 3_300), "AVIF", speed=10),
    "progressive jpeg": lambda: encoded(lies.plain(7_000, 6_000), "JPEG", progressive=True),
    "scans": endless_scans,
    "large jpeg": lambda: encoded(lies.plain(10_000, 10_000, "L"), "JPEG"),
    "tiff": lambda: encoded(lies.plain(8_000, 8_000, "L"), "TIFF", compression="tiff_lzw"),
    "bmp": lambda: encoded(lies.plain(3_000, 2_000, "L"), "BMP"),
}


@pytest.fixture
def server(product_server: Callable[..., ProductServer]) -> ProductServer:
    return product_server(
        MESSENGER_OTP_TEST_NUMBERS=f'{{"{ANA}": "{CODE}"}}', MESSENGER_OTP_TEST_NUMBERS_UNTIL="2099-01-01"
    )


def call(server: ProductServer, op: str, file: bytes | None = None, **fields: Any) -> dict[str, Any]:
    files = {"photo": ("photo.jpg", file)} if file is not None else None
    response = requests.post(f"{server.url}/api.php", {"op": op, **fields}, files=files, timeout=60)
    answer: dict[str, Any] = response.json()
    return answer


def log_in(server: ProductServer) -> str:
    call(server, "login", phone=ANA, appid=APPID)
    return str(call(server, "login", phone=ANA, appid=APPID, otp=CODE)["token"])


def peak(server: ProductServer) -> int:
    """The most memory that a process of the server ever had, in kB."""
    assert server.process
    texts = [Path(f"/proc/{pid}/status").read_text() for pid in children(server.process.pid)]
    return max(int(found[1]) for text in texts if (found := re.search(r"VmHWM:\s*(\d+) kB", text)))


def cpu(server: ProductServer) -> float:
    """Seconds of processor time that the server has used: what it takes where nothing else is to do."""
    assert server.process
    return cpu_seconds(server.process.pid)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_hostile_pictures_six_at_once_take_neither_memory_nor_time(server: ProductServer) -> None:
    token, seen = log_in(server), {}

    def upload(data: bytes, profile: int) -> str:
        return str(call(server, "upload", data, token=token, profile=profile).get("error", "OK"))

    with ThreadPoolExecutor(AT_ONCE) as threads:
        for name in some(list(HOSTILE), 12):
            data = HOSTILE[name]()
            for profile in (1, 0):
                before = cpu(server)
                answers = list(threads.map(upload, [data] * AT_ONCE, [profile] * AT_ONCE))
                assert set(answers) <= {"OK", "TOOLARGE", "BADIMAGE", "TRYLATER"}, (name, answers)
                each = (cpu(server) - before) / max(1, AT_ONCE - answers.count("TRYLATER"))
                seen[name, profile] = round(each, 2), set(answers), peak(server) // 1024

    print(*seen.items(), sep="\n")
    assert peak(server) < MOST_MEMORY_KB, seen
    assert max(seconds for seconds, *_ in seen.values()) < SECONDS, seen
    assert call(server, "upload", makers.jpeg(), token=token, profile=1)["result"] == "OK"

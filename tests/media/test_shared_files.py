"""What is sent in a chat, from one phone's upload to another's download."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from PIL import Image

from tests.media import makers
from tests.media.makers import TRACE, film, opened
from tests.product import Phone, Product

ANA = "14155550101"


@pytest.fixture(scope="module")
def ana(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Phone]:
    tmp_path = tmp_path_factory.mktemp("product")
    product = Product(f"sqlite:///{tmp_path / 'messenger.sqlite3'}", tmp_path)
    yield product.log_in(ANA)
    product.close()


def send(ana: Phone, data: bytes, name: str) -> tuple[str, bytes, str]:
    """Upload a file for a chat; its name, its bytes and its type as they are downloaded."""
    url = ana.call("upload", file=(data, name))["url"]
    data, kind = download(ana, url)
    return url.rpartition("/")[2], data, kind


def download(ana: Phone, url: str) -> tuple[bytes, str]:
    """The bytes at an address, and their type."""
    with closing(ana.product.http.get(urlsplit(url).path)) as answer:
        assert answer.status_code == 200
        return answer.data, answer.headers["Content-Type"]


TYPES = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "avif": "image/avif",
    "heic": "image/heic",
    "tif": "image/tiff",
}


@pytest.mark.parametrize("name", ["IMG_0001.JPG", "file.bin", "x.php", ""])
@pytest.mark.parametrize("form", TYPES)
def test_a_picture_arrives_with_its_pixels_under_its_type_and_without_a_trace(
    ana: Phone, form: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    source = makers.STILLS[form]()
    assert TRACE in source

    kept_as, data, kind = send(ana, source, name)

    assert kept_as.endswith(f".{form}")
    assert kind == TYPES[form]
    assert TRACE not in data
    assert opened(data).convert("RGB").tobytes() == opened(source).convert("RGB").tobytes()


@pytest.mark.parametrize(
    ("brand", "ending", "kind"), [(b"isom", "mp4", "video/mp4"), (b"qt  ", "mov", "video/quicktime")]
)
def test_a_film_arrives_without_a_trace(ana: Phone, brand: bytes, ending: str, kind: str) -> None:
    kept_as, data, served = send(ana, film(brand), "clip.jpg")

    assert kept_as.endswith(f".{ending}")
    assert served == kind
    assert TRACE not in data


def test_a_jpeg_of_50_megapixels_arrives_clean_and_is_a_profile_photo(ana: Phone) -> None:
    source = makers.jpeg(6, image=Image.new("L", (8_660, 5_780), 77), optimize=True)

    kept_as, data, _ = send(ana, source, "IMG.jpg")
    own = ana.ok("upload", photo=source, profile=1)

    assert kept_as.endswith(".jpg")
    assert TRACE not in data
    photo = download(ana, own["url"])[0]
    assert opened(photo).size == (854, 1280)
    assert own["tn"]


@pytest.mark.parametrize("make", [makers.heic, makers.avif])
def test_a_new_phone_s_picture_is_a_profile_photo(ana: Phone, make: Callable[[], bytes]) -> None:
    own = ana.ok("upload", photo=make(), profile=1)

    photo = download(ana, own["url"])[0]
    assert (opened(photo).format, opened(photo).size) == ("JPEG", (160, 120))
    assert TRACE not in photo


def test_what_only_begins_like_a_picture_is_refused_and_not_kept(ana: Phone) -> None:
    before = list(ana.product.folders[0].iterdir())

    answer = ana.call("upload", file=(b"\xff\xd8\xff\xe1" + makers.exif(), "IMG.jpg"))

    assert answer["error"] == "BADIMAGE"
    assert list(ana.product.folders[0].iterdir()) == before

"""What a HEIC takes to decode is known from what is coded in it, whatever it says of itself."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import partial

import pytest

from messenger_api.domain.cleaning import heif, hevc, layers
from messenger_api.domain.cleaning.parts import Parts
from messenger_api.domain.errors import BadImage, TooLarge
from messenger_api.domain.images import MOST_MEMORY, undecoded
from tests.media import lies
from tests.media.makers import box, encoded, heic

MAX_PIXELS = 30_000_000


def memory(data: bytes) -> int:
    return undecoded(data, max_pixels=MAX_PIXELS).memory


def test_a_size_that_is_made_small_changes_nothing() -> None:
    honest = lies.heic(1_600, 1_200)

    assert memory(lies.said_small(honest)) >= memory(honest)


def test_colours_and_bits_that_are_made_few_change_nothing() -> None:
    honest = lies.deep(800, 600)

    assert memory(lies.said_plain(honest)) == memory(honest) > memory(lies.heic(800, 600))


@pytest.mark.parametrize(
    ("make", "bits", "colours"),
    [
        (partial(lies.heic, 800, 600), 8, "420"),
        (partial(lies.heic, 800, 600, chroma=422), 8, "422"),
        (partial(lies.heic, 800, 600, chroma=444), 8, "444"),
        (partial(lies.deep, 800, 600), 10, "444"),
        (lambda: encoded(lies.plain(800, 600, "L"), "HEIF"), 8, "monochrome"),
    ],
    ids=["420", "422", "444", "deep", "grey"],
)
def test_size_bits_and_colours_are_read_where_the_decoder_reads_them(
    make: Callable[[], bytes], bits: int, colours: str
) -> None:
    found = layers.how_coded(make())

    assert (found.bits, found.colours) == (bits, colours)
    # A coder works in blocks of 8 pixels.
    assert found.pixels == 800 * 600


def test_what_is_described_before_the_coded_bytes_is_found_too() -> None:
    """A decoder takes the last parameters that it meets, in the configuration or among the slices."""
    large = lies.heic(1_600, 1_200)
    at = large.index(b"\x42\x01")  # the head of a sequence parameter set; two bytes of length stand in front
    length = int.from_bytes(large[at - 2 : at])
    unit = large[at : at + length]
    inside = struct.pack(">I", length) + unit

    assert hevc.coded(inside, [(0, len(inside))], Parts(inside)).pixels == 1_600 * 1_200


def test_an_overlay_is_as_large_as_its_canvas() -> None:
    assert undecoded(lies.overlay(1_024, 512, lies.two_tiles()), max_pixels=MAX_PIXELS).picture()
    with pytest.raises(TooLarge):
        memory(lies.overlay(20_000, 20_000, lies.two_tiles()))


def test_several_pictures_where_one_belongs_are_refused() -> None:
    honest = lies.heic(400, 300)

    assert memory(lies.frames(honest, 1)) == memory(honest)
    with pytest.raises(BadImage):
        memory(lies.frames(honest, 2))


def doubled(data: bytes, kind: bytes) -> bytes:
    """With a copy of a description at the end of `meta`."""
    start = data.index(b"meta") - 4
    end = start + int.from_bytes(data[start : start + 4])
    found = lies.described(data)[0][kind]
    copy = data[found.start : found.end]
    return data[:start] + box(b"meta", data[start + 8 : end], copy) + data[end:]


@pytest.mark.parametrize("kind", [b"iloc", b"iinf", b"iprp"])
def test_what_is_described_twice_is_refused(kind: bytes) -> None:
    with pytest.raises(BadImage) as refusal:
        memory(doubled(lies.heic(400, 300), kind))

    assert str(refusal.value.__cause__) == "a description twice"


def test_a_heic_as_phones_write_it_is_decoded_within_what_was_promised() -> None:
    data = heic()

    assert heif.cleaned(data)
    assert 0 < memory(data) < MOST_MEMORY

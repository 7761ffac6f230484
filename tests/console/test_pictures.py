"""The pictures of the console's page: each screen has one, and it is small."""

from __future__ import annotations

from tests.console.pictures import DARK, FOLDER, LIGHT

MOST_BYTES = 40_000


def test_every_screen_has_a_picture_on_the_page_and_none_is_large() -> None:
    names = {*LIGHT, *(f"{name}-dark" for name in DARK)}
    assert {path.stem for path in FOLDER.glob("*")} == names
    page = FOLDER.with_suffix(".md").read_text()
    assert [name for name in names if f"(console/{name}.png)" not in page] == []
    sizes = {path.name: path.stat().st_size for path in FOLDER.glob("*")}
    assert {name: size for name, size in sizes.items() if size >= MOST_BYTES} == {}

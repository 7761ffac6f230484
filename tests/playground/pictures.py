"""Makes docs/phones.png, two phones in mid-chat: `.venv/bin/python -m tests.playground.pictures`."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from PIL import Image

from tests.playground.driver import Pair, opened
from tests.servers import ProductServer, open_browser

PICTURE = Path(__file__).parents[2] / "docs/phones.png"
WIDTH = 1280
COLOURS = 128


def play(pair: Pair) -> None:
    """An afternoon's chat, a picture and a group, of which the group is open on both."""
    ana, ben = pair.ana, pair.ben
    pair.both_chat()
    for phone in (ana, ben):
        phone.back()
        phone.find(".me").click()
        phone.draw_picture()
        phone.back()
    ana.make_group("Mountain weekend")
    ben.open_chat("Mountain weekend")
    for phone, other, text in (
        (ana, ben, "The hut is ours from Friday to Sunday!"),
        (ben, ana, "Great! I bring the stove."),
        (ben, ana, "Who takes the tent?"),
        (ana, ben, "No tent, there are beds"),
        (ben, ana, "Even better. Train at 16:12?"),
        (ana, ben, "See you on the platform."),
    ):
        phone.say(text)
        other.hears(text)
        phone.ticked(text, "read")
    pair.page.locator(".banner.shown").first.wait_for(state="hidden")
    pair.page.locator("#wire summary", has_text="setgroup").click()
    pair.page.locator("#wire details[open]").scroll_into_view_if_needed()
    pair.page.locator("#told summary", has_text="groupadd").click()
    pair.page.mouse.move(0, 0)


def main() -> None:
    """Make it anew."""
    with (
        tempfile.TemporaryDirectory() as folder,
        ProductServer(Path(folder)) as server,
        open_browser() as browser,
        opened(browser, server.url, "light", WIDTH) as pair,
    ):
        play(pair)
        taken = pair.page.locator("main").screenshot()
    with Image.open(io.BytesIO(taken)) as image:
        image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(PICTURE, optimize=True)
        print(f"{PICTURE.name}: {image.width} x {image.height}, {PICTURE.stat().st_size} bytes")


if __name__ == "__main__":
    main()

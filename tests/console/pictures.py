"""Makes the pictures of the console's page: `.venv/bin/python -m tests.console.pictures [NAME...]`.

They are those of docs/operations/console/, NAME is a file there without its ending.
"""

from __future__ import annotations

import io
import logging
import struct
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from messenger_api import configuration
from messenger_api.storage import facts
from messenger_api.storage.db import open_database
from messenger_api.storage.schema import Schema
from tests.browsing import served
from tests.console.driver import PASSWORD, Admin, administrator
from tests.console.scene import CAT, PAID, play, play_a_day, play_pauses, play_raise
from tests.product import Product
from tests.servers import open_browser

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOLDER = Path(__file__).parents[2] / "docs/operations/console"
WIDE, NARROW = 1000, 360
LOWEST, HIGHEST = 420, 1495
# Long ones are cut between two rows of what they show, so that the file stays small.
CUT = {"overview": 1072, "settings": 1072}
COLOURS = 32
LIGHT = {
    "overview": "",
    "users": "/users",
    "user": "/users/7",
    "groups": "/groups",
    "group": "/groups/5001",
    "reports": "/reports",
    "texts": "/texts",
    "money": "/money",
    "outbox": "/outbox",
    "audit": "/audit?verify=1",
    "settings": "/settings",
    "search": "/search",
}
DARK = ("overview", "money")
PEOPLE = {
    "447700900456": "Andrew Clarke",
    "447700900457": "Hannah Price",
    "14155550155": "Marcus Webb",
    "919876543299": "Anita Desai",
    "447700900458": "Olu Adeyemi",
    "919876543298": "Rajan Pillai",
}
ELSEWHERE = "([from, to]) => document.body.innerHTML = document.body.innerHTML.replaceAll(from, to)"
# Twilio and Vonage are shown as the providers; neither is asked.
PROVIDERS: dict[str, object] = {
    **PAID,
    "sms_providers": ("twilio", "vonage"),
    "vonage_api_key": "key",
    "vonage_api_secret": "secret",
    "vonage_from": "Example",
}


def play_evening(product: Product) -> None:
    """A day of use that ends at five to nine in the evening."""
    product.clock.advance((20 * 3600 + 55 * 60 - product.clock()) % 86_400 - 7 * 3600)
    for number, name in PEOPLE.items():
        product.log_in(number, name=name)
        product.clock.advance(37 * 60 + 11)
    play(product)
    product.log_in(CAT).ok("profile", name="Chitra Rao")
    product.deliver()
    product.clock.advance((20 * 3600 + 55 * 60 - product.clock()) % 86_400)
    play_a_day(product)
    play_pauses(product, spent=0.62)
    play_raise(product)
    database = product.services.database
    database.run(partial(facts.write, name=facts.WORKER, value=str(database.now())))


@contextmanager
def shown(folder: Path) -> Iterator[tuple[str, Admin]]:
    """The console's address, after a day of use, and who logs in."""
    uri = f"sqlite:///{folder / 'messenger.sqlite3'}"
    config = configuration.build(sqlalchemy_database_uri=uri, instance_path=str(folder / "instance"))
    Schema(open_database(config)).upgrade()
    played = Product(uri, folder, **PAID)
    play_evening(played)
    played.close()
    product = Product(uri, folder, **PROVIDERS)
    product.clock.offset = played.clock.offset
    try:
        with served(product.app) as url:
            yield f"{url}/admin", administrator(product)
    finally:
        product.close()


def log_in(page: Page, url: str, admin: Admin) -> None:
    """Fill in the form of the login page."""
    page.goto(url)
    page.fill("#name", admin.name)
    page.fill("#password", PASSWORD)
    page.fill("#code", admin.fresh_code())
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('Overview')")


def take(page: Page, url: str, name: str, *hidden: str) -> None:
    """Keep what a page shows, from its top, with few colours; without this machine's folders."""
    page.goto(url)
    if name == "search":
        page.fill("#q", "an")
        page.keyboard.press("Enter")
        page.wait_for_selector("h1:has-text('an')")
    for folder in hidden:
        page.evaluate(ELSEWHERE, [folder, "/srv/messenger"])
    with Image.open(io.BytesIO(page.screenshot(full_page=True))) as taken:
        height = min(taken.height, CUT.get(name, HIGHEST))
        image = taken.crop((0, 0, taken.width, height)).convert("RGB")
    path = FOLDER / f"{name}.png"
    with_few_colours(image).save(path, optimize=True)
    print(f"{path.name}: {image.width} x {image.height}, {path.stat().st_size} bytes")


def with_few_colours(image: Image.Image, colours: int = COLOURS) -> Image.Image:
    """The same with the colours that it has most of, as they are: no plane changes its own."""
    most = Counter(struct.iter_unpack("3B", image.tobytes())).most_common(colours)
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for colour, _count in most for part in colour])
    return image.quantize(palette=palette, dither=Image.Dither.NONE)


def main() -> None:
    """Make those that are named, or all."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    wanted = sys.argv[1:]
    pictures = [("light", WIDE, name, name) for name in LIGHT]
    pictures += [("dark", NARROW, name, f"{name}-dark") for name in DARK]
    with (
        tempfile.TemporaryDirectory() as folder,
        shown(Path(folder)) as (url, admin),
        open_browser() as browser,
    ):
        for scheme in ("light", "dark"):
            chosen = [each for each in pictures if each[0] == scheme and (not wanted or each[3] in wanted)]
            if not chosen:
                continue
            width = chosen[0][1]
            with browser.new_context(
                color_scheme=scheme, viewport={"width": width, "height": LOWEST}
            ) as context:
                page = context.new_page()
                log_in(page, url, admin)
                for _scheme, _width, name, file in chosen:
                    take(page, url + LIGHT[name], file, folder, str(Path.cwd()))


if __name__ == "__main__":
    main()

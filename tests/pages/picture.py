"""Makes docs/sandbox.png anew: `python -m tests.pages.picture`."""

from __future__ import annotations

import io
import logging
import tempfile
from pathlib import Path

from PIL import Image, ImageOps

from tests.browsing import served
from tests.console.pictures import with_few_colours
from tests.product import Product
from tests.servers import ROOT, open_browser

FILE = ROOT / "docs" / "sandbox.png"
WIDE, HIGH = 1280, 1180
ANA, BOB, CARA = "14155550123", "919876543210", "447700900123"
COLOURS = 48


def play(product: Product) -> None:
    """Three people, a new picture, a group, a chat, and a fault."""
    ana, bob, cara = (
        product.log_in(number, name=name) for number, name in ((ANA, "Ana"), (BOB, "Bob"), (CARA, "Cara"))
    )
    bob.ok("getcontacts", phones=ANA)
    cara.ok("getcontacts", phones=ANA)
    product.sandbox.store.fetch(BOB)  # his phone is there, and is told
    portrait = io.BytesIO()
    ImageOps.colorize(Image.radial_gradient("L"), "#ffe2a8", "#0b6355").save(portrait, "JPEG")
    ana.ok("profile", name="Ana", status="On the mountain")
    ana.ok("upload", profile="1", photo=portrait.getvalue())
    ana.ok("setgroup", name="Hike", m=f"{BOB},{CARA}", gid="0")
    product.deliver()
    store = product.sandbox.store
    store.add_message(BOB, [ANA], "When do we start?", reaches=[ANA])
    store.add_message(ANA, [BOB], "At seven, by the bridge", reaches=[BOB])
    product.sandbox.faults.add("text", delay=15)


def main() -> None:
    """Play, look, keep."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder, open_browser() as browser:
        product = Product(f"sqlite:///{folder}/messenger.sqlite3", Path(folder))
        play(product)
        with (
            served(product.app) as url,
            browser.new_context(viewport={"width": WIDE, "height": HIGH}) as context,
        ):
            page = context.new_page()
            page.goto(f"{url}/sandbox")
            page.wait_for_selector("#messages li img")
            page.wait_for_load_state("networkidle")
            taken = page.screenshot()
        product.close()
    with Image.open(io.BytesIO(taken)) as image:
        with_few_colours(image.convert("RGB"), COLOURS).save(FILE, optimize=True)
    print(f"{FILE.name}: {FILE.stat().st_size} bytes")


if __name__ == "__main__":
    main()

"""QR codes, on a terminal and in files."""

from __future__ import annotations

import io
import os
from pathlib import Path

from messenger_api.private_files import create


def as_text(content: str) -> str:
    """A QR code of signs that fill their places, for a terminal."""
    # Optional: it comes with the console.
    import segno

    drawn = io.StringIO()
    segno.make(content, micro=False).terminal(drawn, border=2, compact=True)
    return drawn.getvalue()


def write_svg(content: str, path: Path) -> None:
    """Write a QR code to a new file that nobody else may read. Raises OSError: it is there already."""
    import segno

    with os.fdopen(create(path), "wb") as file:
        segno.make(content, micro=False).save(file, kind="svg", scale=8)

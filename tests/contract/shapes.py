"""What answers are made of, for assertions about all of them."""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterator
from typing import Any

from PIL import Image


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value in an answer that is no object or list, by where it stands."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f"{path}/{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}/{index}")
    else:
        yield path, value


def nulls(value: Any) -> list[str]:
    """Where an answer holds null, which no app expects anywhere."""
    return [path for path, leaf in leaves(value) if leaf is None]


def png(color: str = "maroon", size: tuple[int, int] = (320, 200)) -> bytes:
    """A picture of another type than `tests.product.jpeg` gives."""
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, "PNG")
    return file.getvalue()


def noise() -> bytes:
    """A picture whose thumbnail is as large as thumbnails get."""
    file = io.BytesIO()
    Image.frombytes("RGB", (100, 100), secrets.token_bytes(30_000)).save(file, "PNG")
    return file.getvalue()

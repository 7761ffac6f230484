"""Looks for phone numbers and secrets in whatever form they may rest: text, hexadecimal, packed."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Select, column, inspect, select, table

# What still identifies somebody: the last eight digits.
TAIL = 8
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
_PUNCTUATION = re.compile(rb"[ ().+-]|\xc2\xa0|%20|%28|%29|%2B|%C2%A0|\\\\u00a0|\\\\xa0")
_DIGITS = re.compile(rb"[0-9]{%d,}" % TAIL)


def numbers_in(data: bytes, numbers: Iterable[str]) -> set[str]:
    """Which of these numbers can be read out of the bytes."""
    tails = {run[i : i + TAIL].decode() for run in _runs(data) for i in range(len(run) - TAIL + 1)}
    spaced = b" ".join(_runs(_PUNCTUATION.sub(b"", data)))
    lower = data.lower()
    return {
        number
        for number in numbers
        if number[-TAIL:] in tails
        or number.encode() in spaced
        or any(form in lower for form in _packed(number))
    }


def _runs(data: bytes) -> list[bytes]:
    return [run[0] for run in _DIGITS.finditer(data)]


def texts_in(data: bytes, texts: Iterable[str]) -> set[str]:
    """Which of these secrets stand in the bytes, plainly, in hexadecimal or in base64."""
    return {text for text in texts if any(form in data for form in _written(text.encode()))}


def _written(text: bytes) -> Iterator[bytes]:
    yield text
    yield text.hex().encode()
    yield text.hex().upper().encode()
    yield base64.b64encode(text).rstrip(b"=")[:-1]


def _packed(number: str) -> Iterator[bytes]:
    """The forms of a whole number other than its digits; in lower case, for they are sought in such."""
    value = int(number)
    size = (value.bit_length() + 7) // 8
    yield value.to_bytes(size, "big").lower()
    yield value.to_bytes(size, "little").lower()
    yield b"%x" % value
    yield number.encode().hex().encode()
    yield bytes.fromhex(number if len(number) % 2 == 0 else f"0{number}").lower()
    yield base64.b64encode(number.encode()).rstrip(b"=")[:-1].lower()
    yield "".join(f"{char}\0" for char in number).encode()  # UTF-16
    yield number.translate(ARABIC).encode()


def cells(engine: Engine) -> dict[str, bytes]:
    """Every column of every table, all rows in one, as `table.column`."""
    found: dict[str, bytes] = {}
    with engine.connect() as connection:
        for name in inspect(engine).get_table_names():
            for each in inspect(engine).get_columns(name):
                query: Select[tuple[Any]] = select(column(each["name"])).select_from(table(name))
                values = connection.execute(query).scalars()
                found[f"{name}.{each['name']}"] = b"\n".join(map(_bytes, values))
    return found


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def files(*folders: Path) -> dict[str, bytes]:
    """Every file in these folders, hidden ones and SQLite's side files too."""
    found = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return {str(path): path.read_bytes() for path in found}

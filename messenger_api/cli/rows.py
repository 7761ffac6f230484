"""Rows of CSV and JSON lines: read with their faults, written whole, remembered once they are done."""

from __future__ import annotations

import csv
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import click

from messenger_api import private_files

# Why a row was skipped stands beside it, and is no part of it.
REASON = "reason"
FORGOTTEN = "not done"
FORMATS = (".csv", ".jsonl")
_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}

Values = Mapping[str, Any]


class BadRow(ValueError):
    """A row that cannot be used, and why."""


@dataclass(frozen=True)
class Row:
    """A row as it was read, by its columns; `fault` says why it is none."""

    key: str
    values: Values = field(repr=False)
    fault: str = ""

    def checked(self, columns: Iterable[str]) -> dict[str, Any]:
        """The values. Raises BadRow: it has a fault, or a column of another name."""
        if self.fault:
            raise BadRow(self.fault)
        if unknown := sorted(set(self.values) - set(columns)):
            raise BadRow(f"unknown column: {', '.join(unknown)}")
        return dict(self.values)


def truth(name: str, value: object) -> bool:
    """A cell that is yes or no. Raises BadRow."""
    found = value if isinstance(value, bool) else _TRUTH.get(str(value).strip().lower())
    if found is None:
        raise BadRow(f"{name}: {value} is neither true nor false")
    return found


def progress(label: str, *, length: int | None = None, rows: Iterable[Any] | None = None) -> Any:
    """A progress bar on the standard error, of rows or of so many steps."""
    return click.progressbar(rows, length=length, label=label, file=sys.stderr, show_pos=True)


def format_of(path: Path) -> str:
    """The ending that says how a file is written; another ends the command."""
    if path.suffix not in FORMATS:
        raise click.BadParameter(f"{path.name} ends neither in .csv nor in .jsonl")
    return path.suffix


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a file. Rows that are alike get keys of their own, the same ones with every reading."""
    seen: Counter[str] = Counter()
    with _readable(path) as file:
        for values, fault in _csv(file) if format_of(path) == ".csv" else _json_lines(file):
            plain = {name: each for name, each in values.items() if name != REASON and each not in ("", None)}
            text = json.dumps(plain, sort_keys=True, ensure_ascii=False)
            digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
            seen[digest] += 1
            yield Row(f"{digest}-{seen[digest]}", plain, fault)


@contextmanager
def _readable(path: Path) -> Iterator[TextIO]:
    """A file that is open; one that cannot be read as rows ends the command."""
    try:
        with private_files.reading(path) as file:
            yield file
    except private_files.UnreadableError as error:
        raise click.ClickException(str(error)) from error


def _csv(file: TextIO) -> Iterator[tuple[dict[str, Any], str]]:
    for values in csv.DictReader(file, restkey=""):
        more = values.pop("", None)
        yield values, "more cells than the head has columns" if more else ""


def _json_lines(file: TextIO) -> Iterator[tuple[dict[str, Any], str]]:
    for line in filter(str.strip, file):
        try:
            values = json.loads(line)
        except ValueError:
            values = None
        if isinstance(values, dict):
            yield values, ""
        else:
            yield {"line": line.strip()}, "no JSON object"


@contextmanager
def writing(path: Path, columns: Iterable[str]) -> Iterator[Any]:
    """Yields a function that writes a row. The file takes its name at the end, whole; other rows never do."""
    part = path.with_name(f"{path.name}.part")
    names = list(columns)
    part.unlink(missing_ok=True)
    with private_files.writing(part) as file:
        if format_of(path) == ".csv":
            table = csv.DictWriter(file, names, extrasaction="ignore", lineterminator="\n")
            table.writeheader()
            yield lambda values: table.writerow({name: _cell(value) for name, value in values.items()})
        else:
            yield lambda values: file.write(json.dumps(values, ensure_ascii=False) + "\n")
    part.replace(path)


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else value


class Skipped:
    """Rows that were skipped, in a file beside theirs that can be mended and read again."""

    def __init__(self, path: Path) -> None:
        self.path = path.with_name(f"{path.stem}.skipped{path.suffix}")
        self._rows: list[Values] = []

    def __len__(self) -> int:
        return len(self._rows)

    def __str__(self) -> str:
        """How many, and where."""
        return f"{len(self)} skipped" + (f" into {self.path}" if len(self) else "")

    def add(self, row: Row, reason: str) -> None:
        """Keep a row with the reason."""
        self._rows.append({**row.values, REASON: reason})

    def save(self) -> None:
        """Write the file; without rows there is none."""
        if not self._rows:
            self.path.unlink(missing_ok=True)
            return
        columns = dict.fromkeys(name for values in self._rows for name in values if name != REASON)
        with writing(self.path, [*columns, REASON]) as write:
            for values in self._rows:
                write(values)


class Done:
    """Which rows of a file are done, and what came of them: kept in a file beside it, a line a row.

    A command that was killed goes on behind the last line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.with_name(f"{path.name}.done")
        self.results: dict[str, Any] = {}
        for line in self.path.read_text("utf-8").splitlines() if self.path.exists() else ():
            try:
                found = json.loads(line)
            except ValueError:
                continue  # the end of a line that was being written when the command died
            self._take(found["row"], found["result"])

    def add(self, row: Row, result: Any = None) -> None:
        """Remember that a row is done, on the disk before this returns to the caller."""
        self._take(row.key, result)
        with self.path.open("a", encoding="utf-8") as file:
            # A line that was cut off ends here, and is none.
            start = "\n" if file.tell() and not self._ends_whole() else ""
            file.write(start + json.dumps({"row": row.key, "result": result}) + "\n")

    def forget(self, row: Row) -> None:
        """That a row which was begun is not done."""
        if row.key in self.results:
            self.add(row, FORGOTTEN)

    def _take(self, key: str, result: Any) -> None:
        if result == FORGOTTEN:
            self.results.pop(key, None)
        else:
            self.results[key] = result

    def _ends_whole(self) -> bool:
        with self.path.open("rb") as file:
            file.seek(-1, 2)
            return file.read() == b"\n"

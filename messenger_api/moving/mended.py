"""The file of rows that were skipped: written by one run, mended by a person, read by the next."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self, TypeVar

from messenger_api.moving.rows import Book
from messenger_api.private_files import UnreadableError, reading, writing

# `row` names the row as the source has it; what stands behind `reason` may be changed.
COLUMNS = ("table", "row", "reason", "uid", "gid", "phone", "role", "photo", "name")
_NUMBERS = frozenset({"uid", "gid", "role"})

Row = TypeVar("Row", bound=NamedTuple)


class Mended:
    """What people have put in the place of values, by table and row."""

    def __init__(self, rows: dict[tuple[str, str], dict[str, str]] | None = None) -> None:
        self._rows = rows or {}
        self._books = {row for table, row in self._rows if table == "contacts"}
        self.used: set[tuple[str, str]] = set()

    @classmethod
    def read(cls, path: Path) -> Mended:
        """A file that `Skipped` wrote, with its values changed. Raises UnreadableError."""
        rows: dict[tuple[str, str], dict[str, str]] = {}
        with reading(path) as file:
            reader = csv.DictReader(file)
            if not {"table", "row"} <= set(reader.fieldnames or ()):
                raise UnreadableError(f"{path}: the first line is to name the columns {', '.join(COLUMNS)}")
            for line in reader:
                where = f"{path}, line {reader.line_num}"
                rows[(line["table"] or "", line["row"] or "")] = _given(line, where)
        return cls(rows)

    def receiving(self) -> set[int]:
        """The uids to whose phone books numbers of others' were moved."""
        given = (values for (table, _row), values in self._rows.items() if table == "contacts")
        return {int(values["uid"]) for values in given if values.get("uid")}

    def __len__(self) -> int:
        return len(self._rows)

    def applied(self, table: str, name: str, row: Row) -> Row:
        """The row with its mended values."""
        if not self._rows or (given := self._rows.get((table, name))) is None:
            return row
        self.used.add((table, name))
        known = {key: value for key, value in given.items() if key in row._fields}
        return row._replace(**{key: _typed(key, row, value) for key, value in known.items()})

    def without(self, book: Book, moved: dict[int, list[str]]) -> Book:
        """A phone book with its mended numbers; those that belong to another uid are added to `moved`."""
        if not self._books:
            return book
        phones: list[str] = []
        for phone in book.phones:
            name = f"{book.uid}/{phone}"
            given = self._rows[("contacts", name)] if name in self._books else {}
            if given:
                self.used.add(("contacts", name))
            uid, phone = int(given.get("uid") or book.uid), given.get("phone") or phone
            (phones if uid == book.uid else moved.setdefault(uid, [])).append(phone)
        return Book(book.uid, phones)


def _given(line: Mapping[str, str | None], where: str) -> dict[str, str]:
    """The values of a line that are not empty. Raises UnreadableError."""
    values = {name: (line.get(name) or "").strip() for name in COLUMNS[3:]}
    wrong = [name for name in sorted(_NUMBERS) if values[name] and not values[name].isdecimal()]
    if wrong:
        raise UnreadableError(f"{where}: {wrong[0]} is to be a number")
    return {name: value for name, value in values.items() if value}


def _typed(key: str, row: NamedTuple, value: str) -> object:
    held = getattr(row, key)
    return value.encode() if isinstance(held, bytes) else int(value) if isinstance(held, int) else value


class Skipped:
    """Writes the file; only its owner may read it, for it holds phone numbers. No token stands in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._file: IO[str]

    def __enter__(self) -> Self:
        self._file = writing(self.path)
        self._writer = csv.writer(self._file)
        self._writer.writerow(COLUMNS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, table: str, row: str, reason: str, **values: object) -> None:
        """Note a row that was left out, and why."""
        self.count += 1
        self._writer.writerow([table, row, reason, *(values.get(name, "") for name in COLUMNS[3:])])

"""Rows that travel as one text each.

A driver in Python spends its time on columns: it reads what each is called and of which type, then every
value by itself. The session's look-up with its ten columns costs two and a half times as much as the same ten
values in one text (docs/benchmarks.md), so the busiest statements pack theirs.

A packed row is declared once, as a record whose fields name their columns:

    class Profile(Struct, frozen=True, array_like=True):
        uid: Annotated[int, User.uid]
        name: Annotated[str, User.name]

    PROFILE = PackedRow(Profile)

`PROFILE.column` is what a statement selects, `PROFILE.read` makes a `Profile` of what it brings.
Statements whose rows are few select the `columns` of such a record as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeVar, get_args, get_type_hints

import msgspec
from sqlalchemy import ColumnElement, Connection, Executable, String, func, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import TypeEngine

from messenger_api.storage.statements import texts

# No text of ours holds a NUL: requests with one are refused (ops.binding).
SEPARATOR = "\x00"

R = TypeVar("R", bound=msgspec.Struct)


class _Packed(GenericFunction[str]):
    """Its arguments as one text."""

    type: TypeEngine[str] = String()
    name = "packed"
    inherit_cache = True


def packed(*columns: Any) -> ColumnElement[str]:
    """One text out of several values, none of which is NULL or binary."""
    return _Packed(*columns)


def columns(record: type[msgspec.Struct]) -> list[ColumnElement[Any]]:
    """The columns that the fields of a record name: for statements whose rows are few, and not packed.

    Raises:
        TypeError: a column holds something else than its field says.
    """
    declared = _declared(record)
    for kind, column in declared:
        _check(kind, column)
    return [column for _kind, column in declared]


def unpack(text: str) -> list[str]:
    """The values in a packed text, as texts."""
    return text.split(SEPARATOR)


class PackedRow(Generic[R]):
    """Selects rows of a record as one text each, and reads them.

    Every field of the record is `Annotated[T, column]`, where T is what the column holds: int, str or bytes,
    or `bytes | None` for a column that may be NULL. Bytes travel as hexadecimal digits.

    Raises:
        TypeError: a column holds something else than its field says.
    """

    def __init__(self, record: type[R]) -> None:
        declared = _declared(record)
        self._record = record
        self._records = list[record]  # type: ignore[valid-type]
        self._columns = [_as_text(kind, column) for kind, column in declared]
        self._binary = [place for place, (kind, _column) in enumerate(declared) if bytes in _kinds(kind)]

    @property
    def column(self) -> ColumnElement[str]:
        """The row, to be selected."""
        return packed(*self._columns)

    def first(self, connection: Connection, statement: Executable, values: Mapping[str, object]) -> R | None:
        """The first record that a statement for `column` finds. As `statements.execute`."""
        found = texts(connection, statement, values)
        return self.read(found[0]) if found else None

    def read(self, text: str) -> R:
        """The record in its packed text."""
        return self.read_all([text])[0]

    def read_all(self, texts: Iterable[str]) -> list[R]:
        """The records in their packed texts."""
        rows: list[list[Any]] = [text.split(SEPARATOR) for text in texts]
        for place in self._binary:
            for values in rows:
                values[place] = bytes.fromhex(values[place]) or None
        return msgspec.convert(rows, self._records, strict=False)


def _kinds(declared: Any) -> tuple[Any, ...]:
    """The types that `int` or `bytes | None` names."""
    return get_args(declared) or (declared,)


def _declared(record: type[msgspec.Struct]) -> list[tuple[Any, Any]]:
    """The type and the column of each field."""
    hints = get_type_hints(record, include_extras=True)
    return [get_args(hints[name]) for name in record.__struct_fields__]


def _check(declared: Any, column: Any) -> None:
    kind, held = _kinds(declared)[0], column.type.python_type
    if not issubclass(kind, held):
        raise TypeError(f"{column} holds {held.__name__}, not {kind.__name__}")


def _as_text(declared: Any, column: Any) -> ColumnElement[Any]:
    _check(declared, column)
    kind, *more = _kinds(declared)
    written = func.hex(column) if kind is bytes else column
    return func.coalesce(written, literal_column("''")) if more else written


@compiles(_Packed)
def _for_mysql(element: _Packed, compiler: SQLCompiler, **options: Any) -> str:
    # The separator decides the collation of the whole: rows of different columns may stand in one union.
    separator = "char(0 USING utf8mb4) COLLATE utf8mb4_bin"
    return f"concat_ws({separator}, {compiler.process(element.clauses, **options)})"


@compiles(_Packed, "sqlite")
def _for_sqlite(element: _Packed, compiler: SQLCompiler, **options: Any) -> str:
    values = (compiler.process(value, **options) for value in element.clauses)
    return f"({' || char(0) || '.join(values)})"

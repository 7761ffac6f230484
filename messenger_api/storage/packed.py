"""Rows that travel as one text each.

A driver in Python spends its time on columns: it reads what each is called and of which type, then every
value by itself. The session's look-up with its ten columns costs two and a half times as much as the same ten
values in one text (docs/benchmarks.md), so the busiest statements pack theirs.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BINARY, ColumnElement, String, func
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import TypeEngine

# No text of ours holds a NUL: requests with one are refused (ops.binding).
SEPARATOR = "\x00"


class _Packed(GenericFunction[str]):
    """Its arguments as one text."""

    type: TypeEngine[str] = String()
    name = "packed"
    inherit_cache = True


def packed(*columns: Any) -> ColumnElement[str]:
    """One text out of several values, none of which is NULL; bytes become hexadecimal digits."""
    return _Packed(*(func.hex(c) if isinstance(c.type, BINARY) else c for c in columns))


def unpack(text: str) -> list[str]:
    """The values in a packed text, as texts."""
    return text.split(SEPARATOR)


@compiles(_Packed)
def _for_mysql(element: _Packed, compiler: SQLCompiler, **options: Any) -> str:
    # The separator decides the collation of the whole: rows of different columns may stand in one union.
    separator = "char(0 USING utf8mb4) COLLATE utf8mb4_bin"
    return f"concat_ws({separator}, {compiler.process(element.clauses, **options)})"


@compiles(_Packed, "sqlite")
def _for_sqlite(element: _Packed, compiler: SQLCompiler, **options: Any) -> str:
    values = (compiler.process(value, **options) for value in element.clauses)
    return f"({' || char(0) || '.join(values)})"

"""What every table is declared on, and the same table once more."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, TypeVar

from sqlalchemy import Column, ForeignKey, MetaData, Table, TextClause
from sqlalchemy.sql import FromClause
from sqlalchemy.types import TypeEngine


class Base:
    """Base of the tables: the columns of each are its attributes. Constraints are named, for migrations.

    Of SQLAlchemy's two halves only the lower one is used, statements and types: to load its mapper of objects
    takes a fifth of a short command.
    """

    metadata: ClassVar = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    __tablename__: ClassVar[str]
    __table_args__: ClassVar[tuple[Any, ...]]
    """Indexes, and options of the table as the last one."""
    __table__: ClassVar[FromClause]

    def __init_subclass__(cls) -> None:
        if "__tablename__" not in vars(cls):
            return
        columns = {name: each for name, each in vars(cls).items() if isinstance(each, Column)}
        for name, each in columns.items():
            each.name = each.key = name
        *indexes, options = cls.__table_args__
        cls.__table__ = Table(cls.__tablename__, cls.metadata, *columns.values(), *indexes, **options)

    @classmethod
    def __clause_element__(cls) -> FromClause:
        """What SQLAlchemy takes in the place of the class."""
        return cls.__table__


B = TypeVar("B", bound=Base)


def column(
    kind: TypeEngine[Any] | type[TypeEngine[Any]] | ForeignKey,
    *,
    primary_key: bool = False,
    unique: bool = False,
    index: bool = False,
    autoincrement: bool | Literal["auto"] = "auto",
    nullable: bool = False,
    server_default: TextClause | None = None,
) -> Column[Any]:
    """A column, which holds no NULL unless it is said to."""
    return Column(
        kind,
        primary_key=primary_key,
        unique=unique,
        index=index,
        autoincrement=autoincrement,
        nullable=nullable,
        server_default=server_default,
    )


def aliased(table: type[B]) -> type[B]:
    """The same table under another name, for statements that look at two of its rows at once."""
    alias = table.__table__.alias()
    again: type[B] = type(table.__name__, (table,), {"__table__": alias, **alias.c})
    return again

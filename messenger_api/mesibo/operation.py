"""What all ops have in common: a record is what is asked, its type says what is answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

A = TypeVar("A", covariant=True)


@dataclass(frozen=True, kw_only=True)
class Operation(Generic[A]):
    """One call of mesibo's backend API, whose answer is an `A`. A field that is None is not sent.

    Attributes:
        OP: its name on the wire.
        ANSWER: the record of its answer, or of each item of a list; None where only success counts.
    """

    OP: ClassVar[str]
    ANSWER: ClassVar[type[Any] | None] = None


@dataclass(frozen=True)
class File:
    """A file that is sent: the name under which, and its bytes."""

    name: str
    content: bytes = field(repr=False)

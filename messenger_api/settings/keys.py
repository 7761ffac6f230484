"""How a key of the configuration is declared: its type, default, check, help and examples in one place.

    @dataclass(frozen=True)
    class ExampleKeys(Keys):
        example_key: str = key("", as_text, "The key of the account.", "k-0123", secret=True)

`config.example.py` is written from these declarations by scripts/make-config-example.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Generic, TypeVar

from messenger_api.settings.conversions import Convert

T = TypeVar("T")


@dataclass(frozen=True)
class Key(Generic[T]):
    """A declaration, without the key's name and type, which stand before it."""

    default: T
    convert: Convert[T]
    help: str
    """Sentences for the operator: they stand above the key in config.example.py."""
    examples: tuple[object, ...]
    """Values as an operator may write them; each is accepted, and none is the default."""
    secret: bool
    """Whether the value is never shown."""
    needed: bool
    """Whether nothing works without it where its record is in use."""


@dataclass(frozen=True)
class Keys:
    """Keys that belong together: a section of config.example.py.

    The first line of the docstring of such a class is the section's title, the rest stands below it.
    """

    def faults(self) -> Iterator[str]:
        """A line for each fault of keys that are right by themselves and wrong together."""
        return iter(())

    def missing(self) -> list[str]:
        """The names, in capitals, of the keys that are needed and were not given."""
        needed = (name for name, key in declared(type(self)).items() if key.needed)
        return [name.upper() for name in needed if not getattr(self, name)]


def key(
    default: T,
    convert: Convert[T],
    help_text: str,
    first_example: object,
    *examples: object,
    secret: bool = False,
    needed: bool = False,
) -> T:
    """A key among `Keys`, by the name that it has in `config.py`, in lower case.

    Args:
        default: what holds where the operator writes nothing.
        convert: makes of what the operator wrote the value to keep, or raises `Unacceptable`.
        help_text: what the operator must know of it.
        first_example: a value as an operator may write it.
        examples: more of them.
        secret: the value is never shown: not in faults, logs or the printed form.
        needed: what has this key, a provider for example, cannot do without it.
    """
    declared = Key(default, convert, help_text, (first_example, *examples), secret, needed)
    return field(default=default, repr=False, metadata={"key": declared})


def declared(kind: type[Keys]) -> Mapping[str, Key[object]]:
    """The keys of a record, by their names in lower case."""
    return {each.name: each.metadata["key"] for each in fields(kind) if "key" in each.metadata}

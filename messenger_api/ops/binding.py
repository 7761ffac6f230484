"""From the fields of a request to the typed record that an op declares.

The apps are lenient in what they send: numbers come as texts, lists as comma-separated texts or as JSON
arrays written out, an empty text where a number was left out. Everything beyond that is refused, with every
field at fault named, but for preferences, which never stop an op.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple, TypeVar, get_args

import msgspec
from msgspec import inspect
from msgspec.structs import FieldInfo, fields

from messenger_api.domain.codes import Number
from messenger_api.domain.encodings import ARRAY, from_json
from messenger_api.domain.errors import BadValue

P = TypeVar("P", bound=msgspec.Struct)
T = TypeVar("T")

# MySQL stores it, but C libraries end a text at it, and no person types it.
FORBIDDEN = "\x00"
ARRAY_START = "["
READ = "str, int, float, bool, list[str], a Literal or Enum of texts, Decimal, UUID, date, time, datetime"
"""What `is_read`, in words."""
_READ = (
    inspect.StrType,
    inspect.IntType,
    inspect.FloatType,
    inspect.BoolType,
    inspect.DecimalType,
    inspect.UUIDType,
    inspect.DateType,
    inspect.TimeType,
    inspect.DateTimeType,
    inspect.NoneType,
)


@dataclass(frozen=True)
class Cleaned:
    """In a field's type: what a text goes through before anything else looks at it."""

    clean: Callable[[str], str]


@dataclass(frozen=True)
class Preference:
    """In a field's type: a value that cannot be read counts as absent."""


@dataclass(frozen=True)
class AsTyped:
    """In a field's type: a secret, whose blanks belong to it; `domain.codes.Number` if it was a number."""


class _Field(NamedTuple):
    attribute: str
    name: str
    """On the wire."""
    read: Callable[[object], object]
    """Returns UNSET for what counts as absent. Raises ValidationError, TypeError, ValueError."""
    preference: bool


def bind(parameters: type[P], given: Mapping[str, object]) -> P:
    """Read the declared fields out of a request.

    Raises:
        BadValue: fields have the wrong type or range; `properties` names all of them.
    """
    values: dict[str, object] = {}
    faults: dict[str, str] = {}
    for field in _declared(parameters):
        value = given.get(field.name)
        if value is None:
            continue
        try:
            read = field.read(value)
        except (msgspec.ValidationError, TypeError, ValueError) as error:
            if not field.preference:
                faults[field.name] = str(error).partition(" - at")[0]
        else:
            if read is not msgspec.UNSET:
                values[field.attribute] = read
    if faults:
        name, wanted = next(iter(faults.items()))
        raise BadValue(properties=tuple(faults), field=name, wanted=wanted)
    return parameters(**values)


@lru_cache(maxsize=64)
def _declared(parameters: type[msgspec.Struct]) -> Sequence[_Field]:
    return [
        _Field(info.name, info.encode_name, _reader(info), bool(list(marks(info.type, Preference))))
        for info in fields(parameters)
    ]


def is_read(declared: Any) -> bool:
    """Whether a field may have this type. What msgspec knows nothing of raises what it raises."""
    found = inspect.type_info(declared)
    choices = found.types if isinstance(found, inspect.UnionType) else (found,)
    return all(map(_is_read, choices))


def _is_read(found: inspect.Type) -> bool:
    while isinstance(found, inspect.Metadata):
        found = found.type
    if isinstance(found, inspect.ListType):
        return isinstance(found.item_type, inspect.StrType)
    if isinstance(found, inspect.LiteralType):
        return all(isinstance(value, str) for value in found.values)
    if isinstance(found, inspect.EnumType):
        return all(isinstance(member.value, str) for member in found.cls)
    return isinstance(found, _READ)


def _reader(info: FieldInfo) -> Callable[[object], object]:
    kinds = [getattr(kind, "__origin__", kind) for kind in (info.type, *get_args(info.type))]
    if list in kinds:
        return _items
    if any(kind in kinds for kind in (int, float, bool)):
        return partial(_number, info.type)
    if next(marks(info.type, AsTyped), None):
        return partial(_as_typed, info.type)
    cleaned = next(marks(info.type, Cleaned), Cleaned(_without_forbidden))
    return partial(_cleaned, info.type, cleaned.clean)


def marks(declared: Any, kind: type[T]) -> Iterator[T]:
    """What of this kind stands in an `Annotated`, also of one that may be None."""
    for each in (declared, *get_args(declared)):
        yield from (mark for mark in getattr(each, "__metadata__", ()) if isinstance(mark, kind))


def _number(declared: Any, value: object) -> object:
    text = _without_forbidden(_one(value))
    # Apps send "" for a number that they do not have.
    return msgspec.convert(text, declared, strict=False) if text else msgspec.UNSET


def _cleaned(declared: Any, clean: Callable[[str], str], value: object) -> object:
    return msgspec.convert(clean(_one(value)), declared)


def _as_typed(declared: Any, value: object) -> str:
    text = value if isinstance(value, str) else _digits(value)
    msgspec.convert(str(_without_forbidden(text)), declared)
    return text


def _digits(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return _one(value)
    whole = isinstance(value, float) and value.is_integer()
    return Number(int(value) if whole else value)


def _items(value: object) -> list[str] | msgspec.UnsetType:
    """A comma-separated text, a repeated field or an array, as texts without blanks.

    An array may be written out as a text, too; one without entries then counts as absent. What can be no
    entry, whatever JSON makes of it, is left out: one must not stop the whole phone book.
    """
    entries: list[Any] = value if isinstance(value, list) else [_one(value)]
    try:
        joined = ",".join(entries)
    except TypeError:  # there is more than texts among them
        entries = list(map(entry, entries))
        joined = ",".join(entries)
    if ARRAY_START not in joined:
        return _split(joined)
    arrays = [split(entry) for entry in entries]
    return msgspec.UNSET if arrays and not any(arrays) else [item for array in arrays for item in array]


def split(text: str) -> list[str]:
    """The entries of a list that came as one text: an array written out, or separated by commas."""
    if text.lstrip().startswith(ARRAY_START):
        try:
            items = from_json(text.encode(), ARRAY)
            return _split(",".join(map(entry, items)))
        except (msgspec.DecodeError, RecursionError):
            pass  # a phone book may begin with a bracket as well
    return _split(text)


def _split(joined: str) -> list[str]:
    items = [text for text in map(str.strip, joined.split(",")) if text]
    return [text for text in items if FORBIDDEN not in text] if FORBIDDEN in joined else items


def entry(value: object) -> str:
    """A value of a list; "" for what is none of a phone book."""
    try:
        return _text(value)
    except (TypeError, ValueError):
        return ""


def _one(value: object) -> str:
    if isinstance(value, str):  # nearly always
        return value.strip()
    if isinstance(value, list):
        raise TypeError("Expected one value, got a list")
    return _text(value)


def _text(value: object) -> str:
    """One value as a trimmed text; JSON's numbers and booleans read as the forms send them."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return str(int(value))
    if not isinstance(value, (str, int)):
        raise TypeError(f"Expected a text or a number, got {type(value).__name__}")
    if isinstance(value, int) and abs(value) >= 2**64:
        raise ValueError("Expected a number of at most 64 bits")
    return str(value).strip()


def _without_forbidden(text: str) -> str:
    if FORBIDDEN in text:
        raise ValueError("Expected a text without NUL characters")
    return text

"""From the fields of a request to the typed record that an op declares.

The apps are lenient in what they send: numbers come as texts, lists as comma-separated texts, an empty
text where a number was left out. Everything beyond that is refused, with every field at fault named.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeVar, get_args, get_origin

import msgspec
from msgspec.structs import FieldInfo, fields

from messenger_api.domain.errors import BadValue

P = TypeVar("P", bound=msgspec.Struct)

# MySQL stores it, but C libraries end a text at it, and no person types it.
FORBIDDEN = "\x00"


def bind(parameters: type[P], given: Mapping[str, object]) -> P:
    """Read the declared fields out of a request.

    Raises:
        BadValue: fields have the wrong type or range; `properties` names all of them.
    """
    values: dict[str, object] = {}
    faults: dict[str, str] = {}
    for name, info in _declared(parameters).items():
        value = given.get(name)
        if value is None:
            continue
        try:
            read = _read(info, value)
        except (msgspec.ValidationError, TypeError, ValueError) as error:
            faults[name] = str(error).partition(" - at")[0]
        else:
            if read is not msgspec.UNSET:
                values[name] = read
    if faults:
        field, wanted = next(iter(faults.items()))
        raise BadValue(properties=tuple(faults), field=field, wanted=wanted)
    return parameters(**values)


@lru_cache(maxsize=64)
def _declared(parameters: type[msgspec.Struct]) -> dict[str, FieldInfo]:
    return {info.encode_name: info for info in fields(parameters)}


def _read(info: FieldInfo, value: object) -> object:
    if _is_list(info.type):
        return _items(value)
    if isinstance(value, list):
        raise TypeError("Expected one value, got a list")
    text = _text(value)
    if _is_number(info.type):
        # Apps send "" for a number that they do not have.
        return msgspec.convert(text, info.type, strict=False) if text else msgspec.UNSET
    return msgspec.convert(text, info.type)


def _is_list(declared: Any) -> bool:
    return any(get_origin(kind) is list for kind in (declared, *get_args(declared)))


def _is_number(declared: Any) -> bool:
    return getattr(declared, "__origin__", declared) is int


def _items(value: object) -> list[str]:
    """A comma-separated text, a repeated field or a JSON array, as texts without blanks.

    What can be no entry, whatever JSON makes of it, is left out: one must not stop the whole phone book.
    """
    entries: list[Any] = value if isinstance(value, list) else [value]
    try:
        joined = ",".join(entries)
    except TypeError:  # there are numbers among them, or worse
        joined = ",".join(filter(None, map(_entry, entries)))
    items = [text for text in map(str.strip, joined.split(",")) if text]
    return [text for text in items if FORBIDDEN not in text] if FORBIDDEN in joined else items


def _entry(value: object) -> str:
    try:
        return _text(value)
    except (TypeError, ValueError):
        return ""


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
    text = str(value).strip()
    _refuse_forbidden(text)
    return text


def _refuse_forbidden(text: str) -> None:
    if FORBIDDEN in text:
        raise ValueError("Expected a text without NUL characters")

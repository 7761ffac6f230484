"""Values of fields: whether they are allowed, and how each style writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from messenger_api.mesibo.operation import File
from messenger_api.mesibo.specification import Field


def path_of(record: object, path: str) -> Any:
    """What stands in a record under a dotted name; None where nothing does."""
    for name in path.split("."):
        record = getattr(record, name, None)
    return record


def checked(field: Field, value: Any) -> Any:
    """The value.

    Raises:
        ValueError: it is not of the field's type, or outside of its bounds.
    """
    if not _IS[field.type](value):
        raise ValueError(f"{field.name} must be {_WANTED[field.type]}")
    if field.values and value not in field.values:
        raise ValueError(f"{field.name} must be one of {', '.join(map(str, field.values))}")
    if field.type == "integer":
        if field.least is not None and value < field.least:
            raise ValueError(f"{field.name} must be at least {field.least}")
        if field.most is not None and value > field.most:
            raise ValueError(f"{field.name} must be at most {field.most}")
    return value


def written(value: Any, field: Field, style: str) -> Any:
    """The value as it stands on the wire: of form and multipart, what becomes a text as it is."""
    if field.type == "addresses":
        return join(value)
    if field.type == "rates":
        return ",".join(f"{seconds}:{most}" for seconds, most in value)
    if isinstance(value, bool) and (field.type == "bit" or style != "json"):
        return int(value)
    return value


def join(addresses: Sequence[str]) -> str:
    """mesibo's comma-separated list.

    Raises:
        ValueError: an address is empty or holds a comma, and would be read as another list.
    """
    if any(not address or "," in address for address in addresses):
        raise ValueError("an address in a list must not be empty nor hold a comma")
    return ",".join(addresses)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _is_rates(value: Any) -> bool:
    return _is_list(value) and all(
        _is_list(pair) and len(pair) == 2 and all(isinstance(each, int) and each >= 0 for each in pair)
        for pair in value
    )


_IS: Mapping[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "address": lambda value: isinstance(value, str) and value != "" and "," not in value,
    "addresses": _is_list,
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "bit": lambda value: isinstance(value, bool),
    "rates": _is_rates,
    "file": lambda value: isinstance(value, File),
}
_WANTED = {
    "text": "a text",
    "address": "a text that is not empty and holds no comma",
    "addresses": "a list of addresses",
    "integer": "a whole number",
    "boolean": "True or False",
    "bit": "True or False",
    "rates": "a list of pairs (seconds, most)",
    "file": "a File",
}

"""Records made of names and values, for callers that learn both at run time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from messenger_api.mesibo import ops
from messenger_api.mesibo.operation import Operation
from messenger_api.mesibo.specification import operations


def build(op: str, values: Mapping[str, object]) -> Operation[Any]:
    """The record of an op with these values by the names of its fields, dotted where they stand in sections.

    Raises:
        KeyError: no such op.
        TypeError: no such field, or a required one is missing.
    """
    built: Operation[Any] = _built(operations()[op].record, values)
    return built


def _built(record: str, values: Mapping[str, object]) -> Any:
    own: dict[str, object] = {}
    sections: dict[str, dict[str, object]] = {}
    for path, value in values.items():
        head, _, rest = path.partition(".")
        if rest:
            sections.setdefault(head, {})[rest] = value
        else:
            own[head] = value
    for head, found in sections.items():
        own[head] = _built(record + "".join(map(str.capitalize, head.split("_"))), found)
    return getattr(ops, record)(**own)

"""One good call of every op: what tests, the benchmark, docs/ops.md and the playground show of it.

Of an op that is not ours it is made of its record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from msgspec import NODEFAULT, UNSET, Meta, to_builtins
from msgspec.structs import FieldInfo, fields

from messenger_api.ops.binding import marks
from messenger_api.ops.call import Operation

OWN, FRIEND, OTHER, NEW = "14155550101", "14155550102", "14155550103", "14155550177"
"""The caller's number, those of two who have accounts, and one that nobody has."""
APPID = "com.example.messenger"
GID, PHOTO = "{gid}", "{photo}"
"""Stand for what only a running server or a test knows: a group of the caller's, the bytes of a picture."""
STANDING_IN = frozenset({GID, PHOTO})


@dataclass(frozen=True)
class Example:
    """The parameters of a good call, besides `op` and `token`."""

    fields: Mapping[str, object]

    def filled(self, values: Mapping[str, object]) -> dict[str, object]:
        """The parameters with values for `{gid}` and `{photo}`.

        Raises:
            KeyError: there is no value for one that stands in this example.
        """
        return {
            name: values[field] if isinstance(field, str) and field in STANDING_IN else field
            for name, field in self.fields.items()
        }


def _example(**fields: object) -> Example:
    return Example(fields)


EXAMPLES: Mapping[str, Example] = {
    "loginui": _example(),
    "login": _example(phone=OTHER, appid=APPID),
    "getcontacts": _example(ts=0, phones=FRIEND),
    "delcontacts": _example(phones=FRIEND),
    "profile": _example(name="Ana", status="away"),
    "upload": _example(profile=1, photo=PHOTO),
    "setgroup": _example(gid=0, name="Walks", m=FRIEND),
    "getgroup": _example(gid=GID),
    "editmembers": _example(gid=GID, m=OTHER),
    "setadmin": _example(gid=GID, m=FRIEND, admin=1),
    "delgroup": _example(gid=GID),
    "setnotify": _example(notifytoken="push", dt=1),
    "sessions": _example(),
    "revoke": _example(others=1),
    "exportaccount": _example(),
    "changenumber": _example(phone=NEW),
    "block": _example(phones=OTHER),
    "unblock": _example(phones=OTHER),
    "blocked": _example(),
    "report": _example(phone=FRIEND, reason="spam"),
    "deleteaccount": _example(),
    "logout": _example(),
}
"""In an order in which one caller may make all of them."""


def example_of(op: str, operation: Operation) -> Example:
    """A good call of an op.

    One that is not ours sends the first of a field's `Meta(examples=[...])`, else its default; nothing empty.
    """
    return EXAMPLES.get(op) or Example(dict(_likely(operation)))


def _likely(operation: Operation) -> Iterator[tuple[str, object]]:
    for info in fields(operation.parameters):
        if value := _likely_value(info):
            yield info.encode_name, value
    if operation.file:
        yield "photo", PHOTO


def _likely_value(info: FieldInfo) -> object:
    given = (mark.examples[0] for mark in marks(info.type, Meta) if mark.examples)
    default = None if info.default in (NODEFAULT, UNSET) else info.default
    return next(given, None) or to_builtins(default)

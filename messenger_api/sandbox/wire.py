"""The fields of a request, read by `specification.json` of the library.

A strict reading takes what mesibo documents. The other takes also what callers are seen to send: any style at
any path, flat names in JSON, numbers and truths as texts, nothing in a field that may be absent, a list that
is too long by far. Neither takes a field that the op has not: a typing error is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from messenger_api.mesibo.specification import STYLES, Field, OpSpecification, Spelling, operations
from messenger_api.sandbox.asked import is_text

# JSON numbers are exact up to here in every language the callers are written in.
LARGEST = 2**53 - 1
# mesibo's own example sends null here.
_MAY_BE_NULL = frozenset({"message.flags"})
# What mesibo's PHP helpers add to every request, and what mesibo therefore passes over.
HELPERS = frozenset({"sig", "apiurl"})
_TRUTHS = {"true": 1, "false": 0}
_MOST_ITEMS = "count"

# Beside the specification: as groupeditmembers says it (inferred).
_REMOVE = Field("remove", "boolean", "Ends the token.", {"json": Spelling("user.token.remove", "inferred")})
BESIDE: Mapping[str, tuple[Field, ...]] = {"usertoken": (_REMOVE,)}


@dataclass(frozen=True)
class Upload:
    """A file that came: its name and content."""

    name: str
    content: bytes


Value = str | int | bool | Upload


class RefusedError(Exception):
    """The request is answered with `result` false; what the members mean is mesibo's documentation."""

    def __init__(
        self, error: str, code: int, cause: str, properties: list[str] | None = None, action: str = ""
    ) -> None:
        super().__init__(error)
        self.error = error
        self.code = code
        self.cause = cause
        self.properties = properties or []
        self.action = action or "compare the request with docs/mesibo.md"


@dataclass(frozen=True)
class Envelope:
    """What every request carries, and its other fields still unread."""

    op: str
    token: object
    id: Value | None
    style: str
    fields: Mapping[str, object]
    key: object = None

    @property
    def form(self) -> bool:
        """Whether names are flat and an answer's numbers texts."""
        return self.style != "json"


@dataclass(frozen=True)
class Call:
    """A request that was understood: values by the specification's names, and the JSON objects in it."""

    op: str
    style: str
    strict: bool
    values: Mapping[str, Value]
    objects: frozenset[str] = frozenset()

    @property
    def form(self) -> bool:
        """Whether names are flat and an answer's numbers texts."""
        return self.style != "json"

    def text(self, name: str, default: str = "") -> str:
        """A text field."""
        return str(self.values.get(name, default))

    def whole(self, name: str, default: int = 0) -> int:
        """A numeric field."""
        value = self.values.get(name, default)
        return int(value) if isinstance(value, int) else default

    def number(self, name: str) -> int | None:
        """A numeric field, None where it is absent; -1 too leaves all as it is (mesibo's console)."""
        value = self.whole(name, -1)
        return None if value < 0 else value

    def flag(self, name: str) -> bool:
        """A yes-or-no field; absent is no."""
        return bool(self.values.get(name, False))

    def maybe(self, name: str) -> bool | None:
        """A yes-or-no field, None where it is absent."""
        return bool(self.values[name]) if name in self.values else None

    def file(self, name: str) -> Upload:
        """A file; empty where it is absent."""
        value = self.values.get(name)
        return value if isinstance(value, Upload) else Upload("", b"")

    def addresses(self, name: str) -> list[str]:
        """A comma-separated list of addresses. One listed twice is kept; an empty one is refused."""
        if not self.values.get(name):
            return []
        found = self.text(name).split(",")
        if not all(found):
            raise self.bad(name, "an address in the list is empty")
        return found

    def wire_name(self, name: str) -> str:
        """The field's name as the caller knows it."""
        return _wire_name(_fields(operations()[self.op])[name], self.style)

    def missing(self, *names: str) -> RefusedError:
        """The refusal for required fields that are absent."""
        properties = [self.wire_name(name) for name in names]
        said = " or ".join(properties)
        return RefusedError("MISSINGPARA", 400, f"missing: {said}", properties, f"send {said}")

    def bad(self, name: str, cause: str) -> RefusedError:
        """The refusal for a field with a bad value."""
        field = _fields(operations()[self.op])[name]
        return _bad(field, self.style, cause)


def _bad(field: Field, style: str, cause: str) -> RefusedError:
    name = _wire_name(field, style)
    return RefusedError("BADVALUE", 400, f"{name}: {cause}", [name], f"{name}, {field.type}: {field.about}")


def _wire_name(field: Field, style: str) -> str:
    spelt = field.spellings.get(style) or next(iter(field.spellings.values()))
    return spelt.name.rpartition(".")[2]


@cache
def _all_fields() -> Mapping[str, Mapping[str, Field]]:
    return {
        op.name: {**op.fields, **{each.name: each for each in BESIDE.get(op.name, ())}}
        for op in operations().values()
    }


def _fields(op: OpSpecification) -> Mapping[str, Field]:
    return _all_fields()[op.name]


@cache
def _names(op: str, style: str, strict: bool) -> Mapping[str, Field]:
    """The names by which a request of this style may call each field."""
    fields = _all_fields()[op].values()
    found = {each.spellings[style].name: each for each in fields if style in each.spellings}
    if not strict:
        for other in STYLES:
            for each in fields:
                if other in each.spellings:
                    found.setdefault(each.spellings[other].name, each)
        for each in fields:
            found.setdefault(_wire_name(each, "json"), each)
    return found


def read(envelope: Envelope, *, strict: bool) -> Call:
    """The call that the envelope holds.

    Raises:
        RefusedError: a field is unknown, has a wrong type or range, or a required one is absent.
    """
    op, style = operations()[envelope.op], envelope.style
    if strict and style not in op.styles:
        styles = " or ".join(op.styles)
        raise RefusedError("BADVALUE", 400, f"{op.name} is asked in {styles}", None, f"send {styles}")
    known = _names(op.name, style, strict)
    leaves, objects = _given(envelope, known, strict)
    _refuse_unknown(leaves, objects, known)
    values = {known[key].name: _checked(known[key], value, style, strict) for key, value in leaves.items()}
    call = Call(op.name, style, strict, values, objects)
    absent = [field.name for field in op.fields.values() if field.required and field.name not in values]
    if absent:
        raise call.missing(*absent)
    return call


def _given(
    envelope: Envelope, known: Mapping[str, Field], strict: bool
) -> tuple[dict[str, object], frozenset[str]]:
    """The fields that count, by their names or paths, and the JSON objects in the request."""
    given = {key: value for key, value in envelope.fields.items() if strict or key not in HELPERS}
    leaves, objects = _flatten(given) if envelope.style == "json" else (given, frozenset[str]())
    counts = {
        path: value for path, value in leaves.items() if not _is_absent(known, path, value, strict=strict)
    }
    return counts, objects


def _is_absent(known: Mapping[str, Field], path: str, value: object, *, strict: bool) -> bool:
    if value is None and path in _MAY_BE_NULL:
        return True
    field = known.get(path)
    if strict or field is None or field.required:
        return False
    return value is None or (value == "" and field.type not in ("text", "address", "addresses"))


def _flatten(fields: Mapping[str, object]) -> tuple[dict[str, object], frozenset[str]]:
    leaves: dict[str, object] = {}
    objects = set()
    for path, value in _walk("", fields):
        if isinstance(value, dict):
            objects.add(path)
        else:
            leaves[path] = value
    return leaves, frozenset(objects)


def _walk(prefix: str, fields: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for key, value in fields.items():
        # A dot in a member's name must not pass for a nesting.
        path = prefix + key.replace(".", "\\.")
        yield path, value
        if isinstance(value, dict):
            yield from _walk(path + ".", value)


def _refuse_unknown(
    leaves: Mapping[str, object], objects: frozenset[str], known: Mapping[str, Field]
) -> None:
    holders = {path[:at] for path in known for at, letter in enumerate(path) if letter == "."}
    unknown = [path for path in leaves if path not in known] + sorted(objects - holders)
    if unknown:
        names = [path.rpartition(".")[2] for path in unknown]
        fields = ", ".join(sorted(known))
        raise RefusedError("BADVALUE", 400, "not a field of this op", names, f"its fields: {fields}")


def _checked(field: Field, value: object, style: str, strict: bool) -> Value:
    checked = _READERS.get(field.type, _as_text)(field, value, style, strict)
    if checked is None:
        raise _bad(field, style, "wrong type or range")
    if checked == "" and (field.required or (strict and field.type == "rates")):
        raise _bad(field, style, "empty")
    if field.values and checked not in field.values:
        raise _bad(field, style, f"one of {', '.join(map(str, field.values))}")
    return checked


def _as_text(field: Field, value: object, style: str, strict: bool) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool) and not strict:
        value = str(value)
    if not isinstance(value, str) or not is_text(value):
        return None
    return None if field.type == "address" and "," in value else value


def _as_addresses(field: Field, value: object, style: str, strict: bool) -> str | None:
    if isinstance(value, list) and not strict:
        found = [_as_text(field, each, style, strict) for each in value]
        return None if None in found else ",".join(map(str, found))
    return _as_text(field, value, style, strict)


def _as_rates(field: Field, value: object, style: str, strict: bool) -> str | None:
    text = _as_text(field, value, style, strict)
    return text if text is not None and re.fullmatch(r"([0-9]+:[0-9]+(,[0-9]+:[0-9]+)*)?", text) else None


def _as_number(field: Field, value: object, style: str, strict: bool) -> int | None:
    number = _plain_number(value, digits=style != "json" or not strict)
    if number is None or abs(number) > LARGEST or (field.least is not None and number < field.least):
        return None
    if field.most is not None and number > field.most:
        return field.most if field.name == _MOST_ITEMS and not strict else None
    return number


def _plain_number(value: object, *, digits: bool) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if digits and isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,16}", value) else None


def _as_truth(field: Field, value: object, style: str, strict: bool) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and not strict:
        value = _TRUTHS.get(value.lower(), value)
    number = _plain_number(value, digits=style != "json" or not strict)
    return bool(number) if number in (0, 1) else None


def _as_file(field: Field, value: object, style: str, strict: bool) -> Upload | None:
    if isinstance(value, str) and not strict:
        return Upload("", value.encode(errors="replace"))
    return value if isinstance(value, Upload) else None


_READERS = {
    "integer": _as_number,
    "boolean": _as_truth,
    "bit": _as_truth,
    "addresses": _as_addresses,
    "rates": _as_rates,
    "file": _as_file,
}

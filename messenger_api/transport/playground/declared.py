"""What the pages of ops show of an op, drawn from its declaration."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any, Literal, NotRequired, get_args, get_origin, get_type_hints, is_typeddict

from msgspec import Meta
from msgspec.structs import FieldInfo
from msgspec.structs import fields as declared_fields

from messenger_api.domain.errors import ApiError, Refused
from messenger_api.ops import OPERATIONS
from messenger_api.ops.answers import Failure, LoggedIn, Success
from messenger_api.ops.binding import marks
from messenger_api.ops.call import Operation
from messenger_api.ops.examples import EXAMPLES, FRIEND, NEW, OTHER, OWN, PHOTO
from messenger_api.ops.provocations import Provocation, provocations
from messenger_api.reference.lines import about, lines

# What the script puts in the place of an example's numbers: those of whom it has logged in.
PEOPLE = {OWN: "{own}", FRIEND: "{friend}", OTHER: "{other}", NEW: "{new}"}
# A longer text of one letter is told as that letter and how often.
LONG = 10_000
TWICE = 2
AWAY = {
    "database": "the database is away",
    "server": "the server has more to do than it can, which no button here brings about",
}
TEXT, NUMBER, LIST = "text", "number", "list"
KINDS = {str: TEXT, int: NUMBER, list: LIST}
WORDS = {str: "text", int: "whole number", bool: "true or false", list: "list", dict: "object"}


@dataclass(frozen=True)
class Field:
    """A field of an op's form. `example`: as the good call has it, None where that leaves it out."""

    name: str
    line: str
    kind: str
    words: str
    choices: tuple[str, ...] = ()
    example: object = None
    value: str = ""
    """The same, with numbers of nobody."""


@dataclass(frozen=True)
class Member:
    """A member of an answer. `path`: its names from outside, "[]" for each entry of a list."""

    path: str
    words: str
    line: str
    optional: bool


@dataclass(frozen=True)
class Shape:
    """Members that go together."""

    name: str
    text: str
    members: tuple[Member, ...]
    common: bool = False
    """Whether answers of other ops have them, too."""


@dataclass(frozen=True)
class Error:
    """An error of an op, and how it is made to happen."""

    code: str
    text: str
    changes: tuple[str, ...]
    how: str
    """JSON: the members of `Provocation`."""
    can_be_made: bool


@dataclass(frozen=True)
class Page:
    """All that is shown of an op."""

    op: str
    text: str
    needs_session: bool
    file: str
    """What a file that comes along is; "" where the op takes none."""
    sends_file: bool
    """Whether the good call has one."""
    fields: tuple[Field, ...]
    shapes: tuple[Shape, ...]
    errors: tuple[Error, ...]


@lru_cache(maxsize=64)
def page(op: str) -> Page:
    """What is shown of an op. Raises KeyError: there is none of this name."""
    operation = OPERATIONS[op]
    return Page(
        op=op,
        text=summary(operation),
        needs_session=operation.needs_session,
        file=operation.file,
        sends_file=PHOTO in EXAMPLES[op].fields.values(),
        fields=tuple(_field(op, operation, info) for info in declared_fields(operation.parameters)),
        shapes=tuple(_shapes(operation)),
        errors=tuple(_errors(op, operation)),
    )


def summary(operation: Operation) -> str:
    """What an op is for, in a line."""
    return about(operation.parameters)


# Parameters


def _field(op: str, operation: Operation, info: FieldInfo) -> Field:
    kinds = [get_origin(each) or each for each in _plain(info.type)]
    kind = next((KINDS[each] for each in kinds if each in KINDS), TEXT)
    example = EXAMPLES[op].fields.get(info.encode_name)
    return Field(
        name=info.encode_name,
        line=lines(operation.parameters).get(info.name, ""),
        kind=kind,
        words=_range(info, kind),
        choices=tuple(str(choice) for each in _plain(info.type) for choice in _choices(each)),
        example=None if example is None else told(example),
        value="" if example is None else str(example),
    )


def _plain(declared: Any) -> Iterator[Any]:
    """The types that a declaration allows, without what is noted beside them."""
    if hasattr(declared, "__metadata__"):
        yield from _plain(declared.__origin__)
    elif get_origin(declared) in (list, Literal) or isinstance(declared, type):
        yield declared
    else:
        for each in get_args(declared):
            yield from _plain(each)


def _choices(declared: Any) -> tuple[object, ...]:
    return get_args(declared) if get_origin(declared) is Literal else ()


def _range(info: FieldInfo, kind: str) -> str:
    note = next(marks(info.type, Meta), None)
    if note and note.ge == 0 and note.le == 1:
        return "0 or 1"
    if note and note.max_length:
        return f"text, at most {note.max_length:,} characters"
    return {NUMBER: "whole number", LIST: "list, with commas between"}.get(kind, "text")


# Answers


def _shapes(operation: Operation) -> Iterator[Shape]:
    for answer in operation.answers:
        yield Shape(answer.__name__, about(answer), tuple(_members(answer)))
    for answer in (*([LoggedIn] if operation.needs_session else []), Success, Failure):
        yield Shape(answer.__name__, about(answer), tuple(_members(answer)), common=True)


def _members(kind: type, above: str = "") -> Iterator[Member]:
    for name, declared in get_type_hints(kind, include_extras=True).items():
        optional = get_origin(declared) is NotRequired
        inner = get_args(declared)[0] if optional else declared
        path = f"{above}{name}"
        yield Member(path, _words(inner), lines(kind).get(name, ""), optional)
        if is_typeddict(inner):
            yield from _members(inner, f"{path}.")
        elif get_origin(inner) is list and is_typeddict(get_args(inner)[0]):
            yield from _members(get_args(inner)[0], f"{path}[].")


def _words(declared: Any) -> str:
    if get_origin(declared) is Literal:
        return " or ".join(json.dumps(each) for each in get_args(declared))
    if get_origin(declared) is list:
        inner = get_args(declared)[0]
        return "list of objects" if is_typeddict(inner) else f"list of {WORDS.get(inner, 'value')}s"
    return "object" if is_typeddict(declared) else WORDS.get(get_origin(declared) or declared, "value")


# Errors


def _errors(op: str, operation: Operation) -> Iterator[Error]:
    found = provocations(op, operation)
    for kind in sorted(found, key=lambda each: _code(each, found[each])):
        how = found[kind]
        yield Error(
            code=_code(kind, how),
            text=about(kind).partition(". ")[0].rstrip(".") + ".",
            changes=tuple(_changes(op, how)),
            how=json.dumps(_how(how)),
            can_be_made=how.away != "server",
        )


def _code(kind: type[ApiError], how: Provocation) -> str:
    """The code on the wire. mesibo's own code, where it is mesibo that refuses."""
    return how.says if kind is Refused else kind.code


def _how(how: Provocation) -> dict[str, Any]:
    changed = replace(how, fields=_told(how.fields), before=[_told(each) for each in how.before])
    return asdict(changed)


def _told(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: told(value) for name, value in fields.items()}


def told(value: object) -> object:
    """A value as the script is told it."""
    if isinstance(value, str) and len(value) > LONG and len(set(value)) == 1:
        return {"letter": value[0], "times": len(value)}
    return PEOPLE.get(value, value) if isinstance(value, str) else value


def _changes(op: str, how: Provocation) -> Iterator[str]:
    """In words, what is different from the good call."""
    if how.before:
        times = len(how.before) + 1
        yield f"the op is called {'twice' if times == TWICE else f'{times} times'}"
    yield from (_change(op, name, value) for name, value in how.fields.items())
    if how.body:
        yield "the body breaks off"
    if how.fault:
        yield f"mesibo answers {how.fault['op']} with {how.fault['error']}"
    if how.away:
        yield AWAY[how.away]


def _change(op: str, name: str, value: object) -> str:
    if name == "more":
        return "with 1 MiB of text"
    if value is None:
        return f"without `{name}`"
    return f"another `{name}`" if name in EXAMPLES[op].fields else f"with `{name}`"

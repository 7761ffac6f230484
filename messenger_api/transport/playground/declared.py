"""What the pages of ops show of an op: its reference, and what their script fills in, sends and explains."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

from messenger_api.domain.errors import ApiError, Refused
from messenger_api.ops import OPERATIONS
from messenger_api.ops.answers import Failure, LoggedIn, Success
from messenger_api.ops.call import Operation
from messenger_api.ops.examples import EXAMPLES, FRIEND, NEW, OTHER, OWN, PHOTO
from messenger_api.ops.provocations import Provocation, provocations
from messenger_api.reference import described
from messenger_api.reference.schemas import Schema, all_schemas

# What the script puts in the place of an example's numbers: those of whom it has logged in.
PEOPLE = {OWN: "{own}", FRIEND: "{friend}", OTHER: "{other}", NEW: "{new}"}
# A longer text of one letter is told as that letter and how often.
LONG = 10_000
KINDS = {"integer": "number", "array": "list"}
TWICE = 2
AWAY = {
    "database": "the database is away",
    "server": "the server has more to do than it can, which no button here brings about",
}


@dataclass(frozen=True)
class Field:
    """A field of an op's form. `kind`: text, number or list. `example`: as the good call has it, None where
    that leaves it out."""

    name: str
    line: str
    kind: str
    words: str
    choices: tuple[str, ...]
    example: object
    value: str
    """The example with numbers of nobody."""


@dataclass(frozen=True)
class Member:
    """A member of an answer. `path`: its names from outside, "[]" for each entry of a list."""

    path: str
    words: str
    line: str
    optional: bool


@dataclass(frozen=True)
class Shape:
    """Members that go together. `common`: answers of other ops have them, too."""

    name: str
    text: str
    members: tuple[Member, ...]
    common: bool = False


@dataclass(frozen=True)
class Error:
    """An error of an op, what an app does about it, and how it is made to happen."""

    code: str
    text: str
    to_do: str
    changes: tuple[str, ...]
    how: str
    """JSON: the members of `Provocation`."""
    can_be_made: bool


@dataclass(frozen=True)
class Page:
    """All that is shown of an op. `file`: what a file that comes along is, "" where the op takes none."""

    op: str
    text: str
    needs_session: bool
    file: str
    sends_file: bool
    """Whether the good call has one."""
    fields: tuple[Field, ...]
    shapes: tuple[Shape, ...]
    errors: tuple[Error, ...]


@lru_cache(maxsize=64)
def page(op: str) -> Page:
    """What is shown of an op. Raises KeyError: there is none of this name."""
    operation, reference = OPERATIONS[op], described.op(op)
    schema = all_schemas()[operation.parameters.__name__]["properties"]
    return Page(
        op=op,
        text=reference.about,
        needs_session=operation.needs_session,
        file=operation.file,
        sends_file=PHOTO in EXAMPLES[op].fields.values(),
        fields=tuple(_field(op, member, schema[member.name]) for member in reference.parameters),
        shapes=tuple(_shapes(operation)),
        errors=tuple(_errors(op, operation)),
    )


# Parameters


def _field(op: str, member: described.Member, schema: Schema) -> Field:
    kind = KINDS.get(schema.get("type", ""), "text")
    example = EXAMPLES[op].fields.get(member.name)
    return Field(
        name=member.name,
        line=member.about,
        kind=kind,
        words=f"{member.kind}, with commas between" if kind == "list" else member.kind,
        choices=tuple(map(str, schema.get("enum", ()))),
        example=None if example is None else _told(example),
        value="" if example is None else str(example),
    )


# Answers


def _shapes(operation: Operation) -> Iterator[Shape]:
    common = LoggedIn.__annotations__.keys()
    for answer in operation.answers:
        found = described.shape(answer)
        own = tuple(each for each in _members(found.name) if each.path.partition(".")[0] not in common)
        yield Shape(found.name, found.about, own)
    logs_in = any(common <= answer.__annotations__.keys() for answer in operation.answers)
    for kind in (*([LoggedIn] if operation.needs_session or logs_in else []), Success, Failure):
        found = described.shape(kind)
        yield Shape(found.name, found.about, tuple(_members(found.name)), common=True)


def _members(shape: str, above: str = "") -> Iterator[Member]:
    """The members of a shape, and of the shapes in it."""
    schema = all_schemas()[shape]
    for name, found in schema["properties"].items():
        path, entries = f"{above}{name}", found.get("items", {})
        inner = str(found.get("$ref") or entries.get("$ref") or "").rpartition("/")[2]
        words = ("list of objects" if entries else "object") if inner else described.kind_of(found)
        yield Member(path, words, found["description"], name not in schema["required"])
        if inner:
            yield from _members(inner, f"{path}[]." if entries else f"{path}.")


# Errors


def _errors(op: str, operation: Operation) -> Iterator[Error]:
    found = provocations(op, operation)
    for kind in described.errors_of(operation):
        how, shown = found[kind], described.error(kind)
        changed = replace(how, fields=_all_told(how.fields), before=[_all_told(each) for each in how.before])
        yield Error(
            code=_code(kind, how),
            text=shown.about,
            to_do=shown.to_do,
            changes=tuple(_changes(op, how)),
            how=json.dumps(asdict(changed)),
            can_be_made=how.away != "server",
        )


def _code(kind: type[ApiError], how: Provocation) -> str:
    """The code on the wire. mesibo's own code, where it is mesibo that refuses."""
    return how.says if kind is Refused else kind.code


def _all_told(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: _told(value) for name, value in fields.items()}


def _told(value: object) -> Any:
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
    word = "another" if name in {"token", *EXAMPLES[op].fields} else "with"
    return f"{word} `{name}`"

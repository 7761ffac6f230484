"""What the pages of ops show of an op: its reference, and what their script fills in, sends and explains."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from messenger_api.domain.errors import ApiError, Refused
from messenger_api.ops.answers import Failure, LoggedIn, Success
from messenger_api.ops.call import Operation
from messenger_api.ops.examples import FRIEND, NEW, OTHER, OWN, PHOTO, Example, example_of
from messenger_api.ops.provocations import Provocation, provocations
from messenger_api.reference import described
from messenger_api.reference.described import Reference
from messenger_api.reference.schemas import Schema

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
    """An error of an op, what an app does about it, and how it is made to happen, where that is known."""

    code: str
    text: str
    to_do: str
    changes: tuple[str, ...] = ()
    how: str = ""
    """JSON: the members of `Provocation`; "" where no button can do it."""


@dataclass(frozen=True)
class Page:
    """All that is shown of an op. `file`: what a file that comes along is, "" where the op takes none."""

    op: str
    own: bool
    """Whether it is this server's own."""
    text: str
    needs_session: bool
    file: str
    sends_file: bool
    """Whether the good call has one."""
    fields: tuple[Field, ...]
    shapes: tuple[Shape, ...]
    errors: tuple[Error, ...]


class Pages:
    """The pages of a server's ops."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference

    def page(self, op: str) -> Page:
        """What is shown of an op. Raises KeyError: there is none of this name."""
        operation, shown = self._reference.operations[op], self._reference.op(op)
        schemas = self._reference.schemas
        declared = schemas.of(operation.parameters)["properties"]
        example = example_of(op, operation)
        return Page(
            op=op,
            own=shown.own,
            text=shown.about,
            needs_session=operation.needs_session,
            file=operation.file,
            sends_file=PHOTO in example.fields.values(),
            fields=tuple(
                _field(example, member, schemas.referred(declared[member.name])[1])
                for member in shown.parameters
            ),
            shapes=tuple(self._shapes(operation)),
            errors=tuple(self._errors(op, operation, example)),
        )

    # Answers

    def _shapes(self, operation: Operation) -> Iterator[Shape]:
        common = LoggedIn.__annotations__.keys()
        for answer in operation.answers:
            own = tuple(each for each in self._members(answer) if each.path.partition(".")[0] not in common)
            yield self._shape(answer, own)
        schemas = self._reference.schemas
        logs_in = any(common <= schemas.of(answer)["properties"].keys() for answer in operation.answers)
        for kind in (*([LoggedIn] if operation.needs_session or logs_in else []), Success, Failure):
            yield self._shape(kind, tuple(self._members(kind)), common=True)

    def _shape(self, kind: type, members: tuple[Member, ...], *, common: bool = False) -> Shape:
        shown = self._reference.shape(kind)
        return Shape(shown.name, shown.about, members, common)

    def _members(self, kind: type) -> Iterator[Member]:
        return self._below(self._reference.schemas.of(kind), "", ())

    def _below(self, schema: Schema, above: str, around: tuple[str, ...]) -> Iterator[Member]:
        """The members of a shape, and of the shapes in it; `around`: the names of those that it is in."""
        for name, found in schema["properties"].items():
            path, entries = f"{above}{name}", found.get("items", {})
            inner, parts = self._reference.schemas.referred(entries or found)
            words = ("list of objects" if entries else "object") if "properties" in parts else ""
            always = name in schema["required"]
            yield Member(path, words or self._reference.kind_of(found), found["description"], not always)
            if words and inner not in around:
                yield from self._below(parts, f"{path}[]." if entries else f"{path}.", (*around, inner))

    # Errors

    def _errors(self, op: str, operation: Operation, example: Example) -> Iterator[Error]:
        provoked = provocations(op, operation)
        for kind in described.errors_of(operation):
            shown = self._reference.error(kind)
            how = provoked.get(kind)
            if how is None:
                yield Error(shown.code, shown.about, shown.to_do)
            else:
                changes = tuple(_changes(example, how))
                yield Error(_code(kind, how), shown.about, shown.to_do, changes, _as_json(how))


def _field(example: Example, member: described.Member, schema: Schema) -> Field:
    kind = KINDS.get(schema.get("type", ""), "text")
    given = described.in_form(example.fields.get(member.name))
    return Field(
        name=member.name,
        line=member.about,
        kind=kind,
        words=f"{member.kind}, with commas between" if kind == "list" else member.kind,
        choices=tuple(map(str, schema.get("enum", ()))),
        example=None if given is None else _told(given),
        value="" if given is None else str(given),
    )


def _code(kind: type[ApiError], how: Provocation) -> str:
    """The code on the wire. mesibo's own code, where it is mesibo that refuses."""
    return how.says if kind is Refused else kind.code


def _as_json(how: Provocation) -> str:
    """What the script does; "" where it cannot."""
    if how.away == "server":
        return ""
    fields, before = _all_told(how.fields), [_all_told(each) for each in how.before]
    return json.dumps(asdict(replace(how, fields=fields, before=before)))


def _all_told(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: _told(value) for name, value in fields.items()}


def _told(value: object) -> Any:
    """A value as the script is told it."""
    if isinstance(value, str) and len(value) > LONG and len(set(value)) == 1:
        return {"letter": value[0], "times": len(value)}
    return PEOPLE.get(value, value) if isinstance(value, str) else value


def _changes(example: Example, how: Provocation) -> Iterator[str]:
    """In words, what is different from the good call."""
    if how.before:
        times = len(how.before) + 1
        yield f"the op is called {'twice' if times == TWICE else f'{times} times'}"
    yield from (_change(example, name, value) for name, value in how.fields.items())
    if how.body:
        yield "the body breaks off"
    if how.fault:
        yield f"mesibo answers {how.fault['op']} with {how.fault['error']}"
    if how.away:
        yield AWAY[how.away]


def _change(example: Example, name: str, value: object) -> str:
    if name == "more":
        return "with 1 MiB of text"
    if value is None:
        return f"without `{name}`"
    word = "another" if name in {"token", *example.fields} else "with"
    return f"{word} `{name}`"

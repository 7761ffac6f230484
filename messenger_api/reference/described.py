"""What pages and Markdown show of ops, shapes and errors, in the words of people."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import msgspec

from messenger_api.domain.errors import ApiError, BadOp, Refused
from messenger_api.ops import OPERATIONS
from messenger_api.ops.answers import Failure, LoggedIn, NoOp, Success
from messenger_api.ops.call import EVERY_OP, Operation
from messenger_api.ops.fields import LARGEST
from messenger_api.reference import samples
from messenger_api.reference.lines import NOTHING, about, about_op
from messenger_api.reference.samples import Sample
from messenger_api.reference.schemas import Schema, Schemas, reachable
from messenger_api.services.update_messages import UpdateText

WORDS = {"boolean": "true or false", "array": "list"}
"""The types of JSON Schema, where people have another word."""
FORMATS = {"date": "date, as 2026-12-01", "date-time": "time, as 2026-12-01T12:00:00Z", "uuid": "UUID"}
ENVELOPE = (Success, LoggedIn, Failure, NoOp)
OWN = "This server's own: other servers do not have it."
UPDATES = (
    "Changes reach the other phones as messages of mesibo: type 1, from whoever made the change, kept for an"
    " hour, with this JSON as their text. Older apps read it strictly: no member is ever null."
)


@dataclass(frozen=True)
class Member:
    """A field of a request, or a member of an answer; `always`: unless it may be absent there."""

    name: str
    kind: str
    about: str
    always: bool


TOKEN = Member("token", "text", "mesibo's user token, which `login` answered.", always=True)


@dataclass(frozen=True)
class Shape:
    """A table of members."""

    name: str
    about: str
    members: Sequence[Member]


@dataclass(frozen=True)
class Error:
    """An error: what it means, what an app does, and which ops give it."""

    code: str
    about: str
    to_do: str
    where: str
    """The ops, in words."""

    @property
    def name(self) -> str:
        """Names it in an address."""
        return self.code.replace("'", "").replace(" ", "-")


@dataclass(frozen=True)
class Op:
    """An op as it is shown. `answers`: one or several; `parts`: what stands in them."""

    name: str
    own: bool
    """Whether it is this server's own: an extension adds it."""
    about: str
    needs_session: bool
    file: str
    parameters: Sequence[Member]
    answers: Sequence[Shape]
    parts: Sequence[Shape]
    errors: Sequence[Error]
    samples: Sequence[Sample]
    request_schema: str
    answer_schema: str

    @property
    def summary(self) -> str:
        """What it is for, in a few words."""
        return self.about.partition(".")[0].partition(":")[0]


class Reference:
    """What is shown of the ops of a server."""

    def __init__(self, operations: Mapping[str, Operation] = OPERATIONS) -> None:
        """`operations`: all that may be asked for, by their names on the wire; without any, ours."""
        self.operations = operations
        self.schemas = Schemas(operations)

    def ops(self) -> list[Op]:
        """All ops, in their order."""
        return list(self._ops.values())

    def op(self, name: str) -> Op:
        """One op. Raises KeyError: there is none of that name."""
        return self._ops[name]

    @cached_property
    def _ops(self) -> Mapping[str, Op]:
        return {name: self._op(name, operation) for name, operation in self.operations.items()}

    def _op(self, name: str, operation: Operation) -> Op:
        inner = [kind for each in operation.answers for kind in reachable(each)]
        hidden = {kind for common in ENVELOPE for kind in reachable(common)} | {*operation.answers}
        return Op(
            name,
            name not in OPERATIONS,
            about_op(operation),
            operation.needs_session,
            operation.file,
            [replace(member, always=True) for member in self.shape(operation.parameters).members],
            [self.shape(kind) for kind in operation.answers],
            [self.shape(kind) for kind in dict.fromkeys(inner) if kind not in hidden],
            [self.error(kind) for kind in self._errors[name]],
            samples.of(name, operation),
            self.schemas.request_name(name),
            self.schemas.answer_name(name),
        )

    def envelope(self) -> list[Shape]:
        """What all answers have, by what came of the call."""
        return [self.shape(kind) for kind in ENVELOPE]

    def envelope_parts(self) -> list[Shape]:
        """What stands in those."""
        return [self.shape(kind) for kind in reachable(LoggedIn)[1:]]

    def update_message(self) -> Shape:
        """The text of the messages that tell apps of changes."""
        return self.shape(UpdateText)

    def shape(self, kind: type) -> Shape:
        """A record or shape as a table."""
        made = self.schemas.of(kind)
        required = made["required"]
        common = () if kind is LoggedIn else LoggedIn.__annotations__
        members = [
            Member(name, self.kind_of(found), found["description"], name in required)
            for name, found in made["properties"].items()
            if name not in common
        ]
        return Shape(self.schemas.name(kind), made["description"] or NOTHING, members)

    def kind_of(self, found: Schema) -> str:
        """The type of a member in words."""
        name, found = self.schemas.referred(found)
        if name and "enum" not in found:
            return name
        if "const" in found:
            return _literal(found["const"])
        if choices := found.get("enum"):
            return " or ".join(map(_literal, choices))
        if several := found.get("anyOf"):
            return " or ".join(map(self.kind_of, several))
        if "items" in found:
            return f"list of {self.kind_of(found['items'])}"
        return _simple(found)

    @cached_property
    def _errors(self) -> Mapping[str, Sequence[type[ApiError]]]:
        return {name: errors_of(operation) for name, operation in self.operations.items()}

    def errors(self) -> list[Error]:
        """All errors, by code."""
        kinds = {BadOp}.union(*self._errors.values())
        return [self.error(kind) for kind in sorted(kinds, key=_code_order)]

    def error(self, kind: type[ApiError]) -> Error:
        """An error as it is shown."""
        ops = [name for name, kinds in self._errors.items() if kind in kinds]
        meaning = about(kind).partition(". ")[0].rstrip(".") + "."
        return Error(code(kind), meaning, kind.to_do, self._where(ops))

    def _where(self, ops: Sequence[str]) -> str:
        others = [op for op in self.operations if op not in ops]
        if not others:
            return "every op"
        if len(others) < len(ops):
            return f"every op but {_listed(others)}"
        return _listed(ops) or "no op: there is none of that name"


def _simple(found: Schema) -> str:
    """The type of a member that has no parts."""
    kind = str(found.get("type", "any value"))
    if kind == "integer":
        return _number(found)
    return _text(found) if kind == "string" else WORDS.get(kind, kind)


def _literal(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _number(found: Schema) -> str:
    least, most = found.get("minimum"), found.get("maximum")
    if (least, most) == (0, 1):
        return "0 or 1"
    if least is None or most == LARGEST:
        return "number"
    return f"number, {least} to {most}"


def _text(found: Schema) -> str:
    longest = found.get("maxLength")
    return (
        f"text, at most {longest:,} characters" if longest else FORMATS.get(found.get("format", ""), "text")
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


# Errors


def errors_of(operation: Operation) -> list[type[ApiError]]:
    """The errors of an op, its own first; a class with the code of its base is shown as that."""
    shown = {_with_code(kind) for kind in operation.errors}
    return sorted(shown, key=lambda kind: (kind in EVERY_OP, _code_order(kind)))


def _with_code(kind: type[ApiError]) -> type[ApiError]:
    return next(each for each in kind.__mro__ if "code" in vars(each) or each is Refused)


def code(kind: type[ApiError]) -> str:
    """The code on the wire, or words for mesibo's own."""
    return "mesibo's own" if kind is Refused else kind.code


def _code_order(kind: type[ApiError]) -> tuple[bool, str]:
    return kind is Refused, kind.code


# Calls


def in_form(value: object) -> object:
    """A value as forms have it."""
    if isinstance(value, bool):
        return int(value)
    return ",".join(map(str, value)) if isinstance(value, list) else value


def curl(server: str, sample: Sample) -> str:
    """A call for the command line: JSON, or parts where a file comes with it."""
    address = shlex.quote(f"{server}/api.php")
    if sample.has_file:
        given = {name: in_form(value) for name, value in sample.request.items()}
        parts = [f"-F {shlex.quote(f'{name}={value}')}" for name, value in given.items()]
        return " \\\n  ".join([f"curl {address}", *parts])
    body = msgspec.json.encode(sample.request).decode()
    return f"curl {address} \\\n  -H 'Content-Type: application/json' \\\n  -d {shlex.quote(body)}"

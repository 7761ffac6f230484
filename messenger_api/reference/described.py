"""What pages and Markdown show of ops, shapes and errors, in the words of people."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import msgspec

from messenger_api.domain.errors import ApiError, BadOp, Refused
from messenger_api.ops import OPERATIONS
from messenger_api.ops.answers import Failure, LoggedIn, NoOp, Success
from messenger_api.ops.call import EVERY_OP, Operation
from messenger_api.ops.fields import LARGEST
from messenger_api.reference import samples
from messenger_api.reference.lines import about, one_line
from messenger_api.reference.samples import Sample
from messenger_api.reference.schemas import (
    Schema,
    all_schemas,
    answer_name,
    reachable,
    request_name,
)
from messenger_api.services.update_messages import UpdateText

ENVELOPE = (Success, LoggedIn, Failure, NoOp)
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
    """An error: what it means, what an app does, and the ops that give it."""

    code: str
    about: str
    to_do: str
    ops: Sequence[str]

    @property
    def name(self) -> str:
        """Names it in an address."""
        return self.code.replace("'", "").replace(" ", "-")

    @property
    def where(self) -> str:
        """The ops that give it, in words."""
        others = [op for op in OPERATIONS if op not in self.ops]
        if not others:
            return "every op"
        if len(others) < len(self.ops):
            return f"every op but {_listed(others)}"
        return _listed(self.ops) or "no op: there is none of that name"


@dataclass(frozen=True)
class Op:
    """An op as it is shown. `answers`: one or several; `parts`: what stands in them."""

    name: str
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


def ops() -> list[Op]:
    """All ops, in the order of `OPERATIONS`."""
    return [op(name) for name in OPERATIONS]


def op(name: str) -> Op:
    """One op. Raises KeyError: there is none of that name."""
    operation = OPERATIONS[name]
    inner = [kind for each in operation.answers for kind in list(reachable(each))[1:]]
    hidden = {kind for common in ENVELOPE for kind in reachable(common)}
    return Op(
        name,
        about(operation.parameters),
        operation.needs_session,
        operation.file,
        [replace(member, always=True) for member in shape(operation.parameters).members],
        [shape(kind) for kind in operation.answers],
        [shape(kind) for kind in dict.fromkeys(inner) if kind not in hidden],
        [error(kind) for kind in errors_of(operation)],
        samples.of(name),
        request_name(operation),
        answer_name(operation),
    )


def envelope() -> list[Shape]:
    """What all answers have, by what came of the call."""
    return [shape(kind) for kind in ENVELOPE]


def envelope_parts() -> list[Shape]:
    """What stands in those."""
    return [shape(kind) for kind in list(reachable(LoggedIn))[1:]]


def update_message() -> Shape:
    """The text of the messages that tell apps of changes."""
    return shape(UpdateText)


def shape(kind: type) -> Shape:
    """A record or shape as a table."""
    made = all_schemas()[kind.__name__]
    required = made["required"]
    common = () if kind is LoggedIn else LoggedIn.__annotations__
    members = [
        Member(name, kind_of(found), found["description"], name in required)
        for name, found in made["properties"].items()
        if name not in common
    ]
    return Shape(kind.__name__, made["description"], members)


def kind_of(found: Schema) -> str:
    """The type of a member in words."""
    if reference := found.get("$ref"):
        return str(reference.rpartition("/")[2])
    if "const" in found:
        return _literal(found["const"])
    if choices := found.get("enum"):
        return " or ".join(map(_literal, choices))
    if found["type"] == "array":
        return f"list of {kind_of(found['items'])}"
    return _number(found) if found["type"] == "integer" else _text(found)


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
    return f"text, at most {longest:,} characters" if longest else "text"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


# Errors


def errors() -> list[Error]:
    """All errors, by code."""
    kinds = {kind for operation in OPERATIONS.values() for kind in operation.errors} | {BadOp}
    return [error(kind) for kind in sorted(kinds, key=_code_order)]


def error(kind: type[ApiError]) -> Error:
    """An error as it is shown."""
    ops = [name for name, operation in OPERATIONS.items() if kind in operation.errors]
    meaning = one_line(kind.__doc__ or "").partition(". ")[0].rstrip(".") + "."
    return Error(code(kind), meaning, kind.to_do, ops)


def errors_of(operation: Operation) -> list[type[ApiError]]:
    """The errors of an op, its own first."""
    return sorted(operation.errors, key=lambda kind: (kind in EVERY_OP, _code_order(kind)))


def code(kind: type[ApiError]) -> str:
    """The code on the wire, or words for mesibo's own."""
    return "mesibo's own" if kind is Refused else kind.code


def _code_order(kind: type[ApiError]) -> tuple[bool, str]:
    return kind is Refused, kind.code


# Calls


def curl(server: str, sample: Sample) -> str:
    """A call for the command line: JSON, or parts where a file comes with it."""
    address = shlex.quote(f"{server}/api.php")
    if sample.has_file:
        parts = [f"-F {shlex.quote(f'{name}={value}')}" for name, value in sample.request.items()]
        return " \\\n  ".join([f"curl {address}", *parts])
    body = msgspec.json.encode(sample.request).decode()
    return f"curl {address} \\\n  -H 'Content-Type: application/json' \\\n  -d {shlex.quote(body)}"

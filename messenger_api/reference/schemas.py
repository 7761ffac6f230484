"""JSON Schemas (2020-12) of what is sent and answered.

A schema is named as the class that it is made of, but for whole calls: `LoginRequest`, `LoginAnswer`. Where
an op answers in several shapes, each is one, too: `LoginEntered`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, get_args, get_type_hints, is_typeddict

import msgspec
from msgspec.structs import fields

from messenger_api.ops import OPERATIONS
from messenger_api.ops.answers import Failure, LoggedIn, NoOp, Success
from messenger_api.ops.call import BOOLEAN_RESULTS, Operation
from messenger_api.reference.lines import about, lines
from messenger_api.services.update_messages import UpdateText

Schema = dict[str, Any]

DRAFT = "https://json-schema.org/draft/2020-12/schema"
REF = "#/$defs/{name}"
FAILURE, NO_OP, UPDATE_MESSAGE = Failure.__name__, NoOp.__name__, UpdateText.__name__
TOKEN: Schema = {"description": "mesibo's user token, which `login` answered.", "type": "string"}
FILE: Schema = {"type": "string", "format": "binary"}
BOOLEAN = {
    True: 'true for calls with `auth` and for a file for a chat; else "OK".',
    False: 'false where a success of the same call would be true (`upload`); else "FAIL".',
}


def base_name(operation: Operation) -> str:
    """What the names of an op's schemas begin with: "GetContacts"."""
    return operation.parameters.__name__.removesuffix("Parameters")


def request_name(operation: Operation) -> str:
    """The name of the schema of a whole call."""
    return f"{base_name(operation)}Request"


def answer_name(operation: Operation) -> str:
    """The name of the schema of a success."""
    return f"{base_name(operation)}Answer"


@cache
def all_schemas() -> Mapping[str, Schema]:
    """All schemas by their names."""
    found = dict(_of_classes())
    found[FAILURE] = _with_boolean(found[FAILURE], False)
    for op, operation in OPERATIONS.items():
        found[request_name(operation)] = _request(op, operation, found)
        found.update(_answers(op, operation, found))
    return found


def schema(name: str) -> Schema:
    """One schema as a document of its own. Raises KeyError: there is none of that name."""
    return {"$schema": DRAFT, **all_schemas()[name], "$defs": with_parts([name], but=name)}


def document() -> Schema:
    """Those of whole calls, answers and update messages, and what stands in them, as one document."""
    calls = OPERATIONS.values()
    names = [*map(request_name, calls), *map(answer_name, calls), FAILURE, NO_OP, UPDATE_MESSAGE]
    return {"$schema": DRAFT, "$defs": with_parts(names)}


def with_parts(names: Iterable[str], *, but: str = "") -> Schema:
    """The schemas of these names and of all that they refer to, sorted by name."""
    found: Schema = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = all_schemas()[name]
            waiting += _references(found[name])
    return {name: found[name] for name in sorted(found) if name != but}


def _references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(reference := part.get("$ref"), str):
            yield reference.rpartition("/")[2]
        for value in part.values():
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)


# From classes


def shapes() -> list[type]:
    """All records and shapes that are declared, those that stand in others included."""
    declared: list[type] = [Success, Failure, NoOp, LoggedIn, UpdateText]
    for operation in OPERATIONS.values():
        declared += [operation.parameters, *operation.answers]
    return list(dict.fromkeys(each for kind in declared for each in reachable(kind)))


def reachable(kind: Any) -> Iterator[type]:
    """The records and shapes in a type, itself included."""
    if is_typeddict(kind) or (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        yield kind
        for member in get_type_hints(kind).values():
            yield from reachable(member)
    else:
        for part in get_args(kind):
            yield from reachable(part)


def members_of(shape: type) -> list[str]:
    """The names of its members, in the order of their declaration."""
    if issubclass(shape, msgspec.Struct):
        return [field.encode_name for field in fields(shape)]
    return list(shape.__annotations__)


@cache
def _of_classes() -> Mapping[str, Schema]:
    kinds = {kind.__name__: kind for kind in shapes()}
    _, made = msgspec.json.schema_components(kinds.values(), ref_template=REF)
    return {name: _told(made[name], kind) for name, kind in kinds.items()}


def _told(made: Schema, shape: type) -> Schema:
    """A schema with its members in order, and what is said of each."""
    said, properties = lines(shape), made["properties"]
    told = {name: _member(properties[name], said[name]) for name in members_of(shape)}
    return {**made, "description": about(shape), "properties": told}


def _member(made: Schema, said: str) -> Schema:
    """Who leaves a field out sends no null: that it may be None here is nobody's business."""
    if choices := made.get("anyOf"):
        [made] = [choice for choice in choices if choice != {"type": "null"}]
    if len(made.get("enum", ())) == 1:
        made = {"const": made["enum"][0]}
    return {"description": said, **made}


# Whole calls


def _request(op: str, operation: Operation, found: Mapping[str, Schema]) -> Schema:
    parameters = found[operation.parameters.__name__]
    token = {"token": TOKEN} if operation.needs_session else {}
    return {
        "title": request_name(operation),
        "description": parameters["description"],
        "type": "object",
        "properties": {"op": {"const": op}, **token, **parameters["properties"]},
        "required": ["op", *token],
    }


def _answers(op: str, operation: Operation, found: Mapping[str, Schema]) -> Schema:
    kinds, name = operation.answers, answer_name(operation)
    if len(kinds) == 1:
        return {name: {"title": name, **_answer(op, operation, found[kinds[0].__name__], found)}}
    named = {f"{base_name(operation)}{kind.__name__}": found[kind.__name__] for kind in kinds}
    whole = {each: {"title": each, **_answer(op, operation, own, found)} for each, own in named.items()}
    return {**whole, name: {"title": name, "anyOf": [{"$ref": REF.format(name=each)} for each in named]}}


def _answer(op: str, operation: Operation, own: Schema, found: Mapping[str, Schema]) -> Schema:
    head, common = found[Success.__name__], found[LoggedIn.__name__]
    properties = {**head["properties"], "op": {"const": op}, **own["properties"]}
    required = [*head["required"], *own["required"]]
    if operation.needs_session:
        properties.update(common["properties"])
        # Whose session is gone already gets no more than the envelope.
        required += [] if operation.forgives_dead_token else common["required"]
    made = {
        "description": own["description"],
        "type": "object",
        "properties": properties,
        "required": list(dict.fromkeys(required)),
    }
    return _with_boolean(made, True) if op in BOOLEAN_RESULTS else made


def _with_boolean(made: Schema, value: bool) -> Schema:
    """The schema of an answer whose `result` may also be this value."""
    said = made["properties"]["result"]
    result = {"description": BOOLEAN[value], "enum": [said["const"], value]}
    return {**made, "properties": {**made["properties"], "result": result}}

"""JSON Schemas (2020-12) of what is sent and answered.

A schema is named as the class that it is made of, but for whole calls: `LoginRequest`, `LoginAnswer`. Where
an op answers in several shapes, each is one, too: `LoginEntered`. A name that is taken gets a number.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import chain, count
from typing import Any, get_args, get_type_hints, is_typeddict

import msgspec
from msgspec.structs import fields

from messenger_api.ops.answers import Failure, LoggedIn, NoOp, Success
from messenger_api.ops.call import BOOLEAN_RESULTS, Operation, any_value
from messenger_api.reference.lines import about, about_op, lines
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


UNDECLARED: Schema = {
    "description": "Members that the op does not declare.",
    "type": "object",
    "properties": {},
    "required": [],
}
COMMON = (Success, Failure, NoOp, LoggedIn, UpdateText)


class Schemas:
    """The schemas of these ops, by their names."""

    def __init__(self, operations: Mapping[str, Operation]) -> None:
        self.operations = operations
        self._calls: dict[str, str] = {}
        for op, operation in operations.items():
            wanted = operation.parameters.__name__.removesuffix("Parameters")
            self._calls[op] = _free(wanted, self._calls.values())

    def request_name(self, op: str) -> str:
        """The name of the schema of a whole call: "GetContactsRequest"."""
        return f"{self._calls[op]}Request"

    def answer_name(self, op: str) -> str:
        """The name of the schema of a success."""
        return f"{self._calls[op]}Answer"

    def of(self, kind: type) -> Schema:
        """The schema of a record or shape; of `JsonObject`, one without members."""
        return self.all[self._names[kind]] if kind in self._names else UNDECLARED

    def name(self, kind: type) -> str:
        """The name of that."""
        return self._names.get(kind, kind.__name__)

    def referred(self, found: Schema) -> tuple[str, Schema]:
        """The schema that a member refers to, with its name; its own, and "", where it refers to none."""
        name = _named(found) if "$ref" in found else ""
        return name, self.all[name] if name else found

    @cached_property
    def all(self) -> Mapping[str, Schema]:
        """All of them."""
        found = dict(self._of_classes)
        found[FAILURE] = _with_boolean(found[FAILURE], False)
        for op, operation in self.operations.items():
            found[self.request_name(op)] = self._request(op, operation)
            found.update(self._answers(op, operation))
        return found

    def schema(self, name: str) -> Schema:
        """One as a document of its own. Raises KeyError: there is none of that name."""
        return {"$schema": DRAFT, **self.all[name], "$defs": self.with_parts([name], but=name)}

    def document(self) -> Schema:
        """Those of whole calls, answers and update messages, and what stands in them, as one document."""
        ops = self.operations
        names = [*map(self.request_name, ops), *map(self.answer_name, ops), FAILURE, NO_OP, UPDATE_MESSAGE]
        return {"$schema": DRAFT, "$defs": self.with_parts(names)}

    def with_parts(self, names: Iterable[str], *, but: str = "") -> Schema:
        """The schemas of these names and of all that they refer to, sorted by name."""
        found: Schema = {}
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found[name] = self.all[name]
                waiting += _references(found[name])
        return {name: found[name] for name in sorted(found) if name != but}

    # From classes

    @cached_property
    def shapes(self) -> list[type]:
        """All records and shapes that are declared, those that stand in others included."""
        declared = [*COMMON]
        for operation in self.operations.values():
            declared += [operation.parameters, *operation.answers]
        return list(dict.fromkeys(each for kind in declared for each in reachable(kind)))

    @cached_property
    def _names(self) -> Mapping[type, str]:
        """What each is named. Whole calls have their names first."""
        taken = {*map(self.request_name, self.operations), *map(self.answer_name, self.operations)}
        taken.update(name for op in self.operations for name in self._one_of(op))
        named: dict[type, str] = {}
        for shape in self.shapes:
            named[shape] = _free(shape.__name__, taken)
            taken.add(named[shape])
        return named

    @cached_property
    def _of_classes(self) -> Mapping[str, Schema]:
        references, made = msgspec.json.schema_components(
            self.shapes, schema_hook=any_value, ref_template=REF
        )
        theirs = {_named(found): shape for found, shape in zip(references, self.shapes, strict=True)}
        names = {name: self._names[shape] for name, shape in theirs.items()}
        told = {name: _told(found, theirs.get(name)) for name, found in made.items()}
        return {
            names.get(name, name): referring(found, lambda to: REF.format(name=names.get(to, to)))
            for name, found in told.items()
        }

    # Whole calls

    def _request(self, op: str, operation: Operation) -> Schema:
        token = {"token": TOKEN} if operation.needs_session else {}
        return {
            "title": self.request_name(op),
            "description": about_op(operation),
            "type": "object",
            "properties": {"op": {"const": op}, **token, **self._class(operation.parameters)["properties"]},
            "required": ["op", *token],
        }

    def _answers(self, op: str, operation: Operation) -> Schema:
        name, kinds = self.answer_name(op), operation.answers
        if len(kinds) == 1:
            return {name: {"title": name, **self._answer(op, operation, kinds[0])}}
        named = dict(zip(self._one_of(op), kinds, strict=True))
        whole = {each: {"title": each, **self._answer(op, operation, kind)} for each, kind in named.items()}
        return {**whole, name: {"title": name, "anyOf": [{"$ref": REF.format(name=each)} for each in named]}}

    def _one_of(self, op: str) -> list[str]:
        """The names of an op's successes, where it has several."""
        kinds = self.operations[op].answers
        return [f"{self._calls[op]}{kind.__name__}" for kind in kinds] if len(kinds) > 1 else []

    def _class(self, kind: type) -> Schema:
        """What `of` has, without what is said of whole calls."""
        return self._of_classes[self._names[kind]] if kind in self._names else UNDECLARED

    def _answer(self, op: str, operation: Operation, kind: type) -> Schema:
        head, common, own = self._class(Success), self._class(LoggedIn), self._class(kind)
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


def _free(wanted: str, taken: Container[str]) -> str:
    """The name, or where it is taken, the first with a number behind that is not."""
    return next(name for name in chain([wanted], (f"{wanted}{n}" for n in count(2))) if name not in taken)


def _references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield _named(part)
        for value in part.values():
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)


def _named(reference: Schema) -> str:
    """The name of the schema that is referred to."""
    return str(reference["$ref"]).rpartition("/")[2]


def referring(part: Any, address: Callable[[str], str]) -> Any:
    """The same, each schema that it refers to at the address of its name."""
    if isinstance(part, dict):
        made = {name: referring(value, address) for name, value in part.items()}
        return {**made, "$ref": address(_named(part))} if "$ref" in part else made
    return [referring(each, address) for each in part] if isinstance(part, list) else part


def reachable(kind: Any) -> list[type]:
    """The records and shapes in a type, itself first."""
    found: dict[type, None] = {}
    _reach(kind, found)
    return list(found)


def _reach(kind: Any, found: dict[type, None]) -> None:
    if is_typeddict(kind) or (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        if kind not in found:  # one may have entries of its own kind
            found[kind] = None
            for member in get_type_hints(kind).values():
                _reach(member, found)
    else:
        for part in get_args(kind):
            _reach(part, found)


def members_of(shape: type) -> list[str]:
    """The names of its members, in the order of their declaration."""
    if issubclass(shape, msgspec.Struct):
        return [field.encode_name for field in fields(shape)]
    return list(shape.__annotations__)


def _told(made: Schema, kind: type | None) -> Schema:
    """A schema of a record or shape with its members in order, and what is said of each. Others stay."""
    if kind is None:
        return made
    said, properties = lines(kind), made["properties"]
    told = {name: _member(properties[name], said.get(name, "")) for name in members_of(kind)}
    return {**made, "description": about(kind), "properties": told}


def _member(made: Schema, said: str) -> Schema:
    """Who leaves a field out sends no null: that it may be None here is nobody's business."""
    if "anyOf" in made:
        choices = [choice for choice in made["anyOf"] if choice != {"type": "null"}]
        made = {
            **_without(made, "anyOf", "default"),
            **(choices[0] if len(choices) == 1 else {"anyOf": choices}),
        }
    if len(made.get("enum", ())) == 1:
        made = {"const": made["enum"][0]}
    return {"description": said or made.get("description", ""), **_without(made, "description")}


def _without(made: Schema, *names: str) -> Schema:
    return {name: value for name, value in made.items() if name not in names}


def _with_boolean(made: Schema, value: bool) -> Schema:
    """The schema of an answer whose `result` may also be this value."""
    said = made["properties"]["result"]
    result = {"description": BOOLEAN[value], "enum": [said["const"], value]}
    return {**made, "properties": {**made["properties"], "result": result}}

"""The reference says of every op all that is declared, with answers that a server gave."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping

import msgspec
import pytest

from messenger_api.ops import OPERATIONS
from messenger_api.reference import described, samples
from messenger_api.reference.lines import lines
from messenger_api.reference.schemas import members_of
from tests.declared import assert_declared

REFERENCE = described.Reference()
SCHEMAS = REFERENCE.schemas


@pytest.mark.parametrize("shape", SCHEMAS.shapes, ids=lambda shape: shape.__name__)
def test_every_member_of_every_record_and_shape_has_its_line(shape: type) -> None:
    said = lines(shape)
    assert [name for name in members_of(shape) if not said.get(name, "").endswith(".")] == []


def test_no_two_shapes_have_one_name() -> None:
    names = [shape.__name__ for shape in SCHEMAS.shapes]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("op", OPERATIONS)
def test_an_op_is_shown_with_all_its_fields_answers_and_errors(op: str) -> None:
    shown, operation = REFERENCE.op(op), OPERATIONS[op]
    assert [member.name for member in shown.parameters] == members_of(operation.parameters)
    assert [answer.name for answer in shown.answers] == [kind.__name__ for kind in operation.answers]
    assert {error.code for error in shown.errors} == {described.code(kind) for kind in operation.errors}
    assert all(error.about and error.to_do for error in shown.errors)
    assert shown.samples
    for sample in shown.samples:
        assert sample.answer
        assert_declared(sample.answer)


def test_each_schema_stands_alone_and_all_of_them_together() -> None:
    for name in SCHEMAS.all:
        made = SCHEMAS.schema(name)
        assert set(_references(made)) <= {f"#/$defs/{each}" for each in made["$defs"]}
    whole = SCHEMAS.document()
    assert set(_references(whole)) <= {f"#/$defs/{each}" for each in whole["$defs"]}


def test_the_types_of_fields_are_told_in_words() -> None:
    kinds = {op: {each.name: each.kind for each in REFERENCE.op(op).parameters} for op in OPERATIONS}
    assert kinds["profile"]["name"] == "text, at most 128 characters"
    assert kinds["profile"]["gid"] == "number"
    assert kinds["report"]["reason"] == '"abuse" or "fake" or "other" or "spam"'
    assert kinds["block"]["phones"] == "list of text"
    assert kinds["setadmin"]["admin"] == "0 or 1"


@pytest.mark.server
def test_a_call_for_the_command_line_is_quoted() -> None:
    sample = samples.Sample({"op": "profile", "name": "it's $HOME"}, {})
    line = described.curl("https://a.example", sample).replace("curl", "printf '%s|'", 1)
    told = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True).stdout
    assert msgspec.json.decode(told.split("|")[-2]) == sample.request


def _references(part: object) -> Iterator[str]:
    if isinstance(part, Mapping):
        for name, value in part.items():
            if name == "$ref" and isinstance(value, str):
                yield value
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)

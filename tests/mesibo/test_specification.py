"""The specification of mesibo's backend API as data: whole, and free of contradictions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from messenger_api.mesibo.specification import STYLES, OpSpecification, document, operations

OPS = pytest.mark.parametrize("op", operations().values(), ids=lambda op: str(op.name))

WANTED = (
    "useradd userset userdel usertoken usersget otp groupadd groupset groupdel groupeditmembers"
    " groupgetmembers groupsget message pushupload uacset scriptadd appadd appdel appset"
)


def test_every_op_that_is_known_of_mesibo_is_there() -> None:
    assert list(operations()) == WANTED.split()
    assert not set(document()["not_ops"]) & set(operations())


def sources(node: object) -> Iterator[str]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key in ("source", "code_source"):
                yield value
            else:
                yield from sources(value)


def test_every_fact_says_how_sure_it_is() -> None:
    found = set(sources(document()))
    assert found == set(document()["confidence"])


@OPS
def test_an_op_and_its_fields_are_described_whole(op: OpSpecification) -> None:
    whole: Mapping[str, Any] = document()
    assert set(op.styles) <= set(STYLES)
    assert op.hosting in whole["hosting"]
    assert op.auth in whole["request"]
    assert op.about.endswith(".")
    for field in op.fields.values():
        assert field.type in whole["types"]
        assert field.spellings, f"{field.name} is spelled in no style"
        assert set(field.spellings) <= set(op.styles)
        assert field.about.endswith(".")
        assert set(field.required_in) <= set(field.spellings)
    assert set(op.one_of) <= set(op.fields)


@OPS
def test_no_two_fields_of_an_op_have_one_name_on_the_wire(op: OpSpecification) -> None:
    for style in op.styles:
        names = [field.spellings[style].name for field in op.fields.values() if style in field.spellings]
        assert len(names) == len(set(names))
        assert not set(names) & {"op", op.auth, "id"}
        # A name that is an object in one field is no value in another.
        assert not any(other.startswith(f"{name}.") for name in names for other in names)


@OPS
def test_a_default_keeps_the_bounds_of_its_field(op: OpSpecification) -> None:
    for field in op.fields.values():
        if field.default is None or field.type != "integer":
            continue
        assert isinstance(field.default, int)
        assert field.least is None or field.default >= field.least
        assert field.most is None or field.default <= field.most

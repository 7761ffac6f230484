"""Answers held against what the ops declare (`Operation.answers`, `Operation.errors`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from messenger_api.domain.errors import CODES, ApiError, Refused
from messenger_api.ops import OPERATIONS
from messenger_api.ops.answers import Failure, LoggedIn, Success
from messenger_api.ops.call import BOOLEAN_RESULTS, Operation

_WORDS = {True: "OK", False: "FAIL"}


def is_exactly(value: object, shape: Any) -> bool:
    """Whether a value has the members of a shape, with their types, and no others, at every depth."""
    try:
        return bool(msgspec.to_builtins(msgspec.convert(value, shape)) == value)
    except msgspec.ValidationError:
        return False


def assert_declared(answer: Mapping[str, Any]) -> None:
    """An answer has exactly the members that its op declares; a failure, one of the op's errors."""
    if "op" not in answer:  # none was asked for
        assert answer == {"code": "NOOP", "result": "FAIL"}
        return
    op = answer["op"]
    if isinstance(answer["result"], bool):
        assert op in BOOLEAN_RESULTS, answer
        answer = {**answer, "result": _WORDS[answer["result"]]}
    if answer["result"] != "OK":
        assert is_exactly(answer, Failure), answer
    if op not in OPERATIONS:  # one of an extension, or none
        return
    if answer["result"] == "OK":
        _assert_success(OPERATIONS[op], answer)
    else:
        assert is_declared(answer["error"], OPERATIONS[op].errors), answer


def is_declared(code: str, kinds: frozenset[type[ApiError]]) -> bool:
    """Whether a code is one of these errors'; mesibo's own are `Refused`'s."""
    return any(kind.code == code for kind in kinds - {Refused}) or (Refused in kinds and code not in CODES)


def _assert_success(operation: Operation, answer: Mapping[str, Any]) -> None:
    head, common = Success.__annotations__, LoggedIn.__annotations__
    assert is_exactly({name: answer[name] for name in head}, Success), answer
    own = {name: value for name, value in answer.items() if name not in head}
    if operation.needs_session and (common.keys() & own.keys() or not operation.forgives_dead_token):
        assert is_exactly({name: own.pop(name, None) for name in common}, LoggedIn), answer
    assert any(is_exactly(own, shape) for shape in operation.answers), answer

"""What is wrong with how an op of somebody else is declared, told at the start, before a call or a page."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction, signature
from typing import get_origin, is_typeddict

import msgspec
from msgspec.structs import FieldInfo, fields

from messenger_api.domain.errors import ApiError, AuthFail
from messenger_api.ops.binding import READ, is_read
from messenger_api.ops.call import Operation

# What every call has: no op can take them for something else.
TAKEN = frozenset({"op", "token"})


def fault(operation: object) -> str:
    """The first thing because of which an op cannot be asked or answered; "" where there is none."""
    if not isinstance(operation, Operation):
        return f"{operation!r} is no Operation"
    return (
        _of_function(operation.run)
        or _of_parameters(operation.parameters)
        or _of_answers(operation)
        or _of_errors(operation.own_errors)
    )


def _of_function(run: object) -> str:
    if not callable(run):
        return f"{run!r} is no function"
    if iscoroutinefunction(run) or isgeneratorfunction(run) or isasyncgenfunction(run):
        return "its function has to return the answer: no `async`, no `yield`"
    try:
        signature(run).bind(None, None)
    except (TypeError, ValueError) as error:
        return f"its function has to take a call and its parameters ({error})"
    return ""


def _of_parameters(parameters: object) -> str:
    if not (isinstance(parameters, type) and issubclass(parameters, msgspec.Struct)):
        return f"its parameters, {parameters!r}, are no msgspec.Struct"
    if parameters.__struct_config__.array_like or parameters.__struct_config__.tag is not None:
        return f"{parameters.__name__} is `array_like` or has a `tag`, which no call has"
    try:
        found = ((info.name, _of_field(info)) for info in fields(parameters))
        named = (f"{parameters.__name__}.{name} {reason}" for name, reason in found if reason)
        return next(named, "")
    except Exception as error:  # noqa: BLE001 - whatever the operator's annotations raise
        return f"{parameters.__name__} cannot be read: {_told(error)}"


def _of_field(info: FieldInfo) -> str:
    if info.encode_name in TAKEN:
        return f"cannot be: every call has `{info.encode_name}`"
    if info.required:
        return "needs a default: an app may leave any field out"
    return "" if is_read(info.type) else f"has a type that is not read: accepted are {READ}"


def _of_answers(operation: Operation) -> str:
    try:
        answers = operation.answers
    except Exception as error:  # noqa: BLE001 - whatever the operator's annotations raise
        return f"the annotations of its function cannot be read: {_told(error)}"
    for kind in answers:
        if not (is_typeddict(kind) or (get_origin(kind) or kind) in (dict, Mapping)):
            return f"its function returns {kind!r}, which is no TypedDict and no JsonObject"
    return ""


def _of_errors(errors: object) -> str:
    if not isinstance(errors, (frozenset, set)):
        return f"its own_errors, {errors!r}, are no frozenset"
    for kind in errors:
        if not (isinstance(kind, type) and issubclass(kind, ApiError)):
            return f"{kind!r} in its own_errors is none of messenger_api.extensions.errors"
        if issubclass(kind, AuthFail):
            return "its own_errors have AuthFail, by which apps log their user out"
    return ""


def _told(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())

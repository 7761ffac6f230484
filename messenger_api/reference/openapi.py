"""OpenAPI 3.1, twice: as the API is, one address for all ops; and with an address of its own for each op.

Generators of clients know no address that takes many kinds of calls: for them the second has pseudo-paths,
the real one with the op as its fragment, which HTTP never sends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from messenger_api.domain.errors import ApiError
from messenger_api.ops import OPERATIONS
from messenger_api.ops.call import Operation
from messenger_api.reference import samples
from messenger_api.reference.described import code, errors_of
from messenger_api.reference.schemas import (
    DRAFT,
    FAILURE,
    FILE,
    NO_OP,
    Schema,
    answer_name,
    request_name,
    with_parts,
)
from messenger_api.version import VERSION

REF = "#/components/schemas/{name}"
PATH = "/api.php"
JSON, FORM, PARTS = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"
TITLE = "mesibo messenger-api"
LICENSE = {"name": "MIT", "identifier": "MIT"}
ABOUT = (
    "The private API of mesibo's messenger apps. Every answer is one JSON object with HTTP status 200;"
    " `result` says whether the op succeeded. Every value may also be sent as a text, and a list as a text"
    " with commas."
)
TAG = {"name": "ops", "description": "The ops."}


def openapi(server: str) -> Schema:
    """The API as it is; `server`: its address without a slash at the end."""
    names = [request_name(operation) for operation in OPERATIONS.values()]
    mapping = {op: _ref(request_name(operation))["$ref"] for op, operation in OPERATIONS.items()}
    calls: Schema = {
        "oneOf": [_ref(name) for name in names],
        "discriminator": {"propertyName": "op", "mapping": mapping},
    }
    answers = [answer_name(operation) for operation in OPERATIONS.values()]
    answered = {"200": _answered([*answers, FAILURE, NO_OP], _examples(OPERATIONS, "answer"))}
    content = {JSON: {"schema": calls, "examples": _examples(OPERATIONS, "request")}, FORM: {"schema": calls}}
    post = {
        **_head("call", "Make a call", "The op is named in the body. " + _list_of_ops()),
        "requestBody": {"required": True, "content": {**content, PARTS: {"schema": _with_file(calls)}}},
        "responses": answered,
    }
    fields = {
        "name": "fields",
        "in": "query",
        "required": True,
        "style": "form",
        "explode": True,
        "schema": calls,
    }
    get = {
        **_head("callByAddress", "Make a call by its address", "The same fields in the query."),
        "parameters": [{**fields, "description": "The fields of the call."}],
        "responses": answered,
    }
    return _document(server, {PATH: {"post": post, "get": get}}, [*names, *answers, FAILURE, NO_OP])


def openapi_ops(server: str) -> Schema:
    """The same with a pseudo-path for each op."""
    paths = {f"{PATH}#{op}": {"post": _operation(op, operation)} for op, operation in OPERATIONS.items()}
    calls = OPERATIONS.values()
    names = [*map(request_name, calls), *map(answer_name, calls), FAILURE]
    return _document(server, paths, names)


def _operation(op: str, operation: Operation) -> Schema:
    request = _ref(request_name(operation))
    content: Schema = {
        JSON: {"schema": request, "examples": _examples([op], "request")},
        FORM: {"schema": request},
    }
    if operation.file:
        content[PARTS] = {"schema": _with_file(request, operation.file)}
    about = operation.parameters.__doc__ or ""
    return {
        **_head(op, about.partition(".")[0].partition(":")[0], f"{about}\n\n{_table(errors_of(operation))}"),
        "requestBody": {"required": True, "content": content},
        "responses": {"200": _answered([answer_name(operation), FAILURE], _examples([op], "answer"))},
    }


def _head(name: str, summary: str, about: str) -> Schema:
    return {"operationId": name, "summary": summary, "description": about, "tags": [TAG["name"]]}


def _table(errors: Iterable[type[ApiError]]) -> str:
    rows = "".join(f"| `{code(kind)}` | {kind.to_do} |\n" for kind in errors)
    return f"| error | what an app does |\n|---|---|\n{rows}"


def _list_of_ops() -> str:
    return f"The ops are {', '.join(f'`{op}`' for op in OPERATIONS)}."


def _with_file(calls: Schema, about: str = "What `profile`, `setgroup` and `upload` take.") -> Schema:
    file = {"description": f"{about} The part may have any name.", **FILE}
    return {"allOf": [calls, {"type": "object", "properties": {"file": file}}]}


def _answered(names: Iterable[str], examples: Mapping[str, Any]) -> Schema:
    """A set of answers, the ops' own first: which it is, `result` and `op` say."""
    content = {JSON: {"schema": {"anyOf": [_ref(name) for name in names]}, "examples": examples}}
    return {"description": "The answer, whatever happened.", "content": content}


def _examples(ops: Iterable[str], part: str) -> Schema:
    """The samples of these ops, by names that are unique among them. JSON has no way to show a file."""
    return {
        f"{op}{number or ''}": {"value": getattr(sample, part)}
        for op in ops
        for number, sample in enumerate(samples.of(op))
        if part == "answer" or not sample.has_file
    }


def _ref(name: str) -> Schema:
    return {"$ref": REF.format(name=name)}


def _document(server: str, paths: Schema, names: Iterable[str]) -> Schema:
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": DRAFT,
        "info": {"title": TITLE, "version": VERSION, "description": ABOUT, "license": LICENSE},
        "servers": [{"url": server}],
        "security": [],
        "tags": [TAG],
        "paths": paths,
        "components": {"schemas": _moved(with_parts(names))},
    }


def _moved(part: Any) -> Any:
    """The same with its references where OpenAPI keeps schemas."""
    if isinstance(part, dict):
        reference = part.get("$ref")
        if isinstance(reference, str):
            return {**part, **_ref(reference.rpartition("/")[2])}
        return {name: _moved(value) for name, value in part.items()}
    return [_moved(each) for each in part] if isinstance(part, list) else part

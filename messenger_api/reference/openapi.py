"""OpenAPI 3.1, twice: as the API is, one address for all ops; and with an address of its own for each op.

Generators of clients know no address that takes many kinds of calls: for them the second has pseudo-paths,
the real one with the op as its fragment, which HTTP never sends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from messenger_api.reference.described import Error, Op, Reference
from messenger_api.reference.schemas import DRAFT, FAILURE, FILE, NO_OP, Schema, referring
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
OWN_TAG = {"name": "own", "description": "This server's own ops: other servers do not have them."}


def openapi(reference: Reference, server: str) -> Schema:
    """The API as it is; `server`: its address without a slash at the end."""
    ops = reference.ops()
    calls: Schema = {
        "oneOf": [_ref(op.request_schema) for op in ops],
        "discriminator": {
            "propertyName": "op",
            "mapping": {op.name: _ref(op.request_schema)["$ref"] for op in ops},
        },
    }
    answers = [op.answer_schema for op in ops]
    answered = {"200": _answered([*answers, FAILURE, NO_OP], _examples(ops, "answer"))}
    content = {JSON: {"schema": calls, "examples": _examples(ops, "request")}, FORM: {"schema": calls}}
    with_file = _with_file(calls, f"Taken by {_names(op for op in ops if op.file)}.")
    post = {
        **_head("call", "Make a call", f"The op is named in the body. The ops are {_names(ops)}."),
        "requestBody": {"required": True, "content": {**content, PARTS: {"schema": with_file}}},
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
    paths = {PATH: {"post": post, "get": get}}
    return _document(reference, server, paths, [*(op.request_schema for op in ops), *answers, FAILURE, NO_OP])


def openapi_ops(reference: Reference, server: str) -> Schema:
    """The same with a pseudo-path for each op."""
    ops = reference.ops()
    paths = {f"{PATH}#{op.name}": {"post": _operation(op)} for op in ops}
    names = [*(op.request_schema for op in ops), *(op.answer_schema for op in ops), FAILURE]
    return _document(reference, server, paths, names)


def _operation(op: Op) -> Schema:
    request = _ref(op.request_schema)
    content: Schema = {
        JSON: {"schema": request, "examples": _examples([op], "request")},
        FORM: {"schema": request},
    }
    if op.file:
        content[PARTS] = {"schema": _with_file(request, op.file)}
    return {
        **_head(op.name, op.summary, f"{op.about}\n\n{_table(op.errors)}", OWN_TAG if op.own else TAG),
        "requestBody": {"required": True, "content": content},
        "responses": {"200": _answered([op.answer_schema, FAILURE], _examples([op], "answer"))},
    }


def _head(name: str, summary: str, about: str, tag: Schema = TAG) -> Schema:
    return {"operationId": name, "summary": summary, "description": about, "tags": [tag["name"]]}


def _table(errors: Iterable[Error]) -> str:
    rows = "".join(f"| `{error.code}` | {error.to_do} |\n" for error in errors)
    return f"| error | what an app does |\n|---|---|\n{rows}"


def _names(ops: Iterable[Op]) -> str:
    return ", ".join(f"`{op.name}`" for op in ops)


def _with_file(calls: Schema, about: str) -> Schema:
    file = {"description": f"{about} The part may have any name.", **FILE}
    return {"allOf": [calls, {"type": "object", "properties": {"file": file}}]}


def _answered(names: Iterable[str], examples: Mapping[str, Any]) -> Schema:
    """A set of answers, the ops' own first: which it is, `result` and `op` say."""
    content = {JSON: {"schema": {"anyOf": [_ref(name) for name in names]}, "examples": examples}}
    return {"description": "The answer, whatever happened.", "content": content}


def _examples(ops: Iterable[Op], part: str) -> Schema:
    """The samples of these ops, by names that are unique among them. JSON has no way to show a file."""
    return {
        f"{op.name}{number or ''}": {"value": getattr(sample, part)}
        for op in ops
        for number, sample in enumerate(op.samples)
        if (sample.answer is not None if part == "answer" else not sample.has_file)
    }


def _ref(name: str) -> Schema:
    return {"$ref": REF.format(name=name)}


def _document(reference: Reference, server: str, paths: Schema, names: Iterable[str]) -> Schema:
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": DRAFT,
        "info": {"title": TITLE, "version": VERSION, "description": ABOUT, "license": LICENSE},
        "servers": [{"url": server}],
        "security": [],
        "tags": [TAG, OWN_TAG] if any(op.own for op in reference.ops()) else [TAG],
        "paths": paths,
        "components": {
            "schemas": referring(reference.schemas.with_parts(names), lambda name: REF.format(name=name))
        },
    }

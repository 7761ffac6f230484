"""The reference at /docs: pages for people, and the same for programs, drawn by `messenger_api.reference`.

It tells nothing of the installation but its address, and is there in production, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache, partial

import msgspec
from flask import Blueprint, Response, abort, current_app, request
from markupsafe import Markup, escape

from messenger_api.ops.call import Operation
from messenger_api.reference import described, markdown, openapi
from messenger_api.reference.described import Reference
from messenger_api.settings import Settings
from messenger_api.transport.pages import page

PATH = "/docs"
PLAYGROUND = "/playground/ops"
ALL = "all"
# Addresses under which one process is known, whose documents it keeps.
SERVERS_KEPT = 8
# Pages of other hosts may read the documents: they say nothing that is not published.
HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
_CODE = re.compile(r"`([^`]+)`")

Draw = Callable[[str], str]
"""A document for a server's address."""


def docs_blueprint(settings: Settings, operations: Mapping[str, Operation]) -> Blueprint:
    """The reference's routes. The server's address is PUBLIC_URL, else the one that was asked."""
    blueprint, reference = Blueprint("docs", __name__), Reference(operations)

    def server() -> str:
        return (settings.public_url or request.url_root).rstrip("/")

    _add_pages(blueprint, reference, server)
    _add_documents(blueprint, reference, server)
    _add_schemas(blueprint, reference)
    blueprint.add_app_template_filter(marked)
    return blueprint


def _add_pages(blueprint: Blueprint, reference: Reference, server: Callable[[], str]) -> None:
    def show(template: str, **values: object) -> Response:
        return page(f"docs/{template}.html", all_ops=reference.ops(), **values)

    @blueprint.get(PATH)
    def index() -> Response:
        return show("index", server=server())

    @blueprint.get(f"{PATH}/ops/<name>")
    def op(name: str) -> Response:
        if name not in reference.operations:
            abort(404)
        found = reference.op(name)
        calls = [
            (described.curl(server(), each), in_lines(each.answer) if each.answer else "")
            for each in found.samples
        ]
        shared = {"token": described.TOKEN, "own": described.OWN}
        return show("op", op=found, calls=calls, playground=_playground(name), **shared)

    @blueprint.get(f"{PATH}/errors")
    def errors() -> Response:
        return show("errors", errors=reference.errors())

    @blueprint.get(f"{PATH}/envelope")
    def envelope() -> Response:
        shapes = [*reference.envelope(), *reference.envelope_parts()]
        return show("envelope", shapes=shapes)

    @blueprint.get(f"{PATH}/updates")
    def updates() -> Response:
        return show("updates", shape=reference.update_message(), about=described.UPDATES)


def _add_documents(blueprint: Blueprint, reference: Reference, server: Callable[[], str]) -> None:
    whole = partial(markdown.whole, reference)
    documents: dict[str, tuple[str, Draw]] = {
        f"{PATH}/openapi.json": ("application/json", lambda at: in_lines(openapi.openapi(reference, at))),
        f"{PATH}/openapi-ops.json": (
            "application/json",
            lambda at: in_lines(openapi.openapi_ops(reference, at)),
        ),
        f"{PATH}.md": ("text/markdown", whole),
        "/llms.txt": ("text/plain", whole),
    }
    for path, (kind, draw) in documents.items():
        kept = lru_cache(maxsize=SERVERS_KEPT)(draw)
        show = _shown(kept, server, kind)
        blueprint.add_url_rule(path, endpoint=path.strip("/").replace(".", "_"), view_func=show)


def _shown(draw: Draw, server: Callable[[], str], kind: str) -> Callable[[], Response]:
    return lambda: _document(draw(server()), kind)


def _add_schemas(blueprint: Blueprint, reference: Reference) -> None:
    schemas = reference.schemas

    @blueprint.get(f"{PATH}/schemas/<name>.json")
    def schema(name: str) -> Response:
        try:
            found = schemas.document() if name == ALL else schemas.schema(name)
        except KeyError:
            abort(404)
        return _document(in_lines(found), "application/schema+json")


def _document(text: str, kind: str) -> Response:
    return Response(text, content_type=f"{kind}; charset=utf-8", headers=HEADERS)


def _playground(op: str) -> str:
    """Where the op can be tried; "" where nobody plays mesibo."""
    path = f"{PLAYGROUND}/{op}"
    return path if current_app.url_map.bind("").test(path, "GET") else ""


def in_lines(value: object) -> str:
    """A value as JSON for people."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def marked(text: str) -> Markup:
    """A text whose `names` stand in the type of code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped before

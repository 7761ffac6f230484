"""Hints about the body, its type, and what stands twice."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import msgspec
from werkzeug.http import parse_options_header

from messenger_api.domain.errors import ApiError
from messenger_api.transport.bodies import MAX_BODY_BYTES, Body
from messenger_api.transport.hints.asked import listed, shown
from messenger_api.transport.multipart import boundary_of
from messenger_api.transport.reading import LISTS, field_name

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

FORM, PARTS, JSON = "a form", "a form of parts", "JSON"
# What each is called by a Content-Type.
LABELS = {FORM: "x-www-form-urlencoded", PARTS: "multipart/", JSON: "json"}
# Longer bodies are not looked at.
LONGEST = 64 * 1024
_TYPE = re.compile(r"[a-z]{1,20}/[a-z.+-]{1,40}")


def hints(environ: WSGIEnvironment) -> Iterator[str]:
    """What is odd about the body and the query of a request that was read already."""
    data = _data(environ)
    label, options = parse_options_header(environ.get("CONTENT_TYPE", ""))
    kind = _kind(data, options.get("boundary", ""))
    if kind:
        yield from _type(kind, label.lower(), options)
    if kind == FORM and data.lstrip().startswith(b"{'"):
        yield "JSON takes double quotes"
    query = _pairs(environ.get("QUERY_STRING", ""))
    body = _members(data, kind)
    yield from _beaten({field_name(name) for name, _value in query} & {field_name(name) for name in body})
    yield from _twice(query, "the address")
    if kind == FORM:
        yield from _twice(_pairs(data.decode("latin-1")), "the body")


def _data(environ: WSGIEnvironment) -> bytes:
    """The body, unpacked; nothing where it is long or cannot be read."""
    stream = environ["wsgi.input"]
    if not stream.seekable():
        return b""
    stream.seek(0)
    try:
        data = Body(environ, MAX_BODY_BYTES).head
    except ApiError:
        return b""
    return data if len(data) < LONGEST else b""


def _kind(data: bytes, boundary: str) -> str:
    """How a body is read, whatever its type says (`transport.reading`)."""
    start = data.lstrip()
    if not start:
        return ""
    if start.startswith(b"{") and not start.startswith(b"{'"):
        return JSON
    return PARTS if boundary_of(data, boundary) else FORM


def _type(kind: str, label: str, options: Mapping[str, str]) -> Iterator[str]:
    if label and LABELS[kind] not in label:
        told = label if _TYPE.fullmatch(label) else "something else"
        yield f"Content-Type says {told}; the body looks like {kind} and was taken for that"
    elif kind == PARTS and label and not options.get("boundary"):
        yield "Content-Type names no boundary: let your HTTP library write this header"


def _members(data: bytes, kind: str) -> set[str]:
    if kind == JSON:
        try:
            return set(msgspec.json.decode(data, type=dict[str, msgspec.Raw]))
        except (msgspec.DecodeError, UnicodeDecodeError):
            return set()
    if kind == FORM:
        return {name for name, _value in _pairs(data.decode("latin-1"))}
    return {name.decode("latin-1") for name in re.findall(rb'form-data; name="([^"]{1,40})"', data)}


def _beaten(both: set[str]) -> Iterator[str]:
    if both:
        names = listed([shown(name) for name in sorted(both)])
        yield f"the address and the body both have {names}: the body counts"


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=1000)
    except ValueError:
        return []


def _twice(pairs: list[tuple[str, str]], where: str) -> Iterator[str]:
    counted = Counter(name for name, _value in pairs if field_name(name) not in LISTS)
    if twice := [shown(name) for name, count in counted.items() if count > 1]:
        yield f"{where} has {listed(twice)} more than once: the last one counts"
